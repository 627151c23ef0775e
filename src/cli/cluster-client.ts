import { homedir } from "node:os";
import { connect, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import { found } from "./command.ts";

/** Options that say which cluster is meant; the kubeconfig's current context unless told otherwise. */
export interface ClusterFlags {
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

/** A client for the cluster; nothing has been asked of it yet. Throws `UsageError` where nobody can tell how to reach it. */
export async function clusterClient({ context, kubeconfig }: ClusterFlags): Promise<KubernetesClient> {
  const access = clusterAccess({ context, kubeconfig, env: process.env, home: homedir() });
  return found(access.ok ? await connect(access.value) : access);
}
