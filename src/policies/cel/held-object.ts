import { isArray, isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { groupOf, type KubernetesObject } from "../../core/kubernetes.ts";
import type { RuleContext } from "../policy.ts";

/** Of Roles and EndpointSlices: written even where they are empty, and then as null. */
const alwaysThere: ReadonlySet<string> = new Set(["rules", "endpoints"]);

/**
 * An object from a file as the API server would hold it, and show it to expressions: it reads objects of its own kinds into
 * Go structs, where a member that is null is one that is not there.
 */
export function heldObject(object: KubernetesObject | undefined, { action, resources }: RuleContext): JsonObject | undefined {
  const isWritten = action.channel === "scan" && object !== undefined;
  if (!isWritten || resources.schemas?.builtInGroups().has(groupOf(object)) !== true) return object;
  return hasNull(object) ? withoutNulls(object, alwaysThere) : object;
}

function hasNull(value: JsonValue | undefined): boolean {
  if (typeof value !== "object") return false;
  if (value === null) return true;
  if (isArray(value)) return value.some(hasNull);
  for (const name of Object.keys(value)) if (hasNull(value[name])) return true;
  return false;
}

function withoutNulls(object: JsonObject, kept?: ReadonlySet<string>): JsonObject {
  const held: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    if (value !== null || kept?.has(name) === true) held.push([name, inside(value)]);
    // No pointer there: it is written, empty, whatever was read.
    else if (name === "metadata") held.push([name, {}]);
  }
  return Object.fromEntries(held);
}

/** Items keep their places, so that paths stay what they are. */
function inside(value: JsonValue): JsonValue {
  if (isArray(value)) return value.map(inside);
  return isObject(value) ? withoutNulls(value) : value;
}
