/**
 * Names that authorizers ask about although the API serves no such resource, as `group/resource`.
 * They come from kube-apiserver's and the kubelet's own authorization calls.
 */
const syntheticResources: ReadonlySet<string> = new Set([
  // Impersonation.
  "/users",
  "/groups",
  "authentication.k8s.io/users",
  "authentication.k8s.io/groups",
  "authentication.k8s.io/serviceaccounts",
  "authentication.k8s.io/nodes",
  "authentication.k8s.io/uids",
  "authentication.k8s.io/userextras",
  // The kubelet's own API.
  "/nodes/metrics",
  "/nodes/stats",
  "/nodes/log",
  "/nodes/spec",
  "/nodes/pods",
  "/nodes/healthz",
  "/nodes/configz",
  "/nodes/statusz",
  "/nodes/flagz",
  "/nodes/checkpoint",
  // Endpoints that point into the pod network.
  "/endpoints/restricted",
  "discovery.k8s.io/endpointslices/restricted",
  // Certificates.
  "certificates.k8s.io/signers",
  "certificates.k8s.io/certificatesigningrequests/nodeclient",
  "certificates.k8s.io/certificatesigningrequests/selfnodeclient",
  "certificates.k8s.io/certificatesigningrequests/selfnodeserver",
  // Dynamic resource allocation.
  "resource.k8s.io/resourceclaims/binding",
  "resource.k8s.io/resourceclaims/driver",
]);

/** Whether an authorizer asks about it: besides the table, `finalizers` of anything (owner references) and `userextras/<key>`. */
export function isSynthetic(group: string, resource: string): boolean {
  if (syntheticResources.has(`${group}/${resource}`)) return true;
  return resource.endsWith("/finalizers") || (group === "authentication.k8s.io" && resource.startsWith("userextras/"));
}

/** The group in which an authorizer asks about a name that the API does not serve. */
export function syntheticGroup(resource: string): string | undefined {
  const found = [...syntheticResources].find(
    (name) => name.endsWith(`/${resource}`) && !name.slice(0, -resource.length - 1).includes("/"),
  );
  return found?.slice(0, -resource.length - 1);
}

/** Verbs of requests to the API. */
export const requestVerbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"] as const;

/** Verbs that only some authorization checks use. */
const specialVerbs = new Set(["use", "bind", "escalate", "impersonate", "approve", "sign", "attest", "*"]);

export function isSpecialVerb(verb: string): boolean {
  // Constrained impersonation and device checks put a colon into the verb.
  return specialVerbs.has(verb) || verb.includes(":");
}
