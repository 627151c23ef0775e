import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";

/** A value as OTLP's JSON encoding writes it (`AnyValue`); integers come as text. */
function jsonOf(any: JsonValue | undefined): JsonValue {
  if (!isObject(any)) return null;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue } = any;
  if (kvlistValue !== undefined) return objectOf(member(kvlistValue, "values"));
  if (arrayValue !== undefined) return listIn(arrayValue, "values").map(jsonOf);
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? boolValue ?? doubleValue ?? null;
}

function objectOf(pairs: JsonValue | undefined): JsonObject {
  const entries = isArray(pairs) ? pairs : [];
  return Object.fromEntries(entries.map((pair) => [asString(member(pair, "key")) ?? "", jsonOf(member(pair, "value"))]));
}

function listIn(value: JsonValue | undefined, name: string): readonly JsonValue[] {
  const list = member(value, name);
  return isArray(list) ? list : [];
}

/**
 * The lines of logs that an OpenTelemetry collector sends on (OTLP 1.x `ExportLogsServiceRequest`, JSON): a body that is a text
 * is a line as it was read, one that is a list of keys is written as JSON again. Undefined where it is no such request.
 */
export function otlpLines(request: JsonValue): readonly string[] | undefined {
  if (!isObject(request) || !isArray(request["resourceLogs"])) return undefined;
  return listIn(request, "resourceLogs")
    .flatMap((resource) => listIn(resource, "scopeLogs"))
    .flatMap((scope) => listIn(scope, "logRecords"))
    .map((record) => {
      const body = jsonOf(member(record, "body"));
      return typeof body === "string" ? body : JSON.stringify(body);
    });
}
