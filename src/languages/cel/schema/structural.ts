import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, jsonEquals } from "../../../core/json.ts";
import { compileRegex } from "../../../core/regex.ts";
import { fitsFormat, fitsInteger } from "./formats.ts";
import { duplicates } from "./list-types.ts";
import type { StructuralSchema } from "./structural-schema.ts";
import { fieldPath, type SchemaViolation } from "./violation.ts";

type Report = (violation: SchemaViolation) => void;

/** The type of a value in the words of schemas. */
function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const isOfType = (actual: string, wanted: string): boolean => actual === wanted || (wanted === "number" && actual === "integer");

/** How an error's text names the field. */
const inBody = (path: JsonPath): string => (path.length === 0 ? "" : `${fieldPath(path)} in body `);

class StructuralCheck {
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  value(value: JsonValue, schema: StructuralSchema, path: JsonPath): void {
    if (!this.#type(value, schema, path)) return;
    this.#enum(value, schema, path);
    if (typeof value === "string") this.#text(value, schema, path);
    else if (typeof value === "number" || typeof value === "bigint") this.#number(value, schema, path);
    else if (isArray(value)) this.#list(value, schema, path);
    else if (isObject(value)) this.#object(value, schema, path);
    this.#combined(value, schema, path);
  }

  #invalid(path: JsonPath, value: JsonValue, text: string): void {
    this.#report({ path, type: "Invalid value", value, detail: `${inBody(path)}${text}` });
  }

