import type { JsonValue } from "../../../src/core/json.ts";
import { compileConditions } from "../../../src/policies/kyverno/conditions.ts";
import { durationPair } from "../../../src/policies/kyverno/operator-order.ts";
import { operatorByName, operators, replacementsOf } from "../../../src/policies/kyverno/operators.ts";
import { expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { expectEqual, field, item, type RowJudge, type RowJudges, text } from "./row.ts";

/** An operator that does not exist holds for nothing; a policy with one is refused before. */
function apply(name: string, key: JsonValue, value: JsonValue): boolean {
  return operatorByName(name)?.(key, value) ?? false;
}

const host = { now: () => 0, random: () => 0 };

function evaluate(row: JsonValue): Outcome {
  const condition = item(row, 0);
  const spec = { key: field(condition, "RawKey"), operator: field(condition, "Operator"), value: field(condition, "RawValue") };
  const conditions = compileConditions([spec]);
  if (!conditions.ok) return failure(conditions.diagnostics.map((d) => d.message).join("; "));
  return expectEqual(conditions.value({ root: {}, deleting: false, host }).met, item(row, 1));
}

function named(operator: string): RowJudge {
  return (row) => expectEqual(apply(operator, field(row, "key"), field(row, "value")), field(row, "expected"));
}

function inArgs(operator: string): RowJudge {
  return (row) => {
    const args = field(row, "args");
    return expectEqual(apply(operator, field(args, "key"), field(args, "value")), field(row, "want"));
  };
}

const exists: RowJudge = (row) => expectEqual(operatorByName(text(field(row, "op"))) !== undefined, true);

/** An invalid type shows in that neither the operator nor its opposite holds. */
function search(row: JsonValue): Outcome {
  const [key, value] = [field(row, "key"), field(row, "value")];
  const [isIn, isNotIn] = [apply("In", key, value), apply("NotIn", key, value)];
  const found = field(row, "notIn") === true ? isNotIn : isIn;
  const invalid = !isIn && !isNotIn;
  return expectJson({ invalid, found }, { invalid: field(row, "expectInvalid"), found: field(row, "expectKeyExist") });
}

function nanoseconds(value: JsonValue): bigint {
  const pair = typeof value === "string" ? durationPair(value, "1s") : undefined;
  return pair?.[0] ?? BigInt(typeof value === "number" ? value : 0);
}

function durations(row: JsonValue): Outcome {
  const pair = durationPair(field(row, "key"), field(row, "value"));
  const expected = [nanoseconds(field(row, "expectedKey")), nanoseconds(field(row, "expectedValue"))];
  return expectJson(pair?.map(String), expected.map(String));
}

const noDurations: RowJudge = (row) =>
  durationPair(field(row, "key"), field(row, "value")) === undefined ? passed : failure("read as durations");

const judges: RowJudges = {
  "engine_variables/TestEvaluate": evaluate,
  TestAllNotInHandler_Evaluate: inArgs("AllNotIn"),
  TestAnyNotInHandler_Evaluate: inArgs("AnyNotIn"),
  TestCreateOperatorHandler_Equal: exists,
  TestCreateOperatorHandler_NotEqual: exists,
  TestCreateOperatorHandler_InOperators: exists,
  TestCreateOperatorHandler_NumericOperators: exists,
  TestCreateOperatorHandler_DurationOperators: exists,
  TestCreateOperatorHandler_CaseInsensitive: exists,
  TestDurationCompareByCondition: (row) =>
    expectEqual(apply(text(field(row, "condition")), field(row, "key"), field(row, "value")), field(row, "expected")),
  TestDurationOperatorHandler_Evaluate_GreaterThan: named("DurationGreaterThan"),
  TestDurationOperatorHandler_Evaluate_GreaterThanOrEquals: named("DurationGreaterThanOrEquals"),
  TestDurationOperatorHandler_Evaluate_LessThan: named("DurationLessThan"),
  TestDurationOperatorHandler_Evaluate_LessThanOrEquals: named("DurationLessThanOrEquals"),
  TestDurationOperatorHandler_ValidateValueWithFloatPattern: named("DurationGreaterThan"),
  TestDurationOperatorHandler_ValidateValueWithIntPattern: named("DurationGreaterThan"),
  TestDurationOperatorHandler_ValidateValueWithStringPattern: named("DurationGreaterThan"),
  TestEqualHandler_Evaluate: named("Equals"),
  TestEqualHandler_ValidateValueWithBoolPattern: named("Equals"),
  TestEqualHandler_ValidateValueWithFloatPattern: named("Equals"),
  TestEqualHandler_ValidateValueWithIntPattern: named("Equals"),
  TestNotEqualHandler_Evaluate: named("NotEquals"),
  TestInHandler_Evaluate: named("In"),
  TestInHandler_ValidateValueWithStringPattern: named("In"),
  TestInHandler_ValidateValueWithStringSetPattern: named("In"),
  TestIsIn: named("In"),
  TestIsNotIn: named("NotIn"),
  TestKeyExistsInArray: search,
  TestSetExistsInArray: search,
  TestGetDeprecatedOperatorAlternative: (row) =>
    expectJson(replacementsOf(text(field(row, "operator"))), field(row, "expected") ?? []),
  TestIsOperatorDeprecated: (row) => expectEqual(replacementsOf(text(field(row, "operator"))).length > 0, field(row, "expected")),
  TestIsOperatorValid: (row) => expectEqual(Object.hasOwn(operators, text(field(row, "operator"))), field(row, "expected")),
  TestParseDuration_BothStringDurations: durations,
  TestParseDuration_StringDurationWithNumeric: durations,
  TestParseDuration_NeitherIsDuration: noDurations,
  TestParseDuration_InvalidNonDurationFallback: noDurations,
  Test_NumericOperatorHandler_Evaluate: (row) => expectEqual(apply(text(item(row, 1)), item(row, 2), item(row, 3)), item(row, 4)),
};

export const operatorRows: RowJudges = Object.fromEntries(
  Object.entries(judges).map(([name, judge]) => [name.includes("/") ? name : `engine_variables_operator/${name}`, judge]),
);
