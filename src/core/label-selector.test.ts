import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "./json.ts";
import { compileLabelSelector, type Labels } from "./label-selector.ts";

const selects = (selector: JsonValue, labels: Labels, wildcards = false): boolean => {
  const compiled = compileLabelSelector(selector, { wildcards });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.matches(labels);
};

const expression = (key: string, operator: string, values?: readonly string[]): JsonValue => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
});

describe("a selector", () => {
  test.each<[string, JsonValue, Labels, boolean]>([
    ["empty selects everything", {}, {}, true],
    ["matchLabels want the value", { matchLabels: { app: "a" } }, { app: "a" }, true],
    ["matchLabels refuse another value", { matchLabels: { app: "a" } }, { app: "b" }, false],
    ["all matchLabels have to hold", { matchLabels: { app: "a", b: "c" } }, { app: "a" }, false],
    ["an empty value is a value", { matchLabels: { app: "" } }, { app: "" }, true],
    ["In wants one of the values", expression("app", "In", ["a", "b"]), { app: "b" }, true],
    ["In wants the label", expression("app", "In", ["a"]), {}, false],
    ["NotIn holds without the label", expression("app", "NotIn", ["a"]), {}, true],
    ["NotIn refuses the value", expression("app", "NotIn", ["a"]), { app: "a" }, false],
    ["Exists wants the label", expression("example.com/app", "Exists"), { "example.com/app": "" }, true],
    ["DoesNotExist refuses it", expression("app", "DoesNotExist"), { app: "x" }, false],
    ["nulls are absent", { matchLabels: null, matchExpressions: null }, {}, true],
  ])("%s", (_, selector, labels, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });

  test.each<[string, JsonValue, Labels, boolean]>([
    ["in a value", { matchLabels: { app: "web-*" } }, { app: "web-1" }, true],
    ["in a key", { matchLabels: { "example.com/*": "?" } }, { "example.com/tier": "a" }, true],
    ["key and value belong together", { matchLabels: { "a*": "x" } }, { ab: "y", b: "x" }, false],
    ["that match no label", { matchLabels: { "a*": "*" } }, {}, false],
  ])("takes wildcards %s", (_, selector, labels, expected) => {
    expect(selects(selector, labels, true)).toBe(expected);
  });
});

test.each<[string, JsonValue, string]>([
  ["no object", "app=a", "must be an object"],
  ["a key of the wrong form", { matchLabels: { "a b": "c" } }, '"a b" is not a label key'],
  ["a wildcard where none is allowed", { matchLabels: { app: "a*" } }, '"a*" is not a label value'],
  ["a number", { matchLabels: { app: 1 } }, "must be a string"],
  ["In without values", expression("app", "In"), "In needs values"],
  ["Exists with values", expression("app", "Exists", ["a"]), "takes no values"],
  ["an unknown operator", expression("app", "Is", ["a"]), '"Is" is not one of'],
  ["a prefix that is no domain", expression("Example/app", "Exists"), "is not a label key"],
])("%s is refused", (_, selector, message) => {
  const compiled = compileLabelSelector(selector);
  expect(compiled.ok).toBe(false);
  expect(compiled.ok ? [] : compiled.problems.map((p) => p.message).join()).toContain(message);
});

const label = fc.constantFrom("a", "b", "c");
const labelSet = fc.dictionary(label, label, { noNullPrototype: true });

test("In and NotIn, Exists and DoesNotExist are opposites", () => {
  fc.assert(
    fc.property(label, fc.uniqueArray(label, { minLength: 1 }), labelSet, (key, values, labels) => {
      expect(selects(expression(key, "In", values), labels)).toBe(!selects(expression(key, "NotIn", values), labels));
      expect(selects(expression(key, "Exists"), labels)).toBe(!selects(expression(key, "DoesNotExist"), labels));
    }),
  );
});
