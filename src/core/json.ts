/** A JSON value. Integers outside ±(2^53 - 1) are `bigint`, so that 64-bit Kubernetes fields survive loading. */
export type JsonValue = string | number | bigint | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A path from a document's root: member names and array indexes. */
export type JsonPath = readonly (string | number)[];

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function asString(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The member `key` of an object, own members only; undefined for anything else. */
export function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The value at `path`, or undefined where the path leaves the document. */
export function valueAt(root: JsonValue | undefined, path: JsonPath): JsonValue | undefined {
  let value = root;
  for (const step of path) {
    if (typeof step === "number") value = isArray(value) ? value[step] : undefined;
    else value = member(value, step);
    if (value === undefined) return undefined;
  }
  return value;
}

/** Structural equality; member order does not matter, an absent member equals an undefined one. */
export function jsonEquals(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a === "bigint" && typeof b === "number") return Number.isInteger(b) && a === BigInt(b);
  if (typeof b === "bigint" && typeof a === "number") return Number.isInteger(a) && b === BigInt(a);
  if (isArray(a) && isArray(b)) {
    return a.length === b.length && a.every((item, i) => jsonEquals(item, b[i]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keysOf = (o: JsonObject) => Object.keys(o).filter((k) => o[k] !== undefined);
  const keys = keysOf(a);
  return keys.length === keysOf(b).length && keys.every((k) => Object.hasOwn(b, k) && jsonEquals(a[k], b[k]));
}

/** RFC 6901 pointer text of a path: `/spec/containers/0/image`. */
export function toPointer(path: JsonPath): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The path as people write it: `spec.containers[0].image`. */
export function toDotted(path: JsonPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
