import { serverManifests } from "../adapters/files/server-manifests.ts";
import { ApiError, connect } from "../adapters/kubernetes/client.ts";
import type { ClusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import type { RegisteredCluster } from "../adapters/kubernetes/registered-clusters.ts";
import { tokenClaims } from "../adapters/kubernetes/token-claims.ts";
import { readToken } from "../adapters/kubernetes/token-file.ts";
import type { Instant } from "../core/host.ts";
import { asString, member } from "../core/json.ts";
import { ClusterReach } from "../services/live/cluster-reach.ts";
import { accountObjects } from "../services/registration/account-objects.ts";
import { missingRights } from "../services/registration/missing-rights.ts";
import type { CommandContext } from "./command.ts";

/** What a registered cluster answers to its token. Neither has the token itself. */
export type ClusterState = {
  readonly name: string;
  readonly server: string;
  /** Undefined: the token does not say. */
  readonly tokenEnds: Instant | undefined;
} & (
  | { readonly reached: false; readonly reason: string }
  | { readonly reached: true; readonly version: string; readonly missingRights: readonly string[] }
);

/** Asks a cluster with the token of `access`. */
export async function clusterState(
  { name, webhook, account }: RegisteredCluster,
  access: ClusterAccess,
  { io }: CommandContext,
): Promise<ClusterState> {
  const known = { name, server: access.server, tokenEnds: tokenEndsOf(access) };
  const connected = await connect(access);
  if (!connected.ok) return { ...known, reached: false, reason: connected.diagnostics.map(({ message }) => message).join("; ") };
  const client = connected.value;
  try {
    const reach = new ClusterReach({ client, now: io.now, onChange: () => {} });
    if (!(await reach.look())) return { ...known, reached: false, reason: reach.unreached?.reason ?? "" };
    const version = asString(member(await client.get("/version").catch(() => null), "gitVersion")) ?? "unknown";
    const objects = accountObjects(serverManifests(), { namespace: access.namespace, webhook });
    // Of an account that is not ours nobody knows where it renews its token, and who leads.
    const needed = account === undefined ? objects.filter(({ kind }) => kind === "ClusterRole") : objects;
    return { ...known, reached: true, version, missingRights: await missingRights(client, needed) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { ...known, reached: false, reason: error.message };
  } finally {
    await client.close();
  }
}

export function tokenEndsOf({ identity }: ClusterAccess): Instant | undefined {
  const { token, tokenFile } = identity;
  try {
    return tokenClaims(token ?? (tokenFile === undefined ? "" : readToken(tokenFile)))?.ends;
  } catch {
    // That the file cannot be read is told by whoever uses it.
    return undefined;
  }
}

export const endText = (ends: Instant | undefined): string => (ends === undefined ? "not known" : new Date(ends).toISOString());

export function stateText(state: ClusterState): string {
  const { name, server, tokenEnds } = state;
  if (!state.reached) return `${name}: ${server} is not reached: ${state.reason}`;
  const { version, missingRights: missing } = state;
  const rights = missing.length === 0 ? "no right is missing" : `it may not ${missing.join("; ")}`;
  return `${name}: ${server}, ${version}; its token ends: ${endText(tokenEnds)}; ${rights}`;
}
