import { ApiError, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { listObjects, objectPath } from "../adapters/kubernetes/list.ts";
import type { ApiResource, ApiResources } from "../core/api-resources.ts";
import type { JsonPatch } from "../core/finding.ts";
import { type JsonValue, member } from "../core/json.ts";
import { diffJson } from "../core/json-diff.ts";
import {
  declaredPart,
  isKubernetesObject,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  type ResourceRef,
  resourceRef,
} from "../core/kubernetes.ts";

/** How a live object differs from what was declared. */
export interface Drift {
  readonly type: "missing" | "changed" | "undeclared";
  readonly resource: ResourceRef;
  /** What healing would change; of `changed` only. */
  readonly patch: JsonPatch;
  /** As declared; absent for `undeclared`. */
  readonly desired?: KubernetesObject;
  /** As it is; absent for `missing`. */
  readonly live?: KubernetesObject;
}

export interface DriftResult {
  readonly drifts: readonly Drift[];
  /** Objects that were compared. */
  readonly compared: number;
  /** What could not be compared, and why. */
  readonly problems: readonly { readonly resource: ResourceRef; readonly message: string }[];
}

/** Kinds of which nothing may be there that was not declared, in namespaces that are declared. */
const exclusive: readonly { readonly group: string; readonly kind: string }[] = [
  { group: "rbac.authorization.k8s.io", kind: "Role" },
  { group: "rbac.authorization.k8s.io", kind: "RoleBinding" },
  { group: "networking.k8s.io", kind: "NetworkPolicy" },
  { group: "", kind: "ResourceQuota" },
  { group: "", kind: "LimitRange" },
];

const manager = "castellan-drift";

/**
 * Compares declared objects with the live ones. What the server would store for the declaration is asked of the server
 * (server-side apply, dry run), so that its defaults and conversions are no differences. Rejects with `ApiError` where
 * the server cannot be asked at all.
 */
export async function findDrift(
  client: KubernetesClient,
  resources: ApiResources,
  desired: readonly KubernetesObject[],
): Promise<DriftResult> {
  const drifts: Drift[] = [];
  const problems: { resource: ResourceRef; message: string }[] = [];
  for (const object of desired) {
    const resource = resources.byKind(resourceRef(object).group, object.kind);
    if (resource === undefined) {
      problems.push({ resource: resourceRef(object), message: "the cluster does not serve this kind" });
      continue;
    }
    try {
      const drift = await compare(client, resource, object);
      if (drift !== undefined) drifts.push(drift);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error;
      problems.push({ resource: resourceRef(object), message: error.message });
    }
  }
  drifts.push(...(await undeclared(client, resources, desired)));
  return { drifts, compared: desired.length, problems };
}

async function compare(client: KubernetesClient, resource: ApiResource, desired: KubernetesObject): Promise<Drift | undefined> {
  const path = pathOf(resource, desired);
  let live: JsonValue;
  try {
    live = await client.get(path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return { type: "missing", resource: resourceRef(desired), patch: [], desired };
  }
  const wanted = await client.send(applied(path, desired, true));
  if (!isKubernetesObject(live) || !isKubernetesObject(wanted)) throw new ApiError(500, "", `${path} is no object`);
  const patch = diffJson(declaredPart(live), declaredPart(wanted));
  if (patch.length === 0) return undefined;
  return { type: "changed", resource: resourceRef(desired), patch, desired, live };
}

async function undeclared(
  client: KubernetesClient,
  resources: ApiResources,
  desired: readonly KubernetesObject[],
): Promise<readonly Drift[]> {
  const found: Drift[] = [];
  for (const { group, kind } of exclusive) {
    const resource = resources.byKind(group, kind);
    const declared = desired.filter((object) => object.kind === kind && resourceRef(object).group === group);
    const names = new Set(declared.map((object) => `${namespaceOf(object)}/${nameOf(object)}`));
    if (resource === undefined) continue;
    for (const namespace of new Set(declared.map(namespaceOf))) {
      for (const live of await listObjects(client, resource, namespace)) {
        const isOwned = member(live.metadata, "ownerReferences") !== undefined;
        if (isOwned || names.has(`${namespace}/${nameOf(live)}`)) continue;
        found.push({ type: "undeclared", resource: resourceRef(live), patch: [], live });
      }
    }
  }
  return found;
}

/** Makes the live object what was declared; what was not declared is deleted. Rejects with `ApiError`. */
export async function heal(client: KubernetesClient, resources: ApiResources, drift: Drift): Promise<void> {
  const resource = resources.byKind(drift.resource.group, drift.resource.kind);
  const object = drift.desired ?? drift.live;
  if (resource === undefined || object === undefined) return;
  const path = pathOf(resource, object);
  if (drift.desired !== undefined) await client.send(applied(path, drift.desired, false));
  else {
    // Only the object that was seen: a newer one of that name is somebody's intention.
    const preconditions = { uid: member(object.metadata, "uid"), resourceVersion: member(object.metadata, "resourceVersion") };
    await client.send({ method: "DELETE", path, body: { apiVersion: "v1", kind: "DeleteOptions", preconditions } });
  }
}

function applied(path: string, body: KubernetesObject, dryRun: boolean) {
  const query = `fieldManager=${manager}&force=true${dryRun ? "&dryRun=All" : ""}`;
  return { method: "PATCH", path: `${path}?${query}`, body, contentType: "application/apply-patch+yaml" } as const;
}

function pathOf(resource: ApiResource, object: KubernetesObject): string {
  return objectPath(resource, namespaceOf(object) || "default", nameOf(object));
}
