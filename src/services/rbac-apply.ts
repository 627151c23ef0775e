import { ApiError, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { objectKey, type RbacProposal } from "../analysis/rbac/proposal.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, jsonEquals, member } from "../core/json.ts";
import { declaredPart, groupOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../core/kubernetes.ts";

/** Kinds that a proposal may hold, by group and kind. */
const plurals: { readonly [kind: string]: string } = {
  "/ServiceAccount": "serviceaccounts",
  "rbac.authorization.k8s.io/Role": "roles",
  "rbac.authorization.k8s.io/ClusterRole": "clusterroles",
  "rbac.authorization.k8s.io/RoleBinding": "rolebindings",
  "rbac.authorization.k8s.io/ClusterRoleBinding": "clusterrolebindings",
};

function collectionPath(object: KubernetesObject): string {
  const plural = plurals[`${groupOf(object)}/${object.kind}`];
  if (plural === undefined) throw new Error(`${object.kind} is not applied`);
  const root = groupOf(object) === "" ? "/api/v1" : `/apis/${groupOf(object)}/v1`;
  const scope = object.kind.startsWith("Cluster") ? "" : `/namespaces/${encodeURIComponent(namespaceOf(object))}`;
  return `${root}${scope}/${plural}`;
}

function objectPath(object: KubernetesObject): string {
  return `${collectionPath(object)}/${encodeURIComponent(nameOf(object))}`;
}

/** What happens to one object. `recreate`: a roleRef cannot be changed in place. `none`: it is as it should be already. */
export interface Change {
  readonly action: "create" | "update" | "recreate" | "delete" | "none";
  /** As it will be; for a deletion, as it is. */
  readonly object: KubernetesObject;
  readonly live: KubernetesObject | undefined;
}

/** A change that changes something. */
export type Making = Change & { readonly action: Exclude<Change["action"], "none"> };

export const isMaking = (change: Change): change is Making => change.action !== "none";

/** What a proposal does to the live objects: what is written comes before what goes. Throws `ApiError`. */
export async function changesOf(client: KubernetesClient, { apply, delete: gone }: RbacProposal): Promise<readonly Change[]> {
  const changes: Change[] = [];
  // A binding is judged by the role that is there.
  const [bindings, others] = [apply.filter(isBinding), apply.filter((o) => !isBinding(o))];
  for (const object of new Map([...others, ...bindings].map((o) => [objectKey(o), o])).values()) {
    const live = await liveObject(client, object);
    const wanted = complete(object, live);
    if (live === undefined) changes.push({ action: "create", object: wanted, live });
    else if (!sameRoleRef(live, object)) changes.push({ action: "recreate", object: wanted, live });
    else changes.push({ action: (await isAlready(client, wanted, live)) ? "none" : "update", object: wanted, live });
  }
  for (const object of gone) {
    const live = await liveObject(client, object);
    changes.push({ action: live === undefined ? "none" : "delete", object: live ?? object, live });
  }
  return changes;
}

function isBinding({ kind }: KubernetesObject): boolean {
  return kind.endsWith("Binding");
}

/** Lists that are left out are empty ones: server-side apply would leave what is there. */
function complete(object: KubernetesObject, live: KubernetesObject | undefined): KubernetesObject {
  if (object.kind === "ServiceAccount") return object;
  if (isBinding(object)) return { subjects: [], ...object };
  // The rules of an aggregated role are a controller's.
  const aggregated = isObject(object["aggregationRule"]) || isObject(live?.["aggregationRule"]);
  return aggregated ? object : { rules: [], ...object };
}

function sameRoleRef(live: KubernetesObject, object: KubernetesObject): boolean {
  return ["kind", "name"].every((key) => member(live["roleRef"], key) === member(object["roleRef"], key));
}

/** The proposal that puts the objects back as they are now. */
export function undoOf(changes: readonly Making[]): RbacProposal {
  return {
    apply: changes.flatMap(({ live }) => (live === undefined ? [] : withoutServerFields(live))),
    delete: changes.flatMap(({ action, object }) => (action === "create" ? object : [])),
  };
}

async function liveObject(client: KubernetesClient, object: KubernetesObject): Promise<KubernetesObject | undefined> {
  try {
    const live = await client.get(objectPath(object));
    return isKubernetesObject(live) ? live : undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

function withoutServerFields(object: KubernetesObject): KubernetesObject {
  const declared = declaredPart(object);
  if (!isObject(object["aggregationRule"]) && isArray(object["rules"])) return declared;
  const { rules: _, ...rest } = declared;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind };
}

/** Makes one change. An object that somebody else changed since it was read is a conflict. Throws `ApiError`. */
export async function makeChange(client: KubernetesClient, { action, object, live }: Making, dryRun: boolean): Promise<void> {
  switch (action) {
    case "create":
    case "update":
      await serverSideApply(client, locked(object, live), dryRun);
      return;
    case "delete":
      await remove(client, object, live, dryRun);
      return;
    case "recreate":
      // Whoever may delete it and not grant it anew must not be stopped half-way.
      if (!dryRun) await serverSideApply(client, trial(object), true);
      await remove(client, object, live, dryRun);
      // While the old one is there the server can judge no new one of its name.
      if (!dryRun) await serverSideApply(client, object, dryRun);
  }
}

/** The object under a name that is free. */
function trial(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, name: `${nameOf(object)}.castellan-trial` } };
}

/** With the version that was read, the server refuses to write over a newer one. */
function locked(object: KubernetesObject, live: KubernetesObject | undefined): JsonObject {
  const resourceVersion = asString(member(live?.metadata, "resourceVersion"));
  return resourceVersion === undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion } };
}

/** Whether the server would store just what it has: it knows what it adds to what is written. */
async function isAlready(client: KubernetesClient, object: KubernetesObject, live: KubernetesObject): Promise<boolean> {
  try {
    const applied = await serverSideApply(client, locked(object, live), true);
    return isObject(applied) && jsonEquals(settled(applied), settled(live));
  } catch (error) {
    // What the server refuses is told when it is done.
    if (error instanceof ApiError) return false;
    throw error;
  }
}

/** What an object says, without what the server counts and who wrote which field. */
function settled({ metadata, ...rest }: JsonObject): JsonObject {
  if (!isObject(metadata)) return { ...rest, metadata };
  const { managedFields: _managed, resourceVersion: _version, generation: _generation, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

async function serverSideApply(client: KubernetesClient, object: JsonObject, dryRun: boolean): Promise<JsonValue | undefined> {
  if (!isKubernetesObject(object)) return undefined;
  const query = `fieldManager=castellan&force=true${dryRun ? "&dryRun=All" : ""}`;
  return client.send({
    method: "PATCH",
    path: `${objectPath(object)}?${query}`,
    body: object,
    contentType: "application/apply-patch+yaml",
  });
}

async function remove(
  client: KubernetesClient,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  dryRun: boolean,
): Promise<void> {
  const resourceVersion = asString(member(live?.metadata, "resourceVersion"));
  const uid = asString(member(live?.metadata, "uid"));
  await client.send({
    method: "DELETE",
    path: objectPath(object),
    body: {
      apiVersion: "v1",
      kind: "DeleteOptions",
      // Of a request with a body the server ignores the query: there dryRun would delete.
      ...(dryRun ? { dryRun: ["All"] } : {}),
      preconditions: { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    },
  });
}
