import type { JsonObject } from "../../../core/json.ts";
import type { Patched } from "../../../core/json-patch.ts";
import { applyMergeMap } from "../../../core/strategic-merge.ts";
import { MergeError, toSortedMergeMap } from "../../../core/strategic-merge-node.ts";
import { resolveConditions } from "./patch-conditions.ts";

/** Applies a `patchStrategicMerge` in which all variables have been substituted. */
export function applyPatchStrategicMerge(object: JsonObject, patch: JsonObject): Patched {
  // Which of several anchors speaks first depends on their order, and Kyverno's is that of the keys.
  const resolved = toSortedMergeMap(patch);
  try {
    // A patch whose conditions fail still runs as an empty one: a merge also tidies the lists it does not name.
    if (!resolveConditions(resolved, object)) resolved.clear();
  } catch (error) {
    if (error instanceof MergeError) return { ok: false, message: `failed to preProcess rule: ${error.message}` };
    throw error;
  }
  return applyMergeMap(object, resolved);
}
