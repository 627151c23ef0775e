import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { compileMatchCondition } from "./match-condition.ts";

const pods: JsonObject = { user: "ada", groups: ["dev"], resourceAttributes: { verb: "list", resource: "pods" } };
const selected: JsonObject = {
  resourceAttributes: { verb: "list", labelSelector: { requirements: [{ key: "app", operator: "In", values: ["web"] }] } },
};
const raw: JsonObject = { resourceAttributes: { fieldSelector: { rawSelector: "a=b", requirements: [{ key: "a" }] } } };

describe("compileMatchCondition", () => {
  test.each<[string, JsonObject, boolean | string]>([
    ["request.user == 'ada'", pods, true],
    ["'dev' in request.groups", {}, false],
    ["request.uid == '' && has(request.extra)", {}, true],
    ["has(request.resourceAttributes)", { nonResourceAttributes: { path: "/" } }, false],
    ["request.resourceAttributes.namespace == ''", pods, true],
    ["request.resourceAttributes.verb == 'get'", {}, "no such key: resourceAttributes"],
    ["has(request.resourceAttributes.labelSelector)", selected, true],
    ["request.resourceAttributes.?labelSelector.requirements.hasValue()", selected, true],
    ["has(request.resourceAttributes.fieldSelector.requirements)", raw, false],
  ])("%s", (source, review, want) => {
    const condition = compileMatchCondition(source);
    if (!condition.ok) throw new Error(condition.message);
    const match = condition.evaluate(review);
    if (typeof want === "boolean") expect(match).toEqual({ ok: true, matches: want });
    else expect(match).toEqual({ ok: false, message: `cel evaluation error: expression '${source}' resulted in error: ${want}` });
  });

  test.each([
    ["request.user", "must evaluate to bool but got string"],
    ["object.x", "compilation failed: ERROR: <input>:1:1: undeclared reference to 'object' (in container '')\n | object.x\n | ^"],
  ])("%s is refused", (source, message) => expect(compileMatchCondition(source)).toEqual({ ok: false, message }));
});
