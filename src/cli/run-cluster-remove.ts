import { rm } from "node:fs/promises";
import { serverManifests } from "../adapters/files/server-manifests.ts";
import { ApiError } from "../adapters/kubernetes/client.ts";
import { loadCluster } from "../adapters/kubernetes/load-cluster.ts";
import type { RegisteredCluster } from "../adapters/kubernetes/registered-clusters.ts";
import { type KubernetesObject, nameOf } from "../core/kubernetes.ts";
import { isOurs, ownObjects, removeObject } from "../services/registration/account-changes.ts";
import { accountObjects } from "../services/registration/account-objects.ts";
import { reachedCluster } from "./cluster-client.ts";
import { type ClusterFileFlags, clustersFile, clustersToChange, renewedTokenFile, writeRegistered } from "./cluster-registry.ts";
import { endText, tokenEndsOf } from "./cluster-state.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { titleOf } from "./run-cluster-add.ts";

export interface RemoveFlags extends ClusterFileFlags {
  readonly andItsAccount?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly yes?: boolean;
}

export async function runRemove(name: string, flags: RemoveFlags, context: CommandContext): Promise<void> {
  const clusters = clustersToChange(flags);
  const cluster = clusters.find((one) => one.name === name);
  if (cluster === undefined && !(flags.andItsAccount === true && flags.context !== undefined))
    throw new UsageError(`${clustersFile(flags)} has no cluster ${name}; it has: ${listed(clusters)}`);
  if (flags.andItsAccount === true && !(await removedAccount(cluster, flags, context))) return;
  if (cluster === undefined) return;
  await writeRegistered(
    flags,
    clusters.filter((one) => one !== cluster),
  );
  await rm(renewedTokenFile(flags, name), { force: true });
  context.io.out(`${name} is forgotten; a running server governs it until it is started again\n`);
  if (flags.andItsAccount !== true && cluster.account !== undefined) {
    const { account } = cluster;
    const left = `its account ServiceAccount ${account.namespace}/castellan stays there`;
    context.io.err(`castellan: ${left}, and its token is good until ${endText(tokenEndsOf(cluster.access))}\n`);
    const way = `--and-its-account --context ${account.context} --namespace ${account.namespace}`;
    context.io.err(`castellan: remove it by: castellan cluster remove ${name} ${way}\n`);
  }
}

const listed = (clusters: readonly RegisteredCluster[]): string =>
  clusters.length === 0 ? "none" : clusters.map(({ name }) => name).join(", ");

/** Lists what add made in the cluster, and with --yes removes it: false where nothing, or not all, was removed. */
async function removedAccount(
  cluster: RegisteredCluster | undefined,
  flags: RemoveFlags,
  context: CommandContext,
): Promise<boolean> {
  const { io } = context;
  const made = flags.context ?? cluster?.account?.context;
  if (made === undefined) throw new UsageError(`nothing was made in ${cluster?.name}: leave out --and-its-account`);
  const namespace = cluster?.account?.namespace ?? flags.namespace ?? "castellan";
  const way = { context: made, kubeconfig: flags.kubeconfig };
  const { client, access } = await reachedCluster(way);
  try {
    // A kubeconfig changes: by that name another cluster may be reached by now, which has an account of ours, too.
    if (flags.context === undefined && cluster !== undefined && access.server !== cluster.access.server)
      throw new UsageError(
        `the context ${made} leads to ${access.server} by now, and ${cluster.name} is ${cluster.access.server}: name its context by --context`,
      );
    const all = await ownObjects(client, accountObjects(serverManifests(), { namespace, webhook: true }));
    const others = all.some(({ kind }) => kind === "Namespace") ? await othersIn(namespace, way) : [];
    const objects = others.length === 0 ? all : all.filter(({ kind }) => kind !== "Namespace");
    const dry = flags.yes !== true;
    for (const object of objects) {
      if (!dry) await removeObject(client, object);
      io.out(`${dry ? "would remove" : "removed"} ${titleOf(object)}\n`);
    }
    if (others.length > 0) io.err(`castellan: Namespace ${namespace} stays: ${others.slice(0, 5).join(", ")} in it\n`);
    if (dry)
      io.err(`castellan: nothing was done: ${objects.length} objects would be removed by the context ${made}: add --yes\n`);
    return !dry;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    io.err(`castellan: the API server refused: ${error.message}; the cluster stays registered\n`);
    context.exit(exitCodes.incomplete);
    return false;
  } finally {
    await client.close();
  }
}

/** What every namespace has, whoever made it. */
const usual = ["ConfigMap kube-root-ca.crt", "ConfigMap openshift-service-ca.crt", "ServiceAccount default"];

/** What else lives in the namespace and would go with it: others may use it by now. */
async function othersIn(
  namespace: string,
  way: { readonly context: string; readonly kubeconfig: string | undefined },
): Promise<readonly string[]> {
  const loaded = await loadCluster({ ...way, namespaces: [namespace] });
  if (!loaded.ok || loaded.value.diagnostics.length > 0) return ["what cannot be read"];
  const isOther = (object: KubernetesObject) =>
    object.kind !== "Namespace" && !isOurs(object) && !usual.includes(`${object.kind} ${nameOf(object)}`);
  return loaded.value.documents
    .map(({ value }) => value)
    .filter(isOther)
    .map(titleOf);
}
