import type { JsonObject } from "../../../core/json.ts";
import type { Patched } from "../../../core/json-patch.ts";
import { applyMergeMap } from "../../../core/strategic-merge.ts";
import { cloneMergeMap, MergeError, toSortedMergeMap } from "../../../core/strategic-merge-node.ts";
import { isTidyObject } from "../../../core/strategic-merge-tidy.ts";
import { ConditionPrograms, resolveConditions } from "./patch-conditions.ts";

/** A patch, ready for any number of objects. Answers the object itself where nothing changes. */
export type StrategicMergePatch = (object: JsonObject) => Patched;

/** Prepares a `patchStrategicMerge` in which all variables have been substituted. */
export function compileStrategicMergePatch(patch: JsonObject): StrategicMergePatch {
  // Which of several anchors speaks first depends on their order, and Kyverno's is that of the keys.
  const sorted = toSortedMergeMap(patch);
  const programs = new ConditionPrograms();
  return (object) => {
    const resolved = cloneMergeMap(sorted);
    try {
      // A patch whose conditions fail still runs as an empty one: a merge also tidies the lists it does not name.
      if (!resolveConditions(resolved, object, programs)) {
        if (isTidyObject(object)) return { ok: true, value: object };
        resolved.clear();
      }
    } catch (error) {
      if (error instanceof MergeError) return { ok: false, message: `failed to preProcess rule: ${error.message}` };
      throw error;
    }
    return applyMergeMap(object, resolved);
  };
}
