import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { listObjects, objectPath } from "../../adapters/kubernetes/list.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import type { JsonPatch } from "../../core/finding.ts";
import { asString, isObject, type JsonValue, jsonEquals, member } from "../../core/json.ts";
import { diffJson } from "../../core/json-diff.ts";
import {
  declaredPart,
  groupOf,
  isKubernetesObject,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  type ResourceRef,
  resourceRef,
  uidOf,
  versionOf,
} from "../../core/kubernetes.ts";
import { type Declared, type DriftProblem, placeDeclared } from "./declared.ts";
import { type ExclusivePlace, type Exemption, Exemptions, exclusivePlaces, type Kept, keptOf } from "./exclusive-kinds.ts";

interface Missing {
  readonly type: "missing";
  readonly resource: ResourceRef;
  readonly served: ApiResource;
  /** False: the kind comes with another missing object. */
  readonly isServed: boolean;
  /** As declared, with its namespace. */
  readonly desired: KubernetesObject;
}

interface Changed {
  readonly type: "changed";
  readonly resource: ResourceRef;
  readonly served: ApiResource;
  readonly desired: KubernetesObject;
  readonly live: KubernetesObject;
  /** What healing would change of the live object. */
  readonly patch: JsonPatch;
  /** What differs cannot be changed in place: healing deletes the object and makes it anew. */
  readonly recreate: boolean;
}

interface Undeclared {
  readonly type: "undeclared";
  readonly resource: ResourceRef;
  readonly served: ApiResource;
  readonly live: KubernetesObject;
  /** Why healing leaves it unless it is told otherwise; undefined: it deletes it. */
  readonly kept: Kept | undefined;
}

/** How a live object differs from what was declared. */
export type Drift = Missing | Changed | Undeclared;

export interface DriftResult {
  readonly drifts: readonly Drift[];
  /** Declared objects that were compared. */
  readonly compared: number;
  /** Undeclared objects that are no drift, and why. */
  readonly exempt: readonly { readonly resource: ResourceRef; readonly why: Exemption }[];
  readonly problems: readonly DriftProblem[];
}

export interface DriftQuestion {
  readonly resources: ApiResources;
  readonly desired: readonly KubernetesObject[];
  /** Where objects that name no namespace are. */
  readonly namespace: string;
  /** The roles and bindings that the API server makes at its start. */
  readonly defaults: readonly KubernetesObject[];
}

/** Owns the fields that healing sets. */
export const driftManager = "castellan-drift";

/**
 * Compares declared objects with the live ones. What the server would store for the declaration is asked of the server
 * (server-side apply, dry run), so that its defaults and conversions are no differences. Rejects with `ApiError` where
 * the server cannot be asked at all.
 */
export async function findDrift(
  client: KubernetesClient,
  question: DriftQuestion,
  remembered?: RememberedComparisons,
): Promise<DriftResult> {
  const { declared, problems: unplaced } = placeDeclared(question.desired, question.resources, question.namespace);
  const drifts: Drift[] = [];
  const problems = [...unplaced];
  const told = async (resource: ResourceRef, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error;
      problems.push({ resource, message: error.message });
    }
  };
  let compared = 0;
  for (const one of declared) {
    await told(resourceRef(one.object), async () => {
      const drift = await compare(client, one, remembered);
      compared++;
      if (drift !== undefined) drifts.push(drift);
    });
  }
  const exempt: { resource: ResourceRef; why: Exemption }[] = [];
  const exemptions = new Exemptions(question.defaults);
  const isDeclared = declaredNames(declared, question);
  const kinds = declared.map(({ object, resource: { group, kind, namespaced } }) => {
    return { group, kind, namespace: namespaced ? namespaceOf(object) : undefined };
  });
  for (const place of exclusivePlaces(kinds, question.resources.all())) {
    await told(refOf(place), async () => {
      for (const live of await listObjects(client, place.resource, place.namespace)) {
        if (isDeclared(live)) continue;
        const resource = resourceRef(live);
        const why = exemptions.of(live);
        if (why !== undefined) exempt.push({ resource, why });
        else drifts.push({ type: "undeclared", resource, served: place.resource, live, kept: keptOf(live) });
      }
    });
  }
  remembered?.turn();
  return { drifts, compared, exempt, problems };
}

function refOf({ resource: { group, version, kind }, namespace = "" }: ExclusivePlace): ResourceRef {
  return { group, version, kind, namespace, name: "*" };
}

