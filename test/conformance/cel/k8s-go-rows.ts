import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { type Library, overload } from "../../../src/languages/cel/declarations.ts";
import { extendEnvironments } from "../../../src/languages/cel/libraries/kubernetes/environment.ts";
import { type CompiledRule, compileRules } from "../../../src/languages/cel/schema/rules.ts";
import type { CelSchema } from "../../../src/languages/cel/schema/schema.ts";
import {
  formatViolation,
  type RuleResult,
  ruleBudget,
  type ValidateOptions,
  validateRules,
} from "../../../src/languages/cel/schema/validate.ts";
import { compileAll } from "../../../src/languages/cel/schema/validator.ts";
import { stringType } from "../../../src/languages/cel/types.ts";
import { failure, type Outcome, passed, skipped } from "../corpus.ts";
import { callOf, fieldsOf, goName, listOf } from "./go-literal.ts";
import { goObject, goSchema, goText, NotData } from "./go-schema.ts";
import { runAddressCostRow } from "./k8s-address-costs.ts";
import { runBudgetRow, runCompileRow, runCompositionRow, runConditionRow } from "./k8s-admission.ts";
import { environments } from "./k8s-crd.ts";
import { runMatchRow } from "./k8s-matching.ts";
import { runDispatcherRow, runMutatingRow } from "./k8s-policies.ts";
import { runTypeCheckRow } from "./k8s-type-check.ts";
import { runTypedValueRow } from "./k8s-typed-values.ts";

type Runner = (row: JsonObject) => Outcome;

function validate(
  schema: CelSchema,
  object: JsonValue,
  before: JsonValue,
  options: ValidateOptions = {},
  isRoot = true,
): RuleResult {
  const node = compileAll(schema, isRoot, { environments });
  if (node === undefined) throw new Error("compiles to nothing");
  return validateRules(node, object, before, { path: "root", ...options });
}

/** Each message says one of the expected texts, and each text is said. */
function matchTexts(messages: readonly string[], expected: readonly string[]): Outcome {
  const unsaid = new Set(expected);
  for (const message of messages) {
    const said = Array.from(unsaid).find((text) => message.includes(text));
    if (said === undefined) return failure(`unexpected: ${message}`);
    unsaid.delete(said);
  }
  return unsaid.size === 0 ? passed : failure(`nothing says ${Array.from(unsaid).join("; ")}`);
}

const atSchemaLevels: Runner = (row) => {
  const { violations } = validate(goSchema(row["schema"]), goObject(row["obj"]), goObject(row["oldObj"]));
  return matchTexts(violations.map(formatViolation), listOf(row["errors"]).map(String));
};

const optionalOldSelf: Runner = (row) => {
  const schema = goSchema(row["schema"]);
  const rules = (schema["x-kubernetes-validations"] ?? []).map((rule) => ({ ...rule, optionalOldSelf: true }));
  const { violations } = validate(
    { ...schema, "x-kubernetes-validations": rules },
    goObject(row["obj"]),
    goObject(row["oldObj"]),
  );
  return matchTexts(violations.map(formatViolation), listOf(row["errors"]).map(String));
};

const errorTypes: { readonly [name: string]: string } = {
  "field.ErrorTypeForbidden": "Forbidden",
  "field.ErrorTypeInvalid": "Invalid value",
  "field.ErrorTypeDuplicate": "Duplicate value",
  "field.ErrorTypeRequired": "Required value",
};

const reasonAndPath: Runner = (row) => {
  const { violations } = validate(goSchema(row["schema"]), goObject(row["obj"]), null);
  const expected = listOf(row["errors"]).map((error) => {
    const { Type, Field } = fieldsOf(error);
    return `${errorTypes[goName(Type) ?? ""]} ${String(Field)}`;
  });
  const actual = violations.map(({ type, path }) => `${type} ${path}`);
  return JSON.stringify(actual.sort()) === JSON.stringify(expected.sort()) ? passed : failure(actual.join("; "));
};

