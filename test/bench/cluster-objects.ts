import type { JsonObject } from "../../src/core/json.ts";

/** An object and the collection that it is posted to. */
export interface ClusterObject {
  readonly path: string;
  readonly object: JsonObject;
}

const namespaceCount = 200;
const namespaceOf = (n: number) => `team-${n % namespaceCount}`;

export function namespaces(): readonly ClusterObject[] {
  return Array.from({ length: namespaceCount }, (_, n) => ({
    path: "/api/v1/namespaces",
    object: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespaceOf(n), labels: { team: `t${n % 20}` } } },
  }));
}

/** What a namespace holds, by how often: of 100 objects 40 are pods. */
const makers: readonly (readonly [share: number, make: (n: number, metadata: JsonObject) => ClusterObject])[] = [
  [40, (n, metadata) => namespaced("v1", "Pod", "pods", metadata, { spec: podSpec(n) })],
  [15, (n, metadata) => namespaced("apps/v1", "Deployment", "deployments", metadata, { spec: workloadSpec(n) })],
  [15, (n, metadata) => namespaced("apps/v1", "ReplicaSet", "replicasets", metadata, { spec: workloadSpec(n) })],
  [10, (n, metadata) => namespaced("v1", "ConfigMap", "configmaps", metadata, { data: { settings: `level=${n}\n`.repeat(40) } })],
  [5, (n, metadata) => namespaced("v1", "Secret", "secrets", metadata, { stringData: { token: `not-a-real-token-${n}` } })],
  [8, (n, metadata) => namespaced("v1", "Service", "services", metadata, { spec: serviceSpec(n) })],
  [4, (_, metadata) => namespaced("v1", "ServiceAccount", "serviceaccounts", metadata, {})],
  [3, (n, metadata) => namespaced("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", metadata, binding(n))],
];

/** The `n`-th of the objects of a busy cluster; many of them break one rule or another. */
export function clusterObject(n: number): ClusterObject {
  let place = Math.floor(n / namespaceCount) % 100;
  const metadata = {
    name: `object-${n}`,
    namespace: namespaceOf(n),
    labels: { app: `app-${n % 500}`, "app.kubernetes.io/name": `app-${n % 500}`, tier: n % 3 === 0 ? "web" : "worker" },
    annotations: { "example.com/revision": String(n), "example.com/owner": `team-${n % 20}@example.com` },
  };
  for (const [share, make] of makers) {
    if (place < share) return make(n, metadata);
    place -= share;
  }
  throw new Error("the shares are those of 100");
}

function namespaced(apiVersion: string, kind: string, resource: string, metadata: JsonObject, rest: JsonObject): ClusterObject {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return { path: `${root}/namespaces/${metadata["namespace"]}/${resource}`, object: { apiVersion, kind, metadata, ...rest } };
}

function podSpec(n: number): JsonObject {
  const container = (name: string): JsonObject => ({
    name,
    image: n % 4 === 0 ? "nginx:latest" : `registry.example.com/team/${name}:1.${n % 30}`,
    ports: [{ name: "http", containerPort: 8080 }],
    env: [{ name: "LEVEL", value: "info" }, ...(n % 7 === 0 ? [{ name: "TOKEN", value: "plain" }] : [])],
    resources: n % 3 === 0 ? {} : { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    securityContext:
      n % 2 === 0
        ? { privileged: n % 50 === 0 }
        : { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
  });
  return {
    containers: n % 5 === 0 ? [container("main"), container("sidecar")] : [container("main")],
    volumes: [{ name: "data", emptyDir: {} }],
  };
}

function workloadSpec(n: number): JsonObject {
  const labels = { app: `app-${n % 500}` };
  return { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(n) } };
}

function serviceSpec(n: number): JsonObject {
  return { clusterIP: "None", selector: { app: `app-${n % 500}` }, ports: [{ name: "http", port: 80, targetPort: 8080 }] };
}

function binding(n: number): JsonObject {
  return {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: n % 10 === 0 ? "admin" : "view" },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: `user-${n % 300}@example.com` }],
  };
}