/** Also what could not be compared is declared: by its name, or the beginning of a generated one. */
function declaredNames(
  declared: readonly Declared[],
  { desired, namespace }: DriftQuestion,
): (live: KubernetesObject) => boolean {
  const keyOf = (object: KubernetesObject, place: string, name: string) => [groupOf(object), object.kind, place, name].join("/");
  const generated = (object: KubernetesObject) => asString(member(object.metadata, "generateName"));
  const keys = new Set(declared.map(({ object }) => keyOf(object, namespaceOf(object), nameOf(object))));
  for (const object of desired) {
    const begin = generated(object);
    const name = nameOf(object) || (begin === undefined ? "" : `${begin}*`);
    for (const place of ["", namespaceOf(object) || namespace]) keys.add(keyOf(object, place, name));
  }
  return (live) => {
    const begin = generated(live);
    const names = begin === undefined ? [nameOf(live)] : [nameOf(live), `${begin}*`];
    return names.some((name) => keys.has(keyOf(live, namespaceOf(live), name)));
  };
}

/** What was answered about an object, and how many looks ago. */
type Remembered = ({ readonly drift: Drift | undefined } | { readonly error: ApiError }) & { readonly age: number };

/**
 * What was compared before: an object that is in the version that it was then, and declared as then, differs as then. So
 * whoever looks again and again asks for few dry runs, which webhooks judge and audit logs keep.
 */
export class RememberedComparisons {
  #known = new Map<string, Remembered>();
  #next = new Map<string, Remembered>();

  /** Rejects with `ApiError`, also with a remembered one. */
  async of(
    declared: KubernetesObject,
    live: KubernetesObject,
    compareNow: () => Promise<Drift | undefined>,
  ): Promise<Drift | undefined> {
    const key = JSON.stringify([uidOf(live), versionOf(live), declared], (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    const known = this.#known.get(key);
    const answer =
      known !== undefined && known.age < rememberedLooks ? { ...known, age: known.age + 1 } : await asked(compareNow);
    this.#next.set(key, answer);
    if ("error" in answer) throw answer.error;
    return answer.drift;
  }

  /** Forgets what was not asked for since the last time. */
  turn(): void {
    this.#known = this.#next;
    this.#next = new Map();
  }
}

/** Then the server is asked again: its defaults and our rights may be others. */
const rememberedLooks = 100;

async function asked(compareNow: () => Promise<Drift | undefined>): Promise<Remembered> {
  try {
    return { drift: await compareNow(), age: 0 };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 0 || error.status >= 500) throw error;
    return { error, age: 0 };
  }
}

async function compare(
  client: KubernetesClient,
  declared: Declared,
  remembered: RememberedComparisons | undefined,
): Promise<Drift | undefined> {
  const { object, resource, isServed } = declared;
  const ref = resourceRef(object);
  const missing: Drift = { type: "missing", resource: ref, served: resource, isServed, desired: object };
  if (!isServed) return missing;
  const path = pathOf(resource, object);
  let live: JsonValue;
  try {
    live = await client.get(path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return missing;
  }
  if (!isKubernetesObject(live)) throw new ApiError(500, "", `${path} is no object`);
  const seen = live;
  const compareNow = () => changeOf(client, declared, seen);
  return remembered === undefined ? compareNow() : remembered.of(object, seen, compareNow);
}

async function changeOf(
  client: KubernetesClient,
  { object, resource }: Declared,
  live: KubernetesObject,
): Promise<Drift | undefined> {
  const recreate = bindsAnother(live, object);
  const asked = recreate ? underTrialName(object) : object;
  const wanted = await client.send(applying(resource, asked, true));
  if (!isKubernetesObject(wanted)) throw new ApiError(500, "", `${pathOf(resource, asked)} is no object`);
  const named = recreate ? { ...wanted, metadata: { ...wanted.metadata, name: nameOf(object) } } : wanted;
  const patch = diffJson(declaredPart(live), declaredPart(named));
  if (patch.length === 0) return undefined;
  return { type: "changed", resource: resourceRef(object), served: resource, desired: object, live, patch, recreate };
}

/** What a binding binds cannot be changed: whoever wanted to made another one of its name. */
function bindsAnother(live: KubernetesObject, desired: KubernetesObject): boolean {
  const [was, wanted] = [live["roleRef"], desired["roleRef"]];
  if (groupOf(live) !== "rbac.authorization.k8s.io" || !isObject(was) || !isObject(wanted)) return false;
  return ["kind", "name"].some((key) => !jsonEquals(was[key], wanted[key]));
}

/** The object under a name that is free: while the old one is there the server can judge no new one of its name. */
export function underTrialName(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, name: `${nameOf(object)}.castellan-trial` } };
}

/** Server-side apply of an object as declared. */
export function applying(resource: ApiResource, body: KubernetesObject, dryRun: boolean) {
  const query = `fieldManager=${driftManager}&force=true${dryRun ? "&dryRun=All" : ""}`;
  const path = `${pathOf(resource, body)}?${query}`;
  return { method: "PATCH", path, body, contentType: "application/apply-patch+yaml" } as const;
}

export function pathOf(resource: ApiResource, object: KubernetesObject): string {
  return objectPath(resource, namespaceOf(object), nameOf(object));
}
