import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../core/json.ts";
import { cloneMergeMap, MergeError, toSortedMergeMap } from "../../../core/strategic-merge-node.ts";
import { ConditionPrograms, resolveConditions } from "./patch-conditions.ts";
import { compilePrecheck } from "./patch-precheck.ts";

const names = ["a", "b", "name"] as const;
const scalar = fc.constantFrom("1", "x", "?*", 1, true, null);
const keys = fc.constantFrom(...names.flatMap((name) => [name, name, `(${name})`, `<(${name})`, `+(${name})`]));

/** Objects and lists of few members, three deep, with keys from `key`. */
const tree = (key: fc.Arbitrary<string>) =>
  fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3, depthSize: "small" }, scalar, tie("object"), tie("list")),
    object: fc.dictionary(key, tie("value"), { maxKeys: 3 }),
    list: fc.array(fc.oneof({ weight: 4, arbitrary: tie("object") }, { weight: 1, arbitrary: scalar }), { maxLength: 2 }),
  })).object as fc.Arbitrary<JsonObject>;

function resolved(patch: JsonObject, object: JsonObject): "holds" | "fails" | "error" {
  try {
    const holds = resolveConditions(cloneMergeMap(toSortedMergeMap(patch)), object, new ConditionPrograms());
    return holds ? "holds" : "fails";
  } catch (error) {
    if (error instanceof MergeError) return "error";
    throw error;
  }
}

test("what the precheck says fails, fails when it is resolved", () => {
  fc.assert(
    fc.property(tree(keys), tree(fc.constantFrom(...names)), (patch, object) => {
      fc.pre(compilePrecheck(toSortedMergeMap(patch))(object));
      expect(resolved(patch, object)).toBe("fails");
    }),
    { numRuns: 3000 },
  );
});

test.each<[string, boolean, JsonObject, JsonObject]>([
  ["a volume is missing", true, { volumes: [{ "<(emptyDir)": {} }] }, { volumes: [{ hostPath: {} }] }],
  ["all volumes are missing", true, { volumes: [{ "<(emptyDir)": {} }] }, {}],
  ["a volume is there", false, { volumes: [{ "<(emptyDir)": {} }] }, { volumes: [{ hostPath: {} }, { emptyDir: {} }] }],
  ["a member is another", true, { metadata: { "(name)": "x" } }, { metadata: { name: "y" } }],
  ["a list before it is none", false, { a: [{}], b: { "(name)": "x" } }, { a: {}, b: {} }],
])("%s: %s", (_, fails, patch, object) => expect(compilePrecheck(toSortedMergeMap(patch))(object)).toBe(fails));