  #type(value: JsonValue, schema: StructuralSchema, path: JsonPath): boolean {
    const actual = typeOf(value);
    if (value === null && schema.nullable === true) return false;
    const wanted =
      schema["x-kubernetes-int-or-string"] === true ? ["integer", "string"] : schema.type === undefined ? [] : [schema.type];
    if (wanted.length === 0 || wanted.some((type) => isOfType(actual, type))) return true;
    const detail = `${inBody(path)}must be of type ${wanted.join(",")}: "${actual}"`;
    this.#report({ path, type: "Invalid value", wrongType: true, value: actual, detail });
    if (actual === "number" && wanted[0] === "integer" && wanted.length === 1) this.#fraction(value, schema, path);
    return false;
  }

  /** A fraction is a number all the same, and checked as one. */
  #fraction(value: JsonValue, schema: StructuralSchema, path: JsonPath): void {
    this.#ofWhole(path, `Checked value must be of type integer ${formatName(schema)} in ${fieldPath(path)}`);
    if (typeof value === "number") this.#number(value, schema, path);
  }

  #ofWhole(path: JsonPath, detail: string): void {
    this.#report({ path, type: "Invalid value", value: "", ofWhole: true, detail });
  }

  #enum(value: JsonValue, schema: StructuralSchema, path: JsonPath): void {
    if (schema.enum === undefined || schema.enum.some((allowed) => jsonEquals(allowed, value))) return;
    const allowed = schema.enum.map((one) => JSON.stringify(one)).join(", ");
    this.#report({ path, type: "Unsupported value", value, detail: `supported values: ${allowed}` });
  }

  #text(value: string, schema: StructuralSchema, path: JsonPath): void {
    const { minLength, maxLength, pattern, format } = schema;
    const length = Array.from(value).length;
    if (maxLength !== undefined && length > maxLength) {
      this.#report({ path, type: "Too long", detail: `may not be more than ${maxLength} bytes` });
    } else if (minLength !== undefined && length < minLength) {
      this.#invalid(path, value, `should be at least ${minLength} chars long`);
    } else if (pattern !== undefined) {
      const regex = compileRegex(pattern);
      if (regex.ok && !regex.value.test(value)) this.#invalid(path, value, `should match '${pattern}'`);
    }
    if (format !== undefined && !fitsFormat(value, format))
      this.#invalid(path, value, `must be of type ${format}: ${JSON.stringify(value)}`);
  }

  #number(value: number | bigint, schema: StructuralSchema, path: JsonPath): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema;
    if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
      this.#invalid(path, value, `should be less than ${exclusiveMaximum === true ? "" : "or equal to "}${maximum}`);
    }
    if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
      this.#invalid(path, value, `should be greater than ${exclusiveMinimum === true ? "" : "or equal to "}${minimum}`);
    }
    if (multipleOf !== undefined && !Number.isInteger(Number(value) / multipleOf)) {
      this.#invalid(path, value, `should be a multiple of ${multipleOf}`);
    }
    if (typeOf(value) === "integer" && !fitsInteger(value, format)) {
      this.#ofWhole(path, `Checked value must be of type integer ${formatName(schema)} in ${fieldPath(path)}`);
    }
  }

  #list(value: readonly JsonValue[], schema: StructuralSchema, path: JsonPath): void {
    const { minItems, maxItems, items } = schema;
    if (maxItems !== undefined && value.length > maxItems) {
      this.#report({
        path,
        type: "Too many",
        value: value.length,
        detail: `must have at most ${maxItems} ${maxItems === 1 ? "item" : "items"}`,
      });
    }
    if (minItems !== undefined && value.length < minItems) {
      this.#invalid(path, value.length, `should have at least ${minItems} items`);
    }
    if (items === undefined) return;
    for (const [i, item] of value.entries()) this.value(item, items, [...path, i]);
  }

  #object(value: JsonObject, schema: StructuralSchema, path: JsonPath): void {
    const { properties = {}, additionalProperties, required = [], minProperties, maxProperties } = schema;
    const members = Object.entries(value).filter(([, item]) => item !== undefined);
    if (maxProperties !== undefined && members.length > maxProperties) {
      this.#report({
        path,
        type: "Too many",
        value: members.length,
        detail: `must have at most ${maxProperties} ${maxProperties === 1 ? "item" : "items"}`,
      });
    }
    if (minProperties !== undefined && members.length < minProperties) {
      this.#invalid(path, members.length, `should have at least ${minProperties} properties`);
    }
    for (const name of required) {
      if (value[name] === undefined) this.#report({ path: [...path, name], type: "Required value", detail: "" });
    }
    if (schema["x-kubernetes-embedded-resource"] === true) {
      for (const name of ["apiVersion", "kind"]) {
        if (typeof value[name] !== "string" || value[name] === "") {
          this.#report({ path: [...path, name], type: "Required value", detail: "" });
        }
      }
    }
    for (const [name, item] of members) {
      const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      if (typeof inner === "object" && item !== undefined) this.value(item, inner, [...path, name]);
    }
  }

  #combined(value: JsonValue, schema: StructuralSchema, path: JsonPath): void {
    const name = JSON.stringify(fieldPath(path));
    const compound = (detail: string) => this.#ofWhole(path, `${name} ${detail}`);
    for (const part of schema.allOf ?? []) this.value(value, part, path);
    const { anyOf = [], oneOf = [], not } = schema;
    if (anyOf.length > 0) {
      const results = anyOf.map((part) => structuralViolations(value, part, path));
      if (results.every((result) => result.length > 0)) {
        compound("must validate at least one schema (anyOf)");
        this.#nearest(results);
      }
    }
    if (oneOf.length > 0) {
      const results = oneOf.map((part) => structuralViolations(value, part, path));
      const count = results.filter((result) => result.length === 0).length;
      if (count === 0) {
        compound("must validate one and only one schema (oneOf). Found none valid");
        this.#nearest(results);
      }
      if (count > 1) compound(`must validate one and only one schema (oneOf). Found ${count} valid alternatives`);
    }
    if (not !== undefined && structuralViolations(value, not, path).length === 0) compound("must not validate the schema (not)");
  }

  /** Of several alternatives, what is wrong by the one that comes nearest. */
  #nearest(results: readonly (readonly SchemaViolation[])[]): void {
    const nearest = results.reduce((best, result) => (result.length < best.length ? result : best));
    for (const violation of nearest) this.#report(violation);
  }
}

const formatName = ({ format }: StructuralSchema): string =>
  format === "int32" || format === "int64" ? `with format ${format}` : "(default format)";

/** What is wrong with a value by its schema, in the API server's words; unknown fields are not: they are dropped. */
function structuralViolations(value: JsonValue, schema: StructuralSchema, path: JsonPath = []): readonly SchemaViolation[] {
  const found: SchemaViolation[] = [];
  new StructuralCheck((violation) => found.push(violation)).value(value, schema, path);
  return found;
}

/** As {@link structuralViolations}, with the uniqueness that list types ask for. */
export function schemaViolations(value: JsonValue, schema: StructuralSchema): readonly SchemaViolation[] {
  return [...structuralViolations(value, schema), ...duplicates(value, schema, [])];
}