function messageExpression(value: JsonValue | undefined): string {
  const call = callOf(value);
  if (call === undefined) return String(value);
  const repeated = callOf(call.args[1]);
  if (call.name !== "fmt.Sprintf" || repeated?.name !== "genString") throw new NotData(`${call.name} is not known`);
  return String(call.args[0]).replace("%s", "a".repeat(Number(repeated.args[0])));
}

const messages: Runner = (row) => {
  const budget = goName(row["costBudget"]) === undefined ? Number(row["costBudget"]) : ruleBudget;
  const message = typeof row["message"] === "string" ? { message: row["message"] } : {};
  const rule = { rule: "false", ...message, messageExpression: messageExpression(row["messageExpression"]) };
  const schema: CelSchema = { type: "object", properties: { str: { type: "string" } }, "x-kubernetes-validations": [rule] };
  const limit = row["perCallLimit"] === undefined ? {} : { perCallLimit: Number(row["perCallLimit"]) };
  const result = validate(schema, { str: "a string" }, null, { budget, ...limit }, false);
  const [violation, another] = result.violations;
  if (violation === undefined || another !== undefined) return failure(`${result.violations.length} violations`);
  const expected = row["expectedValidationErr"];
  const said = formatViolation(violation);
  if (expected !== undefined && !said.includes(String(expected))) return failure(said);
  const remaining = row["expectedRemainingBudget"];
  const isRemaining = remaining === undefined || Number(remaining) === result.remainingBudget;
  return isRemaining ? passed : failure(`${result.remainingBudget} left of the budget`);
};

const ratcheting: Runner = (row) => {
  const budget = row["runtimeCostBudget"] === undefined ? {} : { budget: Number(row["runtimeCostBudget"]) };
  const options = { ratcheting: true, ...budget };
  const result = validate(goSchema(row["schema"]), goObject(row["newObj"]), goObject(row["oldObj"]), options, false);
  const violations = result.violations.map(formatViolation);
  const warnings = result.warnings.map(formatViolation);
  const [errors, warned] = [listOf(row["errors"]).map(String), listOf(row["warnings"]).map(String)];
  if (violations.length !== errors.length || warnings.length !== warned.length) {
    return failure(`violations ${violations.join("; ")}, warnings ${warnings.join("; ")}`);
  }
  const missing = errors.find((error) => !violations.some((said) => said.includes(error)));
  const unwarned = warned.find((warning) => !warnings.includes(warning));
  return missing === undefined && unwarned === undefined ? passed : failure(`${missing ?? unwarned} is missing`);
};

/** Rules with what each costs; Go code among them that cannot be evaluated is left out. */
function* expectedCosts(value: JsonValue | undefined): Iterable<readonly [rule: string, cost: JsonValue | undefined]> {
  for (const [rule, cost] of Object.entries(fieldsOf(value))) {
    const number = callOf(cost)?.args[0] ?? cost;
    yield [goText(rule), isObject(number) ? number["$uint64"] : number];
  }
}

const runtimeCosts: Runner = (row) => {
  for (const [rule, expected] of expectedCosts(row["expectCost"])) {
    const schema: CelSchema = { ...goSchema(row["schema"]), "x-kubernetes-validations": [{ rule }] };
    const { violations, remainingBudget } = validate(schema, goObject(row["obj"]), null);
    if (violations[0] !== undefined) return failure(`${rule}: ${formatViolation(violations[0])}`);
    const cost = ruleBudget - remainingBudget;
    if (cost !== expected) return failure(`${rule} costs ${cost}, expected ${String(expected)}`);
  }
  return passed;
};

function compiled(schema: CelSchema, environment = environments, isNew = true): readonly CompiledRule[] {
  const rules = compileRules(schema, (types) => types.declare(schema, "selfType", false), { environments: environment, isNew });
  if (typeof rules === "string") throw new Error(rules);
  return rules;
}

