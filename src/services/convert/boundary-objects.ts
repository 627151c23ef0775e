import { isArray, isObject, type JsonValue } from "../../core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { OverlapEnv, OverlapUnit } from "../../engine/overlap/unit.ts";
import { editedObject, tries } from "../../engine/overlap/variants.ts";
import type { ProofObject } from "./prove.ts";

/** More of a sort tell nothing new. */
const maxEdited = 400;
const maxJoined = 60;
const maxLong = 5;
/** Rules that count have small bounds. */
const longList = 6;

/** No API server takes an object without a name, or one of a namespaced kind in no namespace. */
function isPossible(object: KubernetesObject, { resources }: OverlapEnv): boolean {
  const namespaced = resources.byKind(groupOf(object), object.kind)?.namespaced === true;
  return nameOf(object) !== "" && (!namespaced || namespaceOf(object) !== "");
}

/** Items keep names of their own: no API server takes two of one name. */
function renamed(item: JsonValue, index: number): JsonValue {
  return isObject(item) && typeof item["name"] === "string" ? { ...item, name: `${item["name"]}-${index}` } : item;
}

/** The lists of both, one after the other; of everything else the first. */
function joined(a: JsonValue, b: JsonValue): JsonValue {
  if (isArray(a) && isArray(b)) return [...a, ...b.map((item, i) => renamed(item, a.length + i))];
  if (!isObject(a) || !isObject(b)) return a;
  const members = Object.entries(a).map(([key, value]) => {
    const other = b[key];
    return [key, value === undefined || other === undefined ? value : joined(value, other)] as const;
  });
  return { ...b, ...Object.fromEntries(members) };
}

const asObject = (value: JsonValue): readonly KubernetesObject[] => (isKubernetesObject(value) ? [value] : []);

/** Objects with more than one item in their lists: one that a rule accepts beside one that it refuses, and long lists. */
function withLists(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const pairs = objects.slice(0, maxJoined).flatMap((object, i) => {
    const next = objects[i + 1];
    return next === undefined ? [] : asObject(joined(object, next));
  });
  const long = objects.slice(0, maxLong).flatMap((object) => {
    const copies = Array.from({ length: longList - 1 }, (): JsonValue => object);
    return asObject(copies.reduce(joined, object));
  });
  return [...pairs, ...long];
}

/** Objects that the rule itself suggests, of every kind that it is about. */
export function boundaryObjects(unit: OverlapUnit, env: OverlapEnv): readonly ProofObject[] {
  return unit.kinds.flatMap((kind) => {
    const edited = tries(unit, kind, env)
      .slice(0, maxEdited)
      .map((edits) => editedObject(kind, edits, env));
    return [...edited, ...withLists(edited)]
      .filter((object) => isPossible(object, env))
      .map((object): ProofObject => ({ object, source: "boundary" }));
  });
}
