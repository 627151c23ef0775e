import { homedir } from "node:os";
import { connect, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { type ClusterAccess, clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import { found } from "./command.ts";

/** Options that say which cluster is meant; the kubeconfig's current context unless told otherwise. */
export interface ClusterFlags {
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

export interface ReachedCluster {
  readonly client: KubernetesClient;
  readonly access: ClusterAccess;
}

/** A client for the cluster; nothing has been asked of it yet. Throws `UsageError` where nobody can tell how to reach it. */
export const clusterClient = async (flags: ClusterFlags): Promise<KubernetesClient> => (await reachedCluster(flags)).client;

/** As `clusterClient`, with what is needed to reach it. */
export async function reachedCluster({ context, kubeconfig }: ClusterFlags): Promise<ReachedCluster> {
  const access = found(clusterAccess({ context, kubeconfig, env: process.env, home: homedir() }));
  return { access, client: found(await connect(access)) };
}
