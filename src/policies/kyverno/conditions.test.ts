import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { smallConditions } from "../../../test/fuzz/arbitraries.ts";
import { referenceMet } from "../../../test/fuzz/reference-conditions.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { type ConditionResult, compileConditions, compileOwnConditions } from "./conditions.ts";
import { VariableError, type VariableScope } from "./variables.ts";

function scope(root: JsonObject = {}): VariableScope {
  return { root, deleting: false, host: { now: () => 0, random: () => 0 } };
}

function evaluate(conditions: JsonValue, root: JsonObject = {}): ConditionResult {
  const compiled = compileConditions(conditions);
  if (!compiled.ok) throw new Error(compiled.diagnostics.map((d) => d.message).join("; "));
  return compiled.value(scope(root));
}

const yes = (message?: string): JsonObject => ({
  key: "a",
  operator: "Equals",
  value: "a",
  ...(message === undefined ? {} : { message }),
});
const no = (message?: string): JsonObject => ({ ...yes(message), value: "b" });

test.each<readonly [JsonValue, boolean]>([
  [{ any: [] }, true],
  [{ any: [], all: [no()] }, false],
  [{ any: [no()] }, false],
  [{}, true],
])("conditions of an exception or a cleanup policy: %j", (conditions, met) => {
  const compiled = compileOwnConditions(conditions);
  expect(compiled.ok && compiled.value(scope()).met).toBe(met);
});

describe("conditions", () => {
  test.each<readonly [string, JsonValue, boolean]>([
    ["nothing holds", null, true],
    ["an old list: all", [yes(), yes()], true],
    ["an old list with one that does not hold", [yes(), no()], false],
    ["an empty list", [], true],
    ["any", { any: [no(), yes()] }, true],
    ["an empty any never holds", { any: [] }, false],
    ["all", { all: [yes(), no()] }, false],
    ["any and all", { any: [yes()], all: [yes()] }, true],
    ["any and not all", { any: [yes()], all: [no()] }, false],
    ["a list of any and all", [{ any: [yes()] }, { all: [yes()] }], true],
    ["a list of any and all, one of which does not hold", [{ any: [yes()] }, { all: [no()] }], false],
  ])("%s", (_, conditions, met) => {
    expect(evaluate(conditions).met).toBe(met);
  });

  test("messages of the conditions that decided", () => {
    expect(evaluate({ any: [no("1"), yes("2"), yes("3")], all: [yes("4"), yes()] })).toEqual({ met: true, message: "2; 4" });
    expect(evaluate({ any: [no("1"), no("2")], all: [yes("3"), no("4"), no("5")] })).toEqual({ met: false, message: "1; 2; 4" });
    expect(evaluate([yes("1"), yes("2")])).toEqual({ met: true, message: "1;2" });
    expect(evaluate([yes("1"), no("2")])).toEqual({ met: false, message: "2" });
  });

  test("variables are resolved when asked, and only then", () => {
    const lazy = {
      get never(): JsonValue {
        throw new Error("must not be read");
      },
      name: "a",
    };
    const conditions = {
      any: [
        { key: "{{ name }}", operator: "Equals", value: "a" },
        { key: "{{ never }}", operator: "Equals", value: "" },
      ],
    };
    expect(evaluate(conditions, lazy).met).toBe(true);
  });

  test("a variable that cannot be resolved is an error, as in Kyverno", () => {
    const missing = [{ key: "{{ request.object.x }}", operator: "Equals", value: "a" }];
    expect(() => evaluate(missing, { request: { object: {} } })).toThrow(VariableError);
    expect(() => evaluate(missing, { request: { object: {} } })).toThrow('Unknown key "x" in path');
    expect(
      evaluate([{ key: "{{ request.object.x || '' }}", operator: "Equals", value: "" }], { request: { object: {} } }).met,
    ).toBe(true);
  });

  test.each([
    ["x", "must be an object or a list, not x"],
    [{ some: [] }, 'conditions have no field "some"'],
    [{ any: {} }, "any and all are lists of conditions"],
    [["x"], "a condition must be an object, not x"],
    [[{ key: "a", operator: "Is", value: "a" }], 'operator "Is" does not exist'],
    [[{ key: "a", operator: "Equals", values: "a" }], 'a condition has no field "values"'],
    [[{ key: "{{ a( }}", operator: "Equals", value: "a" }], "expected an expression"],
  ])("%j is refused", (conditions, message) => {
    const compiled = compileConditions(conditions);
    expect(compiled.ok).toBe(false);
    expect(compiled.diagnostics.map((d) => d.message).join()).toContain(message);
  });

  test("deprecated operators work, with a warning", () => {
    const compiled = compileConditions([{ key: "a", operator: "In", value: ["a"] }]);
    expect(compiled.ok && compiled.value(scope()).met).toBe(true);
    expect(compiled.diagnostics.map((d) => [d.severity, d.message])).toEqual([
      ["warning", "operator In is deprecated, use AllIn or AnyIn"],
    ]);
  });

  test("agrees with a slow and plain reading of the rules", () => {
    fc.assert(
      fc.property(smallConditions, (conditions) => {
        expect(evaluate(conditions).met).toBe(referenceMet(conditions));
      }),
      { numRuns: 3000 },
    );
  });
});
