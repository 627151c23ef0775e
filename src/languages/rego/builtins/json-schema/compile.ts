import { integerOf, isNumber } from "../../values/number.ts";
import { kindOf } from "../../values/print.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import { elementOf } from "../objects.ts";
import { isArray } from "../operand.ts";
import { combinationChecks } from "./combinations.ts";
import { arrayChecks, objectChecks } from "./containers.ts";
import { type Check, SchemaProblem, type SchemaResult, tryCheck } from "./result.ts";
import { commonChecks, numberChecks, stringChecks } from "./scalars.ts";

const types = ["array", "boolean", "integer", "number", "null", "object", "string"];

/** Compiles parts of one schema document; references into it may be circular. */
export class SchemaCompiler {
  readonly #root: Value;
  readonly #references = new Map<string, { check: Check | undefined }>();

  constructor(root: Value) {
    this.#root = root;
  }

  /** @throws SchemaProblem */
  compile(schema: Value): Check {
    if (schema === true) return () => undefined;
    if (schema === false) return (_, path, result) => result.fail("false", path, "False always fails validation");
    if (!(schema instanceof RegoObject)) throw new SchemaProblem("Expected: valid schema, given: Invalid JSON");
    this.#compileDefinitions(schema);
    const reference = textMember(schema, "$ref");
    if (reference !== undefined) return this.#reference(reference);
    const wanted = readTypes(schema.get("type"));
    const anywhere = combinationChecks(schema, this);
    const common = commonChecks(schema);
    const byKind: { readonly [kind: string]: readonly Check[] } = {
      number: [...anywhere, ...numberChecks(schema), ...common],
      string: [...anywhere, ...common, ...stringChecks(schema)],
      array: [...anywhere, ...arrayChecks(schema, this), ...common],
      object: [...anywhere, ...objectChecks(schema, this), ...common],
    };
    return (value, path, result) => {
      if (!hasType(value, wanted, path, result)) return;
      for (const check of byKind[kindOf(value)] ?? [...anywhere, ...common]) check(value, path, result);
      result.score++;
    };
  }

  /** The part of a schema under a keyword, where it is there. */
  member(schema: RegoObject, keyword: string): Check | undefined {
    const part = schema.get(keyword);
    return part === undefined ? undefined : this.compile(part);
  }

  /** The schemas of a list under a keyword. */
  members(schema: RegoObject, keyword: string): readonly Check[] {
    const parts = schema.get(keyword);
    if (parts === undefined) return [];
    if (!isArray(parts)) throw new SchemaProblem(`${keyword} must be of an array`);
    return parts.map((part) => this.compile(part));
  }

  #compileDefinitions(schema: RegoObject): void {
    const definitions = schema.get("definitions");
    if (definitions === undefined) return;
    if (!(definitions instanceof RegoObject)) throw wrongType("array of schemas", "definitions");
    for (const { value } of definitions.sorted()) this.compile(value);
  }

  #reference(reference: string): Check {
    const known = this.#references.get(reference);
    const entry = known ?? { check: undefined };
    if (known === undefined) {
      this.#references.set(reference, entry);
      entry.check = this.compile(this.#resolve(reference));
    }
    return (value, path, result) => entry.check?.(value, path, result);
  }

  /** References into other documents would take a network. */
  #resolve(reference: string): Value {
    if (!reference.startsWith("#")) throw new SchemaProblem(`Reference ${reference} is in another document`);
    let found: Value = this.#root;
    for (const step of reference.replace(/^#\/?/, "").split("/")) {
      if (step === "") continue;
      const key = decodeURIComponentSafely(step).replaceAll("~1", "/").replaceAll("~0", "~");
      const next = elementOf(found, isArray(found) && /^\d+$/.test(key) ? Number(key) : key);
      if (next === undefined) throw new SchemaProblem(`Object has no key '${key}'`);
      found = next;
    }
    return found;
  }
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

export function wrongType(expected: string, given: string): SchemaProblem {
  return new SchemaProblem(`Invalid type. Expected: ${expected}, given: ${given}`);
}

export function textMember(schema: RegoObject, keyword: string): string | undefined {
  const value = schema.get(keyword);
  if (value === undefined || typeof value === "string") return value;
  throw wrongType("string", keyword);
}

function readTypes(type: Value | undefined): readonly string[] {
  if (type === undefined) return [];
  const names = isArray(type) ? type : [type];
  const read: string[] = [];
  for (const name of names) {
    if (typeof name !== "string") throw wrongType("type", "string/array of strings");
    if (!types.includes(name)) {
      const valid = `[${types.join(" ")}]`;
      throw new SchemaProblem(`has a primitive type that is NOT VALID -- given: /${name}/ Expected valid values are:${valid}`);
    }
    if (read.includes(name)) throw new SchemaProblem(`${name} type is duplicated`);
    read.push(name);
  }
  return read;
}

function hasType(value: Value, wanted: readonly string[], path: readonly string[], result: SchemaResult): boolean {
  if (wanted.length === 0) return true;
  const isWhole = isNumber(value) && integerOf(value) !== undefined;
  const given = isWhole ? "integer" : kindOf(value);
  if (wanted.includes(given) || (isWhole && wanted.includes("number"))) return true;
  const expected = wanted.length > 1 ? `[${wanted.join(",")}]` : (wanted[0] ?? "");
  result.fail("invalid_type", path, `Invalid type. Expected: ${expected}, given: ${given}`);
  return false;
}

/** Compiles a schema. @throws SchemaProblem */
export function compileSchema(schema: Value): (value: Value) => SchemaResult {
  const check = new SchemaCompiler(schema).compile(schema);
  return (value) => tryCheck(check, value, []);
}
