import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { check, resolveUnchecked } from "../../../src/languages/cel/checker.ts";
import { parse } from "../../../src/languages/cel/parser.ts";
import { compile } from "../../../src/languages/cel/program.ts";
import { formatType } from "../../../src/languages/cel/types.ts";
import { displayValue } from "../../../src/languages/cel/values/format.ts";
import { Failure, type Value } from "../../../src/languages/cel/values/value.ts";
import { failure, type Outcome, passed, skipped } from "../corpus.ts";
import { envOf } from "./spec-env.ts";
import { decodeType, field } from "./spec-types.ts";
import { decodeValue, sameValue } from "./spec-values.ts";

const protobufName =
  /TestAllTypes|NestedTestAllTypes|cel\.expr\.conformance|\bproto\.(?:hasExt|getExt)|google\.protobuf\.(?:Any|\w*Value|Struct|Empty|Duration\{|Timestamp\{)/;

/** Whether a case needs protobuf messages, which Kubernetes objects never are. */
function needsProtobuf(row: JsonObject): boolean {
  const texts: string[] = [];
  const visit = (value: JsonValue | undefined, key: string): boolean => {
    if (/^(?:object_?[vV]alue|enum_?[vV]alue|message_?[tT]ype)$/.test(key)) return true;
    if (typeof value === "string") texts.push(value);
    if (isArray(value)) return value.some((item) => visit(item, key));
    return isObject(value) && Object.entries(value).some(([name, member]) => visit(member, name));
  };
  if (visit(row, "") || row["container"] === "google.protobuf") return true;
  return texts.some((text) => protobufName.test(text));
}

/** The variables of a case by name; undefined where one is of a message type. */
function bindingsOf(row: JsonObject): { readonly [name: string]: Value } | undefined {
  const bindings = field(row, "bindings");
  const pairs: [string, JsonValue | undefined][] = [];
  if (isArray(bindings)) for (const item of bindings) pairs.push([String(field(item, "key")), field(item, "value")]);
  else if (isObject(bindings) && typeof bindings["key"] === "string") pairs.push([bindings["key"], bindings["value"]]);
  else if (isObject(bindings)) pairs.push(...Object.entries(bindings));
  const values: [string, Value][] = [];
  for (const [name, expr] of pairs) {
    const value = decodeValue(field(expr, "value"));
    if (value === undefined) return undefined;
    values.push([name, value]);
  }
  return Object.fromEntries(values);
}

/** Runs one cel.expr.conformance.test.SimpleTest. */
export function runSpecCase(row: JsonObject): Outcome {
  if (needsProtobuf(row)) return skipped("needs protobuf messages");
  const env = envOf(row);
  const expectsError = field(row, "evalError") !== undefined;
  const parsed = parse(String(row["expr"]), env.syntax);
  if (!parsed.ok) return expectsError ? passed : failure(`does not parse: ${parsed.issues[0]?.message}`);
  const checked = field(row, "disableCheck") === true ? undefined : check(parsed.value, env);
  if (checked?.ok === false) return expectsError ? passed : failure(`does not check: ${checked.issues[0]?.message}`);
  const typed = checked?.value ?? resolveUnchecked(parsed.value, env);
  const typedResult = field(row, "typedResult");
  if (typedResult !== undefined) {
    const [actual, expected] = [formatType(typed.resultType), formatType(decodeType(field(typedResult, "deducedType")))];
    if (actual !== expected) return failure(`has type ${actual}, expected ${expected}`);
  }
  if (field(row, "checkOnly") === true) return passed;
  const variables = bindingsOf(row);
  if (variables === undefined) return skipped("needs protobuf messages");
  const program = compile(typed, env);
  if (!program.ok) return expectsError ? passed : failure(`is no program: ${program.issues[0]?.message}`);
  const { value } = program.value.evaluate(variables);
  if (expectsError) return value instanceof Failure ? passed : failure(`got ${displayValue(value)}, expected an error`);
  const expected = field(row, "value") ?? field(typedResult, "result") ?? { bool_value: true };
  if (sameValue(value, decodeValue(expected))) return passed;
  return failure(`got ${displayValue(value)}, expected ${JSON.stringify(expected)}`);
}
