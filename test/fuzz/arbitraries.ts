import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";

const scalar: fc.Arbitrary<JsonValue> = fc.constantFrom<JsonValue>("a", "b", "ab", "1", "", 0, 1, 2, true, false, null);
const key = fc.constantFrom("a", "b", "c");

/** Small objects with few keys, so that patterns often fit. */
export const smallValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue; object: JsonValue }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, fc.array(tie("value"), { maxLength: 3 }), tie("object")),
  object: fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
})).object;

const anchored = fc
  .tuple(fc.constantFrom("", "", "", "()", "=()", "X()", "^()", "<()", "+()"), key)
  .map(([anchor, name]) => (anchor === "" ? name : anchor.replace("()", `(${name})`)));
const scalarPattern: fc.Arbitrary<JsonValue> = fc.oneof(
  scalar,
  fc.constantFrom("*", "?*", "a*", "!a", "a|b", "!1", "1 | b", "?"),
);

export const smallPattern: fc.Arbitrary<JsonValue> = fc.letrec<{ pattern: JsonValue; object: JsonValue }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalarPattern,
    fc.array(tie("pattern"), { maxLength: 2 }),
    tie("object"),
  ),
  object: fc.dictionary(anchored, tie("pattern"), { maxKeys: 3, noNullPrototype: true }),
})).object;

const operator = fc.constantFrom(
  ...["Equals", "NotEquals", "AnyIn", "AllIn", "AnyNotIn", "AllNotIn"],
  ...["GreaterThan", "GreaterThanOrEquals", "LessThan", "LessThanOrEquals"],
);
const plainText = fc.constantFrom("a", "b", "ab", "a*", "?", "x-y", "5s", "60s");
const keyItem: fc.Arbitrary<JsonValue> = fc.oneof(plainText, fc.constantFrom<JsonValue>("1", "2", "10", 0, 1, 2, 5));
const conditionKey: fc.Arbitrary<JsonValue> = fc.oneof(
  keyItem,
  fc.array(keyItem, { maxLength: 3 }),
  fc.constantFrom<JsonValue>(null, { a: 1 }),
);
/** Lists and objects are compared whole, texts and numbers by what they mean. */
const conditionValue: fc.Arbitrary<JsonValue> = fc.oneof(
  plainText,
  fc.array(keyItem, { maxLength: 3 }),
  fc.constantFrom<JsonValue>("1-3", "2-2", { a: 1 }, null),
);
const orderValue: fc.Arbitrary<JsonValue> = fc.oneof(plainText, fc.constantFrom<JsonValue>("1", "10", 0, 1, 5, 60, true));
const condition = fc
  .tuple(operator, conditionKey, conditionValue, orderValue)
  .map(([name, key, value, order]): JsonValue => ({ key, operator: name, value: /Than|Equals/.test(name) ? order : value }));
const conditionList = fc.array(condition, { maxLength: 3 });

/** Conditions in each of their forms, without variables. */
export const smallConditions: fc.Arbitrary<JsonValue> = fc.oneof(
  conditionList,
  fc.record({ any: conditionList, all: conditionList }, { requiredKeys: [], noNullPrototype: true }),
);

/** Any JSON at all. */
export const anyJson: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ maxDepth: 4 })
  .map((value): JsonValue => JSON.parse(JSON.stringify(value)));

export const anyObject: fc.Arbitrary<JsonObject> = fc.dictionary(fc.string(), anyJson, { noNullPrototype: true });
