import { compileRegex } from "../../../../core/regex.ts";
import { keyText } from "../../values/json.ts";
import { type MapKey, mapKey } from "../../values/map-key.ts";
import { indexOf, isNumber } from "../../values/number.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import { isArray } from "../operand.ts";
import { type SchemaCompiler, wrongType } from "./compile.ts";
import { type Check, SchemaProblem, type SchemaResult, tryCheck } from "./result.ts";

/** A count under a keyword. @throws SchemaProblem */
export function countMember(schema: RegoObject, keyword: string): number | undefined {
  const value = schema.get(keyword);
  if (value === undefined) return undefined;
  const count = isNumber(value) ? indexOf(value) : undefined;
  if (count === undefined) throw new SchemaProblem(`${keyword} must be of an integer`);
  if (count < 0) throw new SchemaProblem(`${keyword} must be greater than or equal to 0`);
  return count;
}

/** At least, or at most, a number of what `size` counts. */
export function sizeCheck(
  limit: number | undefined,
  type: string,
  size: (value: Value) => number,
  fails: (size: number, limit: number) => boolean,
  description: (limit: number) => string,
): readonly Check[] {
  if (limit === undefined) return [];
  return [
    (value, path, result) => {
      if (fails(size(value), limit)) result.fail(type, path, description(limit));
    },
  ];
}

const less = (size: number, limit: number): boolean => size < limit;
const more = (size: number, limit: number): boolean => size > limit;
const lengthOf = (value: Value): number => (isArray(value) ? value.length : 0);
const membersOf = (value: Value): number => (value instanceof RegoObject ? value.size : 0);
const score: Check = (_value, _path, result) => void result.score++;

export function arrayChecks(schema: RegoObject, compiler: SchemaCompiler): readonly Check[] {
  const contains = compiler.member(schema, "contains");
  return [
    ...itemChecks(schema, compiler),
    ...sizeCheck(
      countMember(schema, "minItems"),
      "array_min_items",
      lengthOf,
      less,
      (n) => `Array must have at least ${n} items`,
    ),
    ...sizeCheck(countMember(schema, "maxItems"), "array_max_items", lengthOf, more, (n) => `Array must have at most ${n} items`),
    ...(schema.get("uniqueItems") === true ? [uniqueCheck] : []),
    ...(contains === undefined ? [] : [containsCheck(contains)]),
    score,
  ];
}

function itemChecks(schema: RegoObject, compiler: SchemaCompiler): readonly Check[] {
  const items = schema.get("items");
  const additional = schema.get("additionalItems");
  const rest = additional === undefined || typeof additional === "boolean" ? undefined : compiler.compile(additional);
  if (items === undefined) return [];
  if (!isArray(items)) {
    const each = compiler.compile(items);
    return [
      (value, path, result) => {
        if (isArray(value)) for (const [i, item] of value.entries()) result.merge(tryCheck(each, item, [...path, String(i)]));
      },
    ];
  }
  const places = items.map((item) => compiler.compile(item));
  return [
    (value, path, result) => {
      if (!isArray(value) || places.length === 0) return;
      for (const [i, item] of value.entries()) {
        const check = places[i] ?? rest;
        if (check !== undefined) result.merge(tryCheck(check, item, [...path, String(i)]));
      }
      if (value.length > places.length && additional === false) {
        result.fail("array_no_additional_items", path, "No additional items allowed on array");
      }
    },
  ];
}

const uniqueCheck: Check = (value, path, result) => {
  const seen = new Map<MapKey, number>();
  for (const [j, item] of (isArray(value) ? value : []).entries()) {
    const i = seen.get(mapKey(item));
    if (i !== undefined) result.fail("unique", path, `array items[${i},${j}] must be unique`);
    seen.set(mapKey(item), j);
  }
};

function containsCheck(contains: Check): Check {
  return (value, path, result) => {
    let best: SchemaResult | undefined;
    for (const [i, item] of (isArray(value) ? value : []).entries()) {
      const tried = tryCheck(contains, item, [...path, String(i)]);
      if (tried.isValid) return;
      if (best === undefined || tried.score > best.score) best = tried;
    }
    result.fail("contains", path, "At least one of the items must match");
    if (best !== undefined) result.merge(best);
  };
}

