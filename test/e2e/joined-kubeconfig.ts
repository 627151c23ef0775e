import type { Cluster } from "../cluster/start.ts";

/** A kubeconfig with one context for each cluster, named as given, whose user is the administrator. */
export function joinedKubeconfig(clusters: ReadonlyMap<string, Cluster>): string {
  const entries = [...clusters];
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: entries.map(([name, cluster]) => ({
      name,
      cluster: { server: cluster.server, "certificate-authority-data": Buffer.from(cluster.authority).toString("base64") },
    })),
    users: entries.map(([name, cluster]) => ({ name, user: { token: cluster.token("admin") } })),
    contexts: entries.map(([name]) => ({ name, context: { cluster: name, user: name } })),
  });
}
