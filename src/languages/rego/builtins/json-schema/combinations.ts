import { RegoObject, type Value } from "../../values/value.ts";
import { isArray } from "../operand.ts";
import type { SchemaCompiler } from "./compile.ts";
import { type Check, SchemaProblem, type SchemaResult, tryCheck } from "./result.ts";

/** The better of two failures: the one that came nearer. */
const nearer = (best: SchemaResult | undefined, other: SchemaResult): SchemaResult =>
  best === undefined || other.score > best.score ? other : best;

/** Keywords that combine schemas, in the order in which they are checked. */
export function combinationChecks(schema: RegoObject, compiler: SchemaCompiler): readonly Check[] {
  const checks: Check[] = [];
  const anyOf = compiler.members(schema, "anyOf");
  if (anyOf.length > 0) checks.push((value, path, result) => checkAnyOf(anyOf, value, path, result));
  const oneOf = compiler.members(schema, "oneOf");
  if (oneOf.length > 0) checks.push((value, path, result) => checkOneOf(oneOf, value, path, result));
  const allOf = compiler.members(schema, "allOf");
  if (allOf.length > 0) checks.push((value, path, result) => checkAllOf(allOf, value, path, result));
  const not = compiler.member(schema, "not");
  if (not !== undefined) {
    checks.push((value, path, result) => {
      if (tryCheck(not, value, path).isValid) result.fail("number_not", path, "Must not validate the schema (not)");
    });
  }
  checks.push(...dependencyChecks(schema, compiler), ...conditionChecks(schema, compiler));
  return [...checks, (_value, _path, result) => void result.score++];
}

function checkAnyOf(options: readonly Check[], value: Value, path: readonly string[], result: SchemaResult): void {
  let best: SchemaResult | undefined;
  for (const option of options) {
    const tried = tryCheck(option, value, path);
    if (tried.isValid) return;
    best = nearer(best, tried);
  }
  result.fail("number_any_of", path, "Must validate at least one schema (anyOf)");
  if (best !== undefined) result.merge(best);
}

function checkOneOf(options: readonly Check[], value: Value, path: readonly string[], result: SchemaResult): void {
  let valid = 0;
  let best: SchemaResult | undefined;
  for (const option of options) {
    const tried = tryCheck(option, value, path);
    if (tried.isValid) valid++;
    else best = nearer(best, tried);
  }
  if (valid === 1) return;
  result.fail("number_one_of", path, "Must validate one and only one schema (oneOf)");
  if (valid === 0 && best !== undefined) result.merge(best);
}

function checkAllOf(parts: readonly Check[], value: Value, path: readonly string[], result: SchemaResult): void {
  const results = parts.map((part) => tryCheck(part, value, path));
  for (const part of results) result.merge(part);
  if (results.every((part) => part.isValid)) return;
  result.fail("number_all_of", path, "Must validate all the schemas (allOf)");
}

function dependencyChecks(schema: RegoObject, compiler: SchemaCompiler): readonly Check[] {
  const dependencies = schema.get("dependencies");
  if (dependencies === undefined) return [];
  if (!(dependencies instanceof RegoObject)) throw new SchemaProblem("dependencies must be of type object");
  return dependencies.sorted().map(({ key, value: dependency }): Check => {
    const needs = isArray(dependency) ? dependency : undefined;
    if (needs === undefined) {
      const check = compiler.compile(dependency);
      return (value, path, result) => {
        if (value instanceof RegoObject && value.has(key)) check(value, path, result);
      };
    }
    return (value, path, result) => {
      if (!(value instanceof RegoObject) || !value.has(key)) return;
      for (const need of needs) {
        if (!value.has(need)) result.fail("missing_dependency", path, `Has a dependency on ${String(need)}`);
      }
    };
  });
}

function conditionChecks(schema: RegoObject, compiler: SchemaCompiler): readonly Check[] {
  const condition = compiler.member(schema, "if");
  const then = compiler.member(schema, "then");
  const otherwise = compiler.member(schema, "else");
  if (condition === undefined) return [];
  return [
    (value, path, result) => {
      const holds = tryCheck(condition, value, path).isValid;
      const branch = holds ? then : otherwise;
      const tried = branch === undefined ? undefined : tryCheck(branch, value, path);
      if (tried === undefined || tried.isValid) return;
      if (holds) result.fail("condition_then", path, 'Must validate "then" as "if" was valid');
      else result.fail("condition_else", path, 'Must validate "else" as "if" was not valid');
      result.merge(tried);
    },
  ];
}
