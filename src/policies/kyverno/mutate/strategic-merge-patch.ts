import { isObject, type JsonObject } from "../../../core/json.ts";
import type { Patched } from "../../../core/json-patch.ts";
import { applyMergeNode } from "../../../core/strategic-merge.ts";
import { MergeError, type MergeMap, toMergeNode, toSortedMergeMap } from "../../../core/strategic-merge-node.ts";
import { isTidy } from "../../../core/strategic-merge-tidy.ts";
import { parseAnchor } from "../anchor.ts";
import { resolveConditions } from "./patch-conditions.ts";

/** Applies a `patchStrategicMerge` in which all variables have been substituted. */
export function applyPatchStrategicMerge(object: JsonObject, patch: JsonObject): Patched {
  // Which of several anchors speaks first depends on their order, and Kyverno's is that of the keys.
  const resolved = toSortedMergeMap(patch);
  try {
    if (!resolveConditions(resolved, partFor(resolved, object))) {
      // A patch whose conditions fail still runs as an empty one: a merge also tidies the lists it does not name.
      if (isTidy(object)) return { ok: true, value: object };
      resolved.clear();
    }
  } catch (error) {
    if (error instanceof MergeError) return { ok: false, message: `failed to preProcess rule: ${error.message}` };
    throw error;
  }
  return applyMergeNode(object, resolved);
}

/** The part of an object that a patch speaks of: its conditions look at nothing else. */
function partFor(patch: MergeMap, object: JsonObject): MergeMap {
  const part: MergeMap = new Map();
  for (const [written, asked] of patch) {
    const anchor = parseAnchor(written);
    for (const key of anchor === undefined ? [written] : [written, anchor.key]) {
      const held = Object.hasOwn(object, key) ? object[key] : undefined;
      if (held === undefined) continue;
      const descends = anchor === undefined && asked instanceof Map && isObject(held);
      part.set(key, descends ? partFor(asked, held) : toMergeNode(held));
    }
  }
  return part;
}
