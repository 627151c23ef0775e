import { isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import {
  anyType,
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  errorType,
  intType,
  listOf,
  mapOf,
  nullableOf,
  nullType,
  opaqueType,
  stringType,
  structType,
  timestampType,
  typeOfType,
  typeParam,
  uintType,
} from "../../../src/languages/cel/types.ts";

/** A member of a protobuf message in JSON, whose names are in camel case or as the .proto file has them. */
export function field(message: JsonValue | undefined, name: string): JsonValue | undefined {
  if (!isObject(message)) return undefined;
  const snake = name.replace(/[A-Z]/g, (char) => `_${char.toLowerCase()}`);
  return message[name] ?? message[snake];
}

/** A repeated field: textproto converters write a single element without its list. */
export function repeated(message: JsonValue | undefined, name: string): readonly JsonValue[] {
  const value = field(message, name);
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

const primitives = new Map<JsonValue | undefined, CelType>([
  ["BOOL", boolType],
  ["INT64", intType],
  ["UINT64", uintType],
  ["DOUBLE", doubleType],
  ["STRING", stringType],
  ["BYTES", bytesType],
]);

const wellKnown = new Map<JsonValue | undefined, CelType>([
  ["ANY", anyType],
  ["TIMESTAMP", timestampType],
  ["DURATION", durationType],
]);

/** cel.expr.Type in JSON. */
export function decodeType(type: JsonValue | undefined): CelType {
  const primitive = primitives.get(field(type, "primitive"));
  if (primitive !== undefined) return primitive;
  const wrapped = primitives.get(field(type, "wrapper"));
  if (wrapped !== undefined) return nullableOf(wrapped);
  const known = wellKnown.get(field(type, "wellKnown"));
  if (known !== undefined) return known;
  const list = field(type, "listType");
  if (list !== undefined) return listOf(decodeType(field(list, "elemType")));
  const map = field(type, "mapType");
  if (map !== undefined) return mapOf(decodeType(field(map, "keyType")), decodeType(field(map, "valueType")));
  const message = field(type, "messageType");
  if (typeof message === "string") return structType(message);
  const parameter = field(type, "typeParam");
  if (typeof parameter === "string") return typeParam(parameter);
  const abstract = field(type, "abstractType");
  if (isObject(abstract)) return opaqueType(String(abstract["name"]), ...repeated(abstract, "parameterTypes").map(decodeType));
  if (field(type, "null") !== undefined) return nullType;
  if (field(type, "error") !== undefined) return errorType;
  const of = field(type, "type");
  if (of !== undefined) return isObject(of) && Object.keys(of).length > 0 ? typeOfType(decodeType(of)) : typeOfType();
  return dynType;
}

/** cel.expr.Decl in JSON: a variable, or a function with its overloads. */
export function declarationsOf(row: JsonObject): readonly JsonObject[] {
  return repeated(row, "typeEnv").filter(isObject);
}