export function objectChecks(schema: RegoObject, compiler: SchemaCompiler): readonly Check[] {
  const names = compiler.member(schema, "propertyNames");
  const properties = propertiesOf(schema, compiler);
  return [
    ...sizeCheck(
      countMember(schema, "minProperties"),
      "array_min_properties",
      membersOf,
      less,
      (n) => `Must have at least ${n} properties`,
    ),
    ...sizeCheck(
      countMember(schema, "maxProperties"),
      "array_max_properties",
      membersOf,
      more,
      (n) => `Must have at most ${n} properties`,
    ),
    requiredCheck(schema),
    additionalCheck(schema, compiler, new Set(properties.map(([name]) => name))),
    ...(names === undefined ? [] : [nameCheck(names)]),
    score,
    (value, path, result) => {
      if (!(value instanceof RegoObject)) return;
      for (const [name, check] of properties) {
        const member = value.get(name);
        if (member !== undefined) check(member, [...path, name], result);
      }
    },
  ];
}

function propertiesOf(schema: RegoObject, compiler: SchemaCompiler): readonly (readonly [string, Check])[] {
  const properties = schema.get("properties");
  if (properties === undefined) return [];
  if (!(properties instanceof RegoObject)) throw new SchemaProblem("properties must be of type object");
  return properties.sorted().map(({ key, value }) => [keyText(key), compiler.compile(value)]);
}

function requiredCheck(schema: RegoObject): Check {
  const required = schema.get("required") ?? [];
  if (!isArray(required)) throw new SchemaProblem("required must be of an array");
  const names: string[] = [];
  for (const name of required) {
    if (typeof name !== "string") throw wrongType("string", "required");
    if (names.includes(name)) throw new SchemaProblem("required items must be unique");
    names.push(name);
  }
  return (value, path, result) => {
    if (!(value instanceof RegoObject)) return;
    for (const name of names) {
      if (value.has(name)) result.score++;
      else result.fail("required", path, `${name} is required`);
    }
  };
}

/** Members that `properties` does not name: those that a pattern fits, and the others. */
function additionalCheck(schema: RegoObject, compiler: SchemaCompiler, known: ReadonlySet<string>): Check {
  const patterns = patternsOf(schema, compiler);
  const additional = schema.get("additionalProperties");
  const rest = additional === undefined || typeof additional === "boolean" ? undefined : compiler.compile(additional);
  return (value, path, result) => {
    if (!(value instanceof RegoObject)) return;
    for (const { key, value: member } of value.sorted()) {
      const name = keyText(key);
      const fitting = patterns.filter(({ test }) => test(name));
      for (const { check } of fitting) result.merge(tryCheck(check, member, [...path, name]));
      if (fitting.length > 0) result.score++;
      if (known.has(name) || fitting.length > 0) continue;
      if (additional === false) {
        result.fail("additional_property_not_allowed", path, `Additional property ${name} is not allowed`);
      } else if (rest !== undefined) result.merge(tryCheck(rest, member, [...path, name]));
    }
  };
}

interface PatternCheck {
  readonly test: (name: string) => boolean;
  readonly check: Check;
}

function patternsOf(schema: RegoObject, compiler: SchemaCompiler): readonly PatternCheck[] {
  const patterns = schema.get("patternProperties");
  if (patterns === undefined) return [];
  if (!(patterns instanceof RegoObject)) throw wrongType("valid schema", "patternProperties");
  return patterns.sorted().map(({ key, value }) => {
    const regex = compileRegex(keyText(key));
    if (!regex.ok) throw new SchemaProblem(`Invalid regex pattern '${keyText(key)}'`);
    return { test: (name) => regex.value.test(name), check: compiler.compile(value) };
  });
}

function nameCheck(names: Check): Check {
  return (value, path, result) => {
    if (!(value instanceof RegoObject)) return;
    for (const { key } of value.sorted()) {
      const tried = tryCheck(names, keyText(key), path);
      if (tried.isValid) continue;
      result.fail("invalid_property_name", path, `Property name of "${keyText(key)}" does not match`);
      result.merge(tried);
    }
  };
}