const estimatedCosts: Runner = (row) => {
  for (const [rule, expected] of expectedCosts(row["expectCost"])) {
    const [first] = compiled({ ...goSchema(row["schema"]), "x-kubernetes-validations": [{ rule }] });
    if (first?.error !== undefined) return failure(`${rule}: ${first.error}`);
    const cost = first?.maxCost ?? 0n;
    if (cost !== BigInt(String(expected))) return failure(`${rule} is estimated at ${cost}, expected ${String(expected)}`);
  }
  return passed;
};

const fakeLibrary: Library = {
  name: "fake",
  functions: [
    { name: "fakeFunction", overloads: [overload("fakeFunction", [stringType], stringType, (text) => text.toUpperCase())] },
  ],
};

function expectation(expected: JsonValue | undefined, rule: CompiledRule): string | undefined {
  const call = callOf(expected);
  const [argument] = call?.args ?? [];
  switch (call?.name) {
    case "matchesAll":
      return call.args.map((one) => expectation(one, rule)).find((problem) => problem !== undefined);
    case "noError":
      return rule.error ?? rule.messageError;
    case "transitionRule":
      return rule.usesOldSelf === argument ? undefined : `uses oldSelf: ${rule.usesOldSelf}`;
    case "invalidError":
      return rule.error?.includes(String(argument)) === true ? undefined : `error: ${rule.error}`;
    case "messageExpressionError":
      return rule.messageError?.includes(String(argument)) === true ? undefined : `error of message: ${rule.messageError}`;
    default:
      if (JSON.stringify(expected).includes("program is nil")) return rule.program === undefined ? undefined : "is a program";
      throw new NotData(`${call?.name} is not known`);
  }
}

const compilation: Runner = (row) => {
  const future = extendEnvironments(environments, [{ introduced: 1000, parts: { libraries: [fakeLibrary] } }]);
  const rules = compiled(goSchema(row["input"]), future, row["unmodified"] !== true);
  const expected = row["expectedResults"];
  for (const [i, one] of (isArray(expected) ? expected : []).entries()) {
    const rule = rules[i];
    const problem = rule === undefined ? "no such rule" : expectation(one, rule);
    if (problem !== undefined) return failure(`rule ${i}: ${problem}`);
  }
  return passed;
};

const runners: { readonly [test: string]: Runner } = {
  TestValidationExpressionsAtSchemaLevels: atSchemaLevels,
  TestOptionalOldSelf: optionalOldSelf,
  TestReasonAndFldPath: reasonAndPath,
  TestMessageExpression: messages,
  TestRatcheting: ratcheting,
  TestCelCostStability: runtimeCosts,
  TestCelEstimatedCostStability: estimatedCosts,
  TestCelCompilation: compilation,
  TestCompileValidatingPolicyExpression: runCompileRow,
  TestCondition: runConditionRow,
  TestRuntimeCELCostBudget: runBudgetRow,
  TestCompositedPolicies: runCompositionRow,
  TestIPCost: (row) => runAddressCostRow("ip", row),
  TestCIDRCost: (row) => runAddressCostRow("cidr", row),
  TestMatcher: (row) => runMatchRow(row, true),
  TestCompilation: runMutatingRow,
  TestDispatcher: runDispatcherRow,
  TestToValue: runTypedValueRow,
  TestTypeCheck: runTypeCheckRow,
};

const notData = "the row holds Go code or Go structs";

/** A row of a Go test that holds Go code: run where this file knows the helpers it calls. */
export function runGoRow(row: JsonObject): Outcome {
  const test = String(row["id"]).split("/")[1] ?? "";
  const runner = runners[test];
  const inner = row["row"];
  if (runner === undefined || !isObject(inner)) return skipped(notData);
  try {
    return runner(inner);
  } catch (error) {
    if (error instanceof NotData) return skipped(notData);
    throw error;
  }
}
