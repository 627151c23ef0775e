import { existsSync } from "node:fs";
import { connect, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { type ClusterAccess, clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import type { RegisteredCluster } from "../adapters/kubernetes/registered-clusters.ts";
import { tokenClaims } from "../adapters/kubernetes/token-claims.ts";
import { readToken, writeToken } from "../adapters/kubernetes/token-file.ts";
import type { Instant } from "../core/host.ts";
import { TokenRenewal } from "../services/live/token-renewal.ts";
import { type ClusterFileFlags, newestToken, registeredClusters, renewedTokenFile } from "./cluster-registry.ts";
import { tokenEndsOf } from "./cluster-state.ts";
import { found } from "./command.ts";
import type { Io } from "./io.ts";

/** A registered cluster as a server works with it. */
export interface ServedRegistration {
  readonly cluster: RegisteredCluster;
  readonly client: KubernetesClient;
  /** With the token in a file, which is read again. */
  readonly access: ClusterAccess;
  /** Of its token; undefined: it does not say. */
  readonly tokenEnds: () => Instant | undefined;
}

/** Clients for all registered clusters; nothing has been asked of them yet. Throws `UsageError`. */
export async function servedRegistrations(flags: ClusterFileFlags): Promise<readonly ServedRegistration[]> {
  return Promise.all(
    registeredClusters(flags).map(async (cluster) => {
      const access = await fileAccess(cluster, flags);
      return { cluster, access, client: found(await connect(access)), tokenEnds: () => tokenEndsOf(access) };
    }),
  );
}

/** The token of our own account moves to a file of this server, which renews it for itself: the registration may be mounted and shared. */
async function fileAccess(cluster: RegisteredCluster, flags: ClusterFileFlags): Promise<ClusterAccess> {
  if (cluster.account === undefined) return cluster.access;
  const tokenFile = renewedTokenFile(flags, cluster.name);
  await writeToken(tokenFile, newestToken(cluster, flags));
  return { ...cluster.access, identity: { ...cluster.access.identity, token: undefined, tokenFile } };
}

export interface RenewalParts {
  readonly flags: ClusterFileFlags;
  readonly io: Pick<Io, "now">;
  readonly say: (text: string) => void;
  readonly trouble: (error: unknown) => void;
}

/** Renews the tokens of our own accounts from now on; the answer ends it. */
export function startRenewals(served: readonly ServedRegistration[], parts: RenewalParts): () => Promise<void> {
  const { flags, io, say, trouble } = parts;
  const renewals = served.flatMap(({ cluster, client }) => {
    const { name, account } = cluster;
    if (account === undefined) return [];
    const file = renewedTokenFile(flags, name);
    const keep = async (token: string) => {
      await writeToken(file, token);
      const { ends } = tokenClaims(token) ?? {};
      say(
        `castellan: the token of ${name} was renewed${ends === undefined ? "" : `; it ends at ${new Date(ends).toISOString()}`}`,
      );
    };
    const current = () => tokenNow(cluster, file, flags);
    const renewal = new TokenRenewal({
      ...{ client, namespace: account.namespace, current, keep },
      now: io.now,
      onTrouble: trouble,
    });
    renewal.start();
    return [renewal];
  });
  return async () => {
    await Promise.all(renewals.map((renewal) => renewal.stop()));
  };
}

/** Where somebody registered the cluster anew, with a newer token, that one is taken. */
async function tokenNow(
  { name, access: { server } }: RegisteredCluster,
  file: string,
  flags: ClusterFileFlags,
): Promise<string | undefined> {
  const cluster = registeredClusters(flags).find((one) => one.name === name);
  // Of another cluster that has got this name the one that we still speak to must not learn the token.
  if (cluster === undefined || cluster.access.server !== server) return undefined;
  const token = newestToken(cluster, flags);
  // Removed with the cluster, where that was registered anew.
  if (!existsSync(file) || token !== readToken(file)) await writeToken(file, token);
  return token;
}

/** Whether this runs in a pod whose own cluster nobody named. */
export function isInCluster(env: Io["env"], home: string): boolean {
  const own = clusterAccess({ env, home });
  return own.ok && own.value.context === "in-cluster";
}
