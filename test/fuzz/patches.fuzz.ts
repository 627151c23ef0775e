import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isObject, jsonEquals } from "../../src/core/json.ts";
import { diffJson } from "../../src/core/json-diff.ts";
import { applyJsonPatch, parseJsonPatch } from "../../src/core/json-patch.ts";
import { applyStrategicMerge } from "../../src/core/strategic-merge.ts";
import { compileStrategicMergePatch } from "../../src/policies/kyverno/mutate/strategic-merge-patch.ts";
import { anyJson, smallPattern, smallValue } from "./arbitraries.ts";
import { fuzzSuite } from "./fuzz.ts";

function assertEqual(actual: JsonValue | undefined, expected: JsonValue | undefined, what: string): void {
  if (!jsonEquals(actual, expected)) throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
}

const pointer = fc
  .array(fc.constantFrom("a", "b", "c", "0", "1", "-", "-1", "~1", "x/y", "01"), { maxLength: 4 })
  .map((tokens) => tokens.map((token) => `/${token}`).join(""));
const operation = fc.record(
  {
    op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "jump"),
    path: pointer,
    from: pointer,
    value: smallValue,
  },
  { requiredKeys: ["op"], noNullPrototype: true },
);

const name = fc.constantFrom("a", "b", "c", "d");
const item = fc.record({ image: fc.constantFrom("x", "y"), tty: fc.boolean() }, { requiredKeys: [], noNullPrototype: true });
/** Containers that all have a name of their own. */
const containers = fc
  .uniqueArray(fc.tuple(name, item), { selector: ([n]) => n, maxLength: 4 })
  .map((pairs) => pairs.map(([n, rest]): JsonObject => ({ name: n, ...rest })));
const pod = (list: readonly JsonObject[]): JsonObject => ({ apiVersion: "v1", kind: "Pod", spec: { containers: list } });

/** What a merge of named lists means, written down: items of the patch first, each over its namesake; then the others. */
function mergedByName(ours: readonly JsonObject[], theirs: readonly JsonObject[]): readonly JsonObject[] {
  const changed = theirs.map((their) => ({ ...ours.find((our) => our["name"] === their["name"]), ...their }));
  return [...changed, ...ours.filter((our) => !theirs.some((their) => their["name"] === our["name"]))];
}

fuzzSuite({
  "a JSON patch applies or says why not, and leaves the document alone": (limits) =>
    fc.assert(
      fc.property(smallValue, fc.array(operation, { maxLength: 3 }), fc.boolean(), (document, operations, lenient) => {
        const before = structuredClone(document);
        const parsed = parseJsonPatch(operations);
        if (parsed.ok) applyJsonPatch(document, parsed.patch, { lenient });
        assertEqual(document, before, "the document");
      }),
      limits,
    ),
  "a difference leads from one document to the other": (limits) =>
    fc.assert(
      fc.property(fc.oneof(fc.tuple(smallValue, smallValue), fc.tuple(anyJson, anyJson)), ([before, after]) => {
        const patched = applyJsonPatch(before, diffJson(before, after));
        assertEqual(patched.ok ? patched.value : patched.message, after, "the patched document");
      }),
      limits,
    ),
  "named items merge as written down": (limits) =>
    fc.assert(
      fc.property(containers, containers, (ours, theirs) => {
        const merged = applyStrategicMerge(pod(ours), { spec: { containers: theirs } });
        assertEqual(merged.ok ? merged.value : merged.message, pod(mergedByName(ours, theirs)), "the merged pod");
      }),
      limits,
    ),
  "a patch with anchors applies or says why not, and leaves object and patch alone": (limits) =>
    fc.assert(
      fc.property(smallValue, smallPattern, (spec, patch) => {
        const object = { apiVersion: "v1", kind: "Pod", spec: { containers: [spec] }, metadata: spec };
        const asked = { spec: { containers: [patch] }, metadata: patch };
        const before = structuredClone([object, asked]);
        const patched = compileStrategicMergePatch(asked)(object);
        if (patched.ok && !isObject(patched.value)) throw new Error("the patched object is none");
        assertEqual([object, asked], before, "what was given");
      }),
      limits,
    ),
});
