import { existsSync } from "node:fs";
import { mkdir, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { ClusterAccess, Identity } from "../adapters/kubernetes/kubeconfig.ts";
import {
  type RegisteredCluster,
  readRegisteredClusters,
  registrationExtension,
} from "../adapters/kubernetes/registered-clusters.ts";
import { tokenClaims } from "../adapters/kubernetes/token-claims.ts";
import { readToken } from "../adapters/kubernetes/token-file.ts";
import type { JsonObject } from "../core/json.ts";
import { writeYaml } from "../report/yaml.ts";
import { found } from "./command.ts";
import { writePrivate } from "./logins.ts";

/** Where registered clusters are kept. */
export interface ClusterFileFlags {
  readonly data: string;
  /** A file in kubeconfig's format, which may be mounted from a Secret; else `clusters.yaml` in `data`. */
  readonly clusters?: string;
}

export const clustersFile = ({ data, clusters }: ClusterFileFlags): string => clusters ?? join(data, "clusters.yaml");

/** Where the server keeps the token of a cluster as it was renewed. */
export const renewedTokenFile = ({ data }: ClusterFileFlags, name: string): string => join(resolve(data), "cluster-tokens", name);

/** None where no file was named and none is there. Throws `UsageError` where the file is not what it should be. */
export function registeredClusters(flags: ClusterFileFlags): readonly RegisteredCluster[] {
  const file = clustersFile(flags);
  return flags.clusters === undefined && !existsSync(file) ? [] : found(readRegisteredClusters(file));
}

/** As `registeredClusters`, to add the first one to a file that is not there yet. */
export function clustersToChange(flags: ClusterFileFlags): readonly RegisteredCluster[] {
  return existsSync(clustersFile(flags)) ? registeredClusters(flags) : [];
}

/** Replaces the file at once; its owner alone may read it. */
export async function writeRegistered(flags: ClusterFileFlags, clusters: readonly RegisteredCluster[]): Promise<void> {
  const named = clustersFile(flags);
  await mkdir(dirname(named), { recursive: true, mode: 0o700 });
  // A link to the file stays a link.
  const file = await realpath(named).catch(() => named);
  await writePrivate(file, writeYaml(kubeconfigOf(clusters, dirname(resolve(named)))));
}

/**
 * How to reach a registered cluster now: of our own account by the newest of its tokens, the registered one and the one that a server
 * renewed since.
 */
export function accessNow(cluster: RegisteredCluster, flags: ClusterFileFlags): ClusterAccess {
  const { access, account } = cluster;
  if (account === undefined) return access;
  return { ...access, identity: { ...access.identity, token: newestToken(cluster, flags), tokenFile: undefined } };
}

/** Of our own account. */
export function newestToken({ access, name }: RegisteredCluster, flags: ClusterFileFlags): string {
  const registered = access.identity.token ?? "";
  const file = renewedTokenFile(flags, name);
  const renewed = existsSync(file) ? readToken(file) : "";
  const issued = (token: string) => tokenClaims(token)?.issued ?? 0;
  return issued(renewed) > issued(registered) ? renewed : registered;
}

function kubeconfigOf(clusters: readonly RegisteredCluster[], directory: string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: clusters.map(({ name, access: { server, authority, serverName, proxy } }) => ({
      name,
      cluster: {
        server,
        "certificate-authority-data": Buffer.from(authority).toString("base64"),
        ...(serverName === undefined ? {} : { "tls-server-name": serverName }),
        ...(proxy === undefined ? {} : { "proxy-url": proxy }),
      },
    })),
    users: clusters.map(({ name, access: { identity } }) => ({
      name,
      user: {
        ...(identity.token === undefined ? {} : { token: identity.token }),
        ...(identity.tokenFile === undefined ? {} : { tokenFile: shortest(identity.tokenFile, directory) }),
        ...limitsOf(identity),
      },
    })),
    contexts: clusters.map(({ name, access: { namespace }, webhook, account }) => ({
      name,
      context: {
        cluster: name,
        user: name,
        namespace,
        extensions: [
          {
            name: registrationExtension,
            extension: { webhook, ...(account === undefined ? {} : { context: account.context }) },
          },
        ],
      },
    })),
  };
}

/** What somebody wrote there by hand: without it the token would count for more, or for nothing. */
function limitsOf({ impersonate, certificate, key }: Identity): JsonObject {
  const base64 = (pem: string) => Buffer.from(pem).toString("base64");
  return {
    ...(certificate === undefined ? {} : { "client-certificate-data": base64(certificate) }),
    ...(key === undefined ? {} : { "client-key-data": base64(key) }),
    ...(impersonate === undefined ? {} : { as: impersonate.user }),
    ...(impersonate === undefined || impersonate.groups.length === 0 ? {} : { "as-groups": impersonate.groups }),
    ...(impersonate === undefined || impersonate.uid === "" ? {} : { "as-uid": impersonate.uid }),
  };
}

/** A token beside the file is found beside it, too, where both are mounted. */
function shortest(file: string, directory: string): string {
  const path = relative(directory, file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}
