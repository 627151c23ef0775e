import type { JsonObject } from "../../../core/json.ts";
import type { Patched } from "../../../core/json-patch.ts";
import { applyMergeMap } from "../../../core/strategic-merge.ts";
import { cloneMergeMap, MergeError, toSortedMergeMap } from "../../../core/strategic-merge-node.ts";
import { ConditionPrograms, resolveConditions } from "./patch-conditions.ts";
import { compilePrecheck } from "./patch-precheck.ts";

/** A patch, ready for any number of objects. Answers the object itself where nothing changes. */
export type StrategicMergePatch = (object: JsonObject) => Patched;

/** Prepares a `patchStrategicMerge` in which all variables have been substituted. */
export function compileStrategicMergePatch(patch: JsonObject): StrategicMergePatch {
  // Which of several anchors speaks first depends on their order, and Kyverno's is that of the keys.
  const sorted = toSortedMergeMap(patch);
  const programs = new ConditionPrograms();
  const fails = compilePrecheck(sorted);
  return (object) => {
    // A patch whose conditions fail still runs as an empty one: a merge also tidies the lists it does not name.
    if (fails(object)) return applyMergeMap(object, new Map());
    const resolved = cloneMergeMap(sorted);
    try {
      if (!resolveConditions(resolved, object, programs)) resolved.clear();
    } catch (error) {
      if (error instanceof MergeError) return { ok: false, message: `failed to preProcess rule: ${error.message}` };
      throw error;
    }
    return applyMergeMap(object, resolved);
  };
}
