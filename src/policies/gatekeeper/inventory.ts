import { type Facts, type ObjectsNeed, requireFact } from "../../core/facts.ts";
import { isArray, type JsonValue } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { RegoObject, type Value } from "../../languages/rego/values/value.ts";
import { reviewValue } from "./review-value.ts";
import type { SyncedKind } from "./world.ts";

type Names = { [name: string]: KubernetesObject };
type Kinds = { [kind: string]: Names };
type Versions = { [apiVersion: string]: Kinds };

/** The member of that name, made where there is none; names are the cluster's, so inherited ones do not count. */
function branch<T extends object>(of: { [name: string]: T }, name: string, fresh: T): T {
  const known = Object.hasOwn(of, name) ? of[name] : undefined;
  if (known !== undefined) return known;
  Object.defineProperty(of, name, { value: fresh, enumerable: true, configurable: true, writable: true });
  return fresh;
}

function put(versions: Versions, object: KubernetesObject): void {
  const names = branch(branch<Kinds>(versions, object.apiVersion, {}), object.kind, {});
  Object.defineProperty(names, nameOf(object), { value: object, enumerable: true, configurable: true, writable: true });
}

function mapped<T>(of: { readonly [name: string]: T }, value: (part: T) => Value): RegoObject {
  return RegoObject.of(Object.entries(of).map(([name, part]) => [name, value(part)]));
}

const versionsValue = (versions: Versions): RegoObject =>
  mapped(versions, (kinds) => mapped(kinds, (names) => mapped(names, reviewValue)));

/** `data.inventory`: `cluster[apiVersion][kind][name]` and `namespace[namespace][apiVersion][kind][name]`. */
export function inventoryOf(objects: readonly KubernetesObject[]): RegoObject {
  const cluster: Versions = {};
  const namespaces: { [name: string]: Versions } = {};
  for (const object of objects) {
    const namespace = namespaceOf(object);
    put(namespace === "" ? cluster : branch<Versions>(namespaces, namespace, {}), object);
  }
  return RegoObject.of([
    ...(Object.keys(cluster).length === 0 ? [] : [["cluster", versionsValue(cluster)] as const]),
    ...(Object.keys(namespaces).length === 0 ? [] : [["namespace", mapped(namespaces, versionsValue)] as const]),
  ]);
}

function needFor({ group, version, kind }: SyncedKind): ObjectsNeed {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return { kind: "objects", apiVersion, objectKind: kind, subresource: "", namespace: "", name: "" };
}

const objectsOf = (value: JsonValue): readonly KubernetesObject[] => (isArray(value) ? value.filter(isKubernetesObject) : []);

/** Everything there is. */
const everything: SyncedKind = { group: "*", version: "*", kind: "*" };

const known = new WeakMap<Facts, Map<readonly SyncedKind[] | undefined, RegoObject>>();

/**
 * The inventory of a world. Outside a cluster everything that is scanned is in it, as with gator; in a cluster what
 * Config and SyncSets name.
 * @throws NeedsFacts
 */
export function inventoryFrom(facts: Facts, synced: readonly SyncedKind[] | undefined): RegoObject {
  const kept = known.get(facts) ?? new Map<readonly SyncedKind[] | undefined, RegoObject>();
  known.set(facts, kept);
  const before = kept.get(synced);
  if (before !== undefined) return before;
  const objects = (synced ?? [everything]).flatMap((kind) => objectsOf(requireFact(facts, needFor(kind))));
  const inventory = inventoryOf(objects);
  kept.set(synced, inventory);
  return inventory;
}
