import { setTimeout as delay } from "node:timers/promises";
import type { KubernetesClient } from "../adapters/kubernetes/client.ts";
import { authorize } from "../analysis/rbac/authorize.ts";
import { atomsOf } from "../analysis/rbac/covers.ts";
import type { RightsChange } from "../analysis/rbac/diff.ts";
import { effectiveGroups, serviceAccountOf } from "../analysis/rbac/identities.ts";
import { serviceAccountUser } from "../analysis/rbac/rbac-index.ts";
import type { RbacWorld } from "../analysis/rbac/world.ts";
import { member } from "../core/json.ts";
import type { RequestAttributes } from "../core/request-attributes.ts";

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

/** The API server reads roles and bindings through a cache, and a controller fills aggregated roles. */
const settlesWithinMilliseconds = 10_000;
const asksAgainMilliseconds = 250;

/** Asks until the server answers as the objects say, or the time is over. */
export async function verifySettled(
  client: KubernetesClient,
  world: RbacWorld,
  changes: readonly RightsChange[],
): Promise<Verification> {
  for (let waited = 0; ; waited += asksAgainMilliseconds) {
    const verification = await verifyAgainst(client, world, changes);
    if (verification.disagreements.length === 0 || waited >= settlesWithinMilliseconds) return verification;
    await delay(asksAgainMilliseconds);
  }
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
