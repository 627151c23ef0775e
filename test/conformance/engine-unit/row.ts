import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { failure, type Outcome, passed } from "../corpus.ts";

/** Judges one row of a Go test's table, whose typed literals have been made plain. */
export type RowJudge = (row: JsonValue) => Outcome | Promise<Outcome>;
/** Judges by `<package>/<test>`. */
export type RowJudges = { readonly [family: string]: RowJudge };

export function field(row: JsonValue | undefined, key: string): JsonValue {
  return isObject(row) && Object.hasOwn(row, key) ? (row[key] ?? null) : null;
}

export function item(row: JsonValue | undefined, index: number): JsonValue {
  return isArray(row) ? (row[index] ?? null) : null;
}

export function text(value: JsonValue): string {
  if (typeof value === "string") return value;
  throw new Error(`not a text: ${JSON.stringify(value)}`);
}

export function objectOf(value: JsonValue): JsonObject {
  if (isObject(value)) return value;
  throw new Error(`not an object: ${JSON.stringify(value)}`);
}

export function texts(value: JsonValue): readonly string[] {
  return isArray(value) ? value.map(text) : [];
}

export function expectEqual(actual: boolean | string | number | undefined, expected: JsonValue): Outcome {
  return actual === expected ? passed : failure(`got ${String(actual)}, expected ${String(expected)}`);
}
