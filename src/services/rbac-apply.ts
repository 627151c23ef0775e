import { ApiError, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { authorize } from "../analysis/rbac/authorize.ts";
import { atomsOf } from "../analysis/rbac/covers.ts";
import type { RightsChange } from "../analysis/rbac/diff.ts";
import { effectiveGroups, serviceAccountOf } from "../analysis/rbac/identities.ts";
import { serviceAccountUser } from "../analysis/rbac/rbac-index.ts";
import type { RbacWorld } from "../analysis/rbac/world.ts";
import { type JsonObject, type JsonValue, member } from "../core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../core/kubernetes.ts";
import type { RequestAttributes } from "../core/request-attributes.ts";

/** Kinds that a proposal may hold, by group and kind. */
const plurals: { readonly [kind: string]: string } = {
  "/ServiceAccount": "serviceaccounts",
  "rbac.authorization.k8s.io/Role": "roles",
  "rbac.authorization.k8s.io/ClusterRole": "clusterroles",
  "rbac.authorization.k8s.io/RoleBinding": "rolebindings",
  "rbac.authorization.k8s.io/ClusterRoleBinding": "clusterrolebindings",
};

/** Undefined for kinds that are not applied here. */
export function objectPath(object: KubernetesObject): string | undefined {
  const plural = plurals[`${groupOf(object)}/${object.kind}`];
  if (plural === undefined) return undefined;
  const root = groupOf(object) === "" ? "/api/v1" : `/apis/${groupOf(object)}/v1`;
  const scope = object.kind.startsWith("Cluster") ? "" : `/namespaces/${encodeURIComponent(namespaceOf(object) || "default")}`;
  return `${root}${scope}/${plural}/${encodeURIComponent(nameOf(object))}`;
}

/** What puts the cluster back: objects as they were, and objects that were not there. */
export interface Undo extends JsonObject {
  readonly apiVersion: "castellan.dev/v1alpha1";
  readonly kind: "RbacUndo";
  readonly restore: readonly JsonObject[];
  readonly delete: readonly JsonObject[];
}

/** The live state of what a proposal will change. */
export async function undoFor(client: KubernetesClient, objects: readonly KubernetesObject[]): Promise<Undo> {
  const restore: JsonObject[] = [];
  const gone: JsonObject[] = [];
  for (const object of objects) {
    const live = await liveObject(client, object);
    if (live !== undefined) restore.push(withoutServerFields(live));
    else
      gone.push({
        apiVersion: object.apiVersion,
        kind: object.kind,
        metadata: { name: nameOf(object), namespace: namespaceOf(object) },
      });
  }
  return { apiVersion: "castellan.dev/v1alpha1", kind: "RbacUndo", restore, delete: gone };
}

async function liveObject(client: KubernetesClient, object: KubernetesObject): Promise<KubernetesObject | undefined> {
  try {
    const live = await client.get(objectPath(object) ?? "");
    return isKubernetesObject(live) ? live : undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

function withoutServerFields(object: KubernetesObject): JsonObject {
  const {
    managedFields: _,
    resourceVersion: __,
    uid: ___,
    creationTimestamp: ____,
    generation: _____,
    ...metadata
  } = object.metadata ?? {};
  return { ...object, metadata };
}

/** Server-side apply of one object, as the field manager castellan. */
export function applyObject(client: KubernetesClient, object: KubernetesObject, dryRun: boolean): Promise<JsonValue> {
  const query = `fieldManager=castellan&force=true${dryRun ? "&dryRun=All" : ""}`;
  return client.send({
    method: "PATCH",
    path: `${objectPath(object)}?${query}`,
    body: object,
    contentType: "application/apply-patch+yaml",
  });
}

export async function deleteObject(client: KubernetesClient, object: KubernetesObject, dryRun: boolean): Promise<void> {
  try {
    await client.send({ method: "DELETE", path: `${objectPath(object)}${dryRun ? "?dryRun=All" : ""}` });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

/** A question on which the live server and the simulation disagree. */
export interface Disagreement {
  readonly request: RequestAttributes;
  readonly simulated: boolean;
  readonly server: boolean;
}

/** More atoms than these are not asked one by one. */
const maximumQuestions = 300;

export interface Verification {
  readonly asked: number;
  /** Changed rights beyond the limit, which were not asked. */
  readonly left: number;
  readonly disagreements: readonly Disagreement[];
}

/** Asks the server about every changed right, and compares its answer with the simulation's. */
export async function verifyAgainst(
  client: KubernetesClient,
  world: RbacWorld,
  changes: readonly RightsChange[],
): Promise<Verification> {
  const questions = changes.flatMap(questionsOf);
  const disagreements: Disagreement[] = [];
  for (const request of questions.slice(0, maximumQuestions)) {
    const simulated = authorize(world.index, request).decision === "allow";
    const server = await accessReview(client, request);
    if (simulated !== server) disagreements.push({ request, simulated, server });
  }
  return {
    asked: Math.min(questions.length, maximumQuestions),
    left: Math.max(0, questions.length - maximumQuestions),
    disagreements,
  };
}

function questionsOf({ subject, namespace, gains, loses }: RightsChange): readonly RequestAttributes[] {
  const [user, groups] = askerOf(subject);
  return [...gains, ...loses].flatMap(atomsOf).map((atom) => {
    const [verb = ""] = atom.verbs;
    const [path = ""] = atom.nonResourceURLs;
    const [resource = "", subresource = ""] = (atom.resources[0] ?? "").split("/");
    const isResourceRequest = path === "";
    return {
      user,
      groups,
      verb,
      isResourceRequest,
      path,
      namespace,
      apiGroup: atom.apiGroups[0] ?? "",
      resource,
      subresource,
      name: atom.resourceNames[0] ?? "",
    };
  });
}

/** `Group x`, `User y`, `ServiceAccount ns/name`, as bindings describe their subjects. */
function askerOf(subject: string): readonly [user: string, groups: readonly string[]] {
  const [kind = "", ...rest] = subject.split(" ");
  const name = rest.join(" ");
  // Nobody has this name, so that what it may comes from the group.
  if (kind === "Group") return ["castellan:member", [name]];
  const [namespace = "", account = ""] = name.split("/");
  const user = kind === "ServiceAccount" ? serviceAccountUser(namespace, account) : name;
  return [user, serviceAccountOf(user) === undefined ? [] : effectiveGroups(user, [])];
}

async function accessReview(client: KubernetesClient, request: RequestAttributes): Promise<boolean> {
  const { user, groups, verb, isResourceRequest, path, namespace, apiGroup, resource, subresource, name } = request;
  const attributes = isResourceRequest
    ? { resourceAttributes: { verb, namespace, group: apiGroup, resource, subresource, name } }
    : { nonResourceAttributes: { verb, path } };
  const review = await client.send({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    body: { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: { user, groups, ...attributes } },
  });
  return member(member(review, "status"), "allowed") === true;
}
