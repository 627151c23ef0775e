import { parseDuration } from "../../core/duration.ts";
import type { JsonValue } from "../../core/json.ts";
import { parseQuantity } from "../../core/quantity.ts";
import type { Schema } from "../../core/schema.ts";
import { operatorOf, type PatternOperator, splitRange } from "../../policies/kyverno/string-pattern.ts";
import { allOf, anyOf, type CelText, fitsWildcard, NotConvertible, not, primary, quoted, relation } from "./cel-text.ts";

/** What a value is known to be: decides how it is compared. */
type ValueType = "boolean" | "integer" | "string" | "number-or-text" | "unknown";

export function valueTypeOf(schema: Schema | undefined): ValueType {
  if (schema?.["x-kubernetes-int-or-string"] === true || schema?.format === "int-or-string") return "number-or-text";
  if (schema?.oneOf !== undefined) return "number-or-text";
  switch (schema?.type) {
    case "boolean":
    case "string":
      return schema.type;
    case "integer":
      return "integer";
    default:
      return "unknown";
  }
}

type Comparison = Exclude<PatternOperator, "-" | "!-">;

const signs: { readonly [operator in Comparison]: string } = {
  "": "==",
  "!": "!=",
  ">": ">",
  "<": "<",
  ">=": ">=",
  "<=": "<=",
};

const textIn = (value: string, type: ValueType): string => (type === "string" ? value : `string(${value})`);

function textTest(operator: Comparison, operand: string, value: string, type: ValueType): CelText {
  if (operator !== "" && operator !== "!") return primary("false");
  const fits = fitsWildcard(textIn(value, type), operand);
  return operator === "" ? fits : not(fits);
}

/** Compares as Kyverno does: as quantities where both are, else as texts. */
function comparison(operator: Comparison, operand: string, value: string, type: ValueType): CelText {
  if (type === "boolean") {
    if (operand !== "true" && operand !== "false") {
      throw new NotConvertible(`the pattern ${JSON.stringify(operator + operand)} stands for a boolean`);
    }
    if (operator !== "" && operator !== "!") return primary("false");
    return relation(`${value} ${signs[operator]} ${operand}`);
  }
  const isQuantity = parseQuantity(operand) !== undefined;
  const isDuration = parseDuration(operand) !== undefined;
  if (isDuration && !(isQuantity && Number(operand) === 0)) {
    throw new NotConvertible(`the pattern ${JSON.stringify(operator + operand)} compares durations`);
  }
  if (!isQuantity) return textTest(operator, operand, value, type);
  if (type === "integer") {
    if (!/^-?\d+$/.test(operand)) throw new NotConvertible(`the number ${operand} is compared with an integer`);
    return relation(`${value} ${signs[operator]} ${BigInt(operand)}`);
  }
  const text = textIn(value, type);
  const compared = `quantity(${text}).compareTo(quantity(${quoted(operand)})) ${signs[operator]} 0`;
  const otherwise = textTest(operator, operand, value, type);
  if (otherwise.text === "false") return allOf(primary(`isQuantity(${text})`), relation(compared));
  return { text: `isQuantity(${text}) ? ${compared} : ${otherwise.text}`, level: "ternary" };
}

function condition(text: string, value: string, type: ValueType): CelText {
  const operator = operatorOf(text);
  if (operator === "-" || operator === "!-") {
    const [low = "", high = ""] = splitRange(text, operator) ?? [];
    return operator === "-"
      ? allOf(comparison(">=", low, value, type), comparison("<=", high, value, type))
      : anyOf(comparison("<", low, value, type), comparison(">", high, value, type));
  }
  return comparison(operator, text.slice(operator.length).trim(), value, type);
}

function textPattern(pattern: string, value: string, type: ValueType): CelText {
  if (pattern.includes("{{") || pattern.includes("$(")) throw new NotConvertible(`the pattern ${pattern} holds a variable`);
  const alternatives = pattern.split("|").map((alternative) =>
    allOf(
      ...alternative
        .trim()
        .split("&")
        .map((part) => condition(part.trim(), value, type)),
    ),
  );
  const plain = plainTexts(pattern, type);
  if (plain !== undefined && plain.length > 1) return relation(`${value} in [${plain.map(quoted).join(", ")}]`);
  return anyOf(...alternatives);
}

/** The alternatives, where all are texts without wildcards or operators. */
function plainTexts(pattern: string, type: ValueType): readonly string[] | undefined {
  const texts = pattern.split("|").map((text) => text.trim());
  const isPlain = (text: string) =>
    !/[*?&]/.test(text) && operatorOf(text) === "" && parseQuantity(text) === undefined && parseDuration(text) === undefined;
  return type === "string" && texts.every(isPlain) ? texts : undefined;
}

/** Whether a scalar fits a scalar of a pattern. @throws NotConvertible */
export function scalarTest(pattern: JsonValue, value: string, schema: Schema | undefined): CelText {
  const type = valueTypeOf(schema);
  switch (typeof pattern) {
    case "string":
      return textPattern(pattern, value, type);
    case "boolean":
      return relation(`${value} == ${pattern}`);
    case "number":
    case "bigint":
      if (type === "integer") return relation(`${value} == ${pattern}`);
      throw new NotConvertible(`the number ${pattern} of the pattern stands for a value of unknown type`);
    default:
      throw new NotConvertible(`${JSON.stringify(pattern)} in a pattern has no like`);
  }
}
