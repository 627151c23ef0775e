import { compileRegex } from "../../../../core/regex.ts";
import { divide } from "../../values/arithmetic.ts";
import { equalValues } from "../../values/compare.ts";
import { formatFloat } from "../../values/go-float.ts";
import { formatJson } from "../../values/json.ts";
import { compareNumbers, floatOf, integerOf, isNumber, type NumberValue } from "../../values/number.ts";
import type { RegoObject, Value } from "../../values/value.ts";
import { isArray } from "../operand.ts";
import { textMember } from "./compile.ts";
import { countMember, sizeCheck } from "./containers.ts";
import { hasFormat } from "./formats.ts";
import { type Check, SchemaProblem } from "./result.ts";

/** Keywords for values of any type. */
export function commonChecks(schema: RegoObject): readonly Check[] {
  const checks: Check[] = [];
  const constant = schema.get("const");
  if (constant !== undefined) {
    checks.push((value, path, result) => {
      if (!equalValues(value, constant)) result.fail("const", path, `{field} does not match: ${formatJson(constant)}`);
    });
  }
  const options = schema.get("enum");
  if (options !== undefined) checks.push(enumCheck(options));
  const format = textMember(schema, "format");
  if (format !== undefined) {
    checks.push((value, path, result) => {
      if (typeof value === "string" && !hasFormat(format, value)) {
        result.fail("format", path, `Does not match format '${format}'`);
      }
    });
  }
  return [...checks, (_value, _path, result) => void result.score++];
}

function enumCheck(options: Value): Check {
  if (!isArray(options)) throw new SchemaProblem("enum must be of an array");
  const isRepeated = (option: Value, i: number) => options.slice(0, i).some((other) => equalValues(option, other));
  if (options.some(isRepeated)) throw new SchemaProblem("enum items must be unique");
  const allowed = options.map(formatJson).join(", ");
  return (value, path, result) => {
    if (options.some((option) => equalValues(option, value))) return;
    result.fail("enum", path, `{field} must be one of the following: ${allowed}`);
  };
}

const runes = (value: Value): number => (typeof value === "string" ? Array.from(value).length : 0);

export function stringChecks(schema: RegoObject): readonly Check[] {
  const least = countMember(schema, "minLength");
  const most = countMember(schema, "maxLength");
  if (least !== undefined && most !== undefined && least > most) {
    throw new SchemaProblem("minLength cannot be greater than maxLength");
  }
  const fewer = (n: number) => `String length must be greater than or equal to ${n}`;
  const more = (n: number) => `String length must be less than or equal to ${n}`;
  return [
    ...sizeCheck(least, "string_gte", runes, (size, limit) => size < limit, fewer),
    ...sizeCheck(most, "string_lte", runes, (size, limit) => size > limit, more),
    ...patternCheck(schema),
    (_value, _path, result) => void result.score++,
  ];
}

function patternCheck(schema: RegoObject): readonly Check[] {
  const pattern = textMember(schema, "pattern");
  if (pattern === undefined) return [];
  const regex = compileRegex(pattern);
  if (!regex.ok) throw new SchemaProblem("pattern must be a valid regex");
  return [
    (value, path, result) => {
      if (typeof value !== "string" || regex.value.test(value)) return;
      result.fail("pattern", path, `Does not match pattern '${pattern}'`);
    },
  ];
}

/** Ten digits, as Go prints a big.Float. */
const shown = (value: NumberValue): string => formatFloat(floatOf(value), "g", 10);

function numberMember(schema: RegoObject, keyword: string): NumberValue | undefined {
  const value = schema.get(keyword);
  if (value === undefined || isNumber(value)) return value;
  throw new SchemaProblem(`${keyword} must be of a Number`);
}

/** A bound and, in the words of draft 4 (`true`) or later ones (a number), whether it is excluded. */
function bounds(
  schema: RegoObject,
  keyword: string,
  exclusive: string,
): { readonly bound?: NumberValue; readonly beyond?: NumberValue } {
  const bound = numberMember(schema, keyword);
  const excluded = schema.get(exclusive);
  if (typeof excluded === "boolean") {
    if (bound === undefined) throw new SchemaProblem(`${exclusive} cannot be used without ${keyword}`);
    return excluded ? { beyond: bound } : { bound };
  }
  const beyond = numberMember(schema, exclusive);
  return { ...(bound === undefined ? {} : { bound }), ...(beyond === undefined ? {} : { beyond }) };
}

function boundCheck(
  limit: NumberValue | undefined,
  type: string,
  fails: (order: number) => boolean,
  description: string,
): readonly Check[] {
  if (limit === undefined) return [];
  return [
    (value, path, result) => {
      if (isNumber(value) && fails(compareNumbers(value, limit))) result.fail(type, path, `${description} ${shown(limit)}`);
    },
  ];
}

export function numberChecks(schema: RegoObject): readonly Check[] {
  const high = bounds(schema, "maximum", "exclusiveMaximum");
  const low = bounds(schema, "minimum", "exclusiveMinimum");
  return [
    ...multipleCheck(schema),
    ...boundCheck(high.bound, "number_lte", (order) => order > 0, "Must be less than or equal to"),
    ...boundCheck(high.beyond, "number_lt", (order) => order >= 0, "Must be less than"),
    ...boundCheck(low.bound, "number_gte", (order) => order < 0, "Must be greater than or equal to"),
    ...boundCheck(low.beyond, "number_gt", (order) => order <= 0, "Must be greater than"),
    (_value, _path, result) => void result.score++,
  ];
}

function multipleCheck(schema: RegoObject): readonly Check[] {
  const factor = numberMember(schema, "multipleOf");
  if (factor === undefined) return [];
  if (compareNumbers(factor, 0) <= 0) throw new SchemaProblem("multipleOf must be strictly greater than 0");
  return [
    (value, path, result) => {
      const quotient = isNumber(value) ? divide(value, factor) : undefined;
      if (quotient === undefined || integerOf(quotient) !== undefined) return;
      result.fail("multiple_of", path, `Must be a multiple of ${shown(factor)}`);
    },
  ];
}
