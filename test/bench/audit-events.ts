import type { JsonObject } from "../../src/core/json.ts";

const verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];
const resources = ["pods", "secrets", "configmaps", "deployments", "leases", "events", "rolebindings", "services"];
const start = Date.UTC(2026, 0, 1);

/** The `n`-th audit event of a busy cluster, at the level Metadata, as the API server writes it. */
export function auditEvent(n: number): JsonObject {
  const resource = resources[n % resources.length] ?? "pods";
  const verb = verbs[n % verbs.length] ?? "get";
  const namespace = `team-${n % 50}`;
  const name = `object-${n % 5000}`;
  const at = new Date(start + n * 10).toISOString().replace("Z", "000Z");
  const hex = n.toString(16).padStart(12, "0");
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: `5f0c8a3e-91d2-4b7a-8c1f-${hex}`,
    stage: "ResponseComplete",
    requestURI: `/api/v1/namespaces/${namespace}/${resource}/${name}?fieldManager=kubectl-client-side-apply&timeout=10s`,
    verb,
    user: {
      username: `system:serviceaccount:${namespace}:runner-${n % 200}`,
      uid: `0b9c1c52-3f4e-4a53-9a77-${hex}`,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      extra: {
        "authentication.kubernetes.io/credential-id": [`JTI=7d2f6a10-55b8-4c5e-b0a4-${hex}`],
        "authentication.kubernetes.io/node-name": [`node-${n % 100}`],
        "authentication.kubernetes.io/pod-name": [`runner-${n % 200}-abcde`],
      },
    },
    sourceIPs: [`10.0.${n % 250}.${n % 199}`],
    userAgent: "runner/v0.9 (linux/amd64) kubernetes/$Format",
    objectRef: { resource, namespace, name, apiVersion: "v1", resourceVersion: String(n) },
    responseStatus: { metadata: {}, code: verb === "create" ? 201 : 200 },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
    annotations: {
      "authorization.k8s.io/decision": "allow",
      "authorization.k8s.io/reason": `RBAC: allowed by RoleBinding "runner/${namespace}" of Role "runner" to ServiceAccount "runner-${n % 200}/${namespace}"`,
    },
  };
}

/** The body of the audit webhook's request: `count` events from the `first` on. */
export function eventList(first: number, count: number): string {
  const items = Array.from({ length: count }, (_, i) => auditEvent(first + i));
  return JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
}
