import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { otlpLines } from "../analysis/network/flows/otlp.ts";
import { parseExactJson } from "../core/exact-json.ts";
import { allTaken, protobufLogLines, refusedStatus } from "./otlp-logs.ts";

/** An `AnyValue` of `opentelemetry/proto/common/v1`, undefined where its sender left it out. */
type Any =
  | undefined
  | { readonly string: string }
  | { readonly bool: boolean }
  | { readonly int: bigint }
  | { readonly double: number }
  | { readonly bytes: Uint8Array }
  | { readonly array: readonly Any[] }
  | { readonly kvlist: readonly (readonly [key: string, value: Any])[] };

/** As the specification's JSON encoding has it. */
function asJson(any: Any): object {
  if (any === undefined) return {};
  if ("string" in any) return { stringValue: any.string };
  if ("bool" in any) return { boolValue: any.bool };
  if ("int" in any) return { intValue: String(any.int) };
  if ("double" in any) return { doubleValue: Number.isFinite(any.double) ? any.double : String(any.double) };
  if ("bytes" in any) return { bytesValue: Buffer.from(any.bytes).toString("base64") };
  if ("array" in any) return { arrayValue: { values: any.array.map(asJson) } };
  return { kvlistValue: { values: any.kvlist.map(([key, value]) => ({ key, value: asJson(value) })) } };
}

const nested = (number: number, write: (to: BinaryWriter) => BinaryWriter) => (to: BinaryWriter) =>
  write(to.tag(number, WireType.LengthDelimited).fork()).join();

/** As protobuf has it, by the field numbers of the specification. */
function write(any: Any, to: BinaryWriter): BinaryWriter {
  if (any === undefined) return to;
  if ("string" in any) return to.tag(1, WireType.LengthDelimited).string(any.string);
  if ("bool" in any) return to.tag(2, WireType.Varint).bool(any.bool);
  if ("int" in any) return to.tag(3, WireType.Varint).int64(any.int);
  if ("double" in any) return to.tag(4, WireType.Bit64).double(any.double);
  if ("bytes" in any) return to.tag(7, WireType.LengthDelimited).bytes(any.bytes);
  if ("array" in any)
    return nested(5, (list) => any.array.reduce((on, one) => nested(1, (value) => write(one, value))(on), list))(to);
  return nested(6, (list) =>
    any.kvlist.reduce(
      (on, [key, one]) =>
        nested(1, (pair) => nested(2, (value) => write(one, value))(pair.tag(1, WireType.LengthDelimited).string(key)))(on),
      list,
    ),
  )(to);
}

/** With what else a collector sends: a resource, a scope, times, severities, attributes, trace ids, and fields of tomorrow. */
function protobufOf(bodies: readonly Any[]): Uint8Array {
  const attribute = nested(1, (pair) => pair.tag(1, WireType.LengthDelimited).string("k8s.node.name"));
  const record = (any: Any) => (to: BinaryWriter) => {
    to.tag(1, WireType.Bit64).fixed64(1_790_000_000_000_000_000n).tag(2, WireType.Varint).int32(9);
    nested(5, (body) => write(any, body))(to);
    return nested(6, (pair) => pair.tag(1, WireType.LengthDelimited).string("log.file.name"))(to)
      .tag(9, WireType.LengthDelimited)
      .bytes(new Uint8Array(16))
      .tag(4000, WireType.Varint)
      .int32(1);
  };
  const scope = (to: BinaryWriter) =>
    bodies
      .reduce((on, any) => nested(2, record(any))(on), to)
      .tag(3, WireType.LengthDelimited)
      .string("https://schema");
  const resource = (to: BinaryWriter) => nested(2, scope)(nested(1, attribute)(to));
  return nested(1, resource)(new BinaryWriter()).finish();
}

const { any: anyValue } = fc.letrec<{ any: Any }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(undefined),
    fc.string({ unit: "grapheme" }).map((string) => ({ string })),
    fc.boolean().map((bool) => ({ bool })),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((int) => ({ int })),
    fc.double().map((double) => ({ double })),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => ({ bytes })),
    fc.array(tie("any"), { maxLength: 4 }).map((array) => ({ array })),
    fc.array(fc.tuple(fc.string({ unit: "grapheme" }), tie("any")), { maxLength: 4 }).map((kvlist) => ({ kvlist })),
  ),
}));

describe("OTLP logs in protobuf", () => {
  test("the same request in JSON and in protobuf gives the same lines", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 6 }), (bodies) => {
        const logRecords = bodies.map((any) => ({ timeUnixNano: "1790000000000000000", body: asJson(any) }));
        const text = JSON.stringify({ resourceLogs: [{ resource: {}, scopeLogs: [{ scope: {}, logRecords }] }] });
        const lines = otlpLines(parseExactJson(text));
        expect(lines).toHaveLength(bodies.length);
        expect(protobufLogLines(protobufOf(bodies))).toEqual(lines);
      }),
    );
  });

  test("a line is the text as it was read, or an object as JSON", () => {
    const flow: Any = {
      kvlist: [
        ["verdict", { string: "FORWARDED" }],
        ["ports", { array: [{ int: 443n }] }],
      ],
    };
    expect(protobufLogLines(protobufOf([{ string: "a b" }, flow]))).toEqual(["a b", '{"verdict":"FORWARDED","ports":[443]}']);
  });

  test.each([
    ["nothing", new Uint8Array(), []],
    ["a request that ends early", protobufOf([{ string: "line" }]).subarray(0, 30), undefined],
    ["a text", new TextEncoder().encode('{"resourceLogs":[]}'), undefined],
    ["another wire type", new BinaryWriter().tag(1, WireType.Bit64).fixed64(1).finish(), undefined],
  ])("%s", (_, bytes, lines) => {
    expect(protobufLogLines(bytes)).toEqual(lines);
  });

  test("values in each other without end are no request", () => {
    const around = (number: number, inner: Uint8Array) =>
      new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(inner).finish();
    let value = around(1, new TextEncoder().encode("deep"));
    for (let depth = 0; depth < 5000; depth++) value = around(5, around(1, value));
    expect(protobufLogLines(around(1, around(2, around(2, around(5, value)))))).toBeUndefined();
  });

  test("what is answered is what OTLP says", () => {
    expect(allTaken).toEqual(new Uint8Array());
    const reader = new BinaryReader(refusedStatus("no cluster x"));
    expect([reader.tag(), reader.int32(), reader.tag(), reader.string()]).toEqual([
      [1, WireType.Varint],
      3,
      [2, WireType.LengthDelimited],
      "no cluster x",
    ]);
  });
});
