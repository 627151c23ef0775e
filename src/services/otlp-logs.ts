import { create, createFileRegistry, type DescMessage, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { otlpLines } from "../analysis/network/flows/otlp.ts";
import { isObject } from "../core/json.ts";

type Field = readonly [number: number, name: string, type: string, of?: "list" | "choice"];

/** What we read of `opentelemetry/proto/collector/logs/v1` and `common/v1`, and `google.rpc.Status`; other fields are skipped, as protobuf says. */
const messages: { readonly [name: string]: readonly Field[] } = {
  ExportLogsServiceRequest: [[1, "resource_logs", "ResourceLogs", "list"]],
  ResourceLogs: [[2, "scope_logs", "ScopeLogs", "list"]],
  ScopeLogs: [[2, "log_records", "LogRecord", "list"]],
  LogRecord: [[5, "body", "AnyValue"]],
  AnyValue: [
    [1, "string_value", "string", "choice"],
    [2, "bool_value", "bool", "choice"],
    [3, "int_value", "int64", "choice"],
    [4, "double_value", "double", "choice"],
    [5, "array_value", "ArrayValue", "choice"],
    [6, "kvlist_value", "KeyValueList", "choice"],
    [7, "bytes_value", "bytes", "choice"],
  ],
  ArrayValue: [[1, "values", "AnyValue", "list"]],
  KeyValueList: [[1, "values", "KeyValue", "list"]],
  KeyValue: [
    [1, "key", "string"],
    [2, "value", "AnyValue"],
  ],
  ExportLogsServiceResponse: [],
  Status: [
    [1, "code", "int32"],
    [2, "message", "string"],
  ],
};

const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const file = fromJson(FileDescriptorProtoSchema, {
  name: "otlp.proto",
  package: "otlp",
  syntax: "proto3",
  messageType: Object.entries(messages).map(([name, fields]) => ({
    name,
    oneofDecl: fields.some(([, , , of]) => of === "choice") ? [{ name: "choice" }] : [],
    field: fields.map(([number, own, type, of]) => ({
      name: own,
      jsonName: camel(own),
      number,
      label: of === "list" ? "LABEL_REPEATED" : "LABEL_OPTIONAL",
      ...(of === "choice" ? { oneofIndex: 0 } : {}),
      ...(type in messages ? { type: "TYPE_MESSAGE", typeName: `.otlp.${type}` } : { type: `TYPE_${type.toUpperCase()}` }),
    })),
  })),
});
const registry = createFileRegistry(file, () => undefined);

function descriptor(name: string): DescMessage {
  const found = registry.getMessage(`otlp.${name}`);
  if (found === undefined) throw new Error(`${name} is not described`);
  return found;
}

const request = descriptor("ExportLogsServiceRequest");
const status = descriptor("Status");

/** The lines of an `ExportLogsServiceRequest` in protobuf, as {@link otlpLines} has them; undefined where the bytes are none. */
export function protobufLogLines(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const json = toJson(request, fromBinary(request, bytes, { readUnknownFields: false }));
    // Without any logs it is no bytes at all.
    return isObject(json) ? otlpLines({ resourceLogs: [], ...json }) : undefined;
  } catch {
    return undefined;
  }
}

/** An `ExportLogsServiceResponse`: all was taken. */
export const allTaken: Uint8Array = toBinary(
  descriptor("ExportLogsServiceResponse"),
  create(descriptor("ExportLogsServiceResponse")),
);

/** gRPC's code of what cannot be taken, however often it is sent. */
const invalidArgument = 3;

/** The `Status` of a request that cannot be taken, which OTLP has as the body of HTTP errors. */
export const refusedStatus = (message: string): Uint8Array =>
  toBinary(status, fromJson(status, { code: invalidArgument, message }));
