import { failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { asString, member } from "../../core/json.ts";
import { allContexts, type ClusterAccess, type NamedContext } from "./kubeconfig.ts";

/** The service account that `castellan cluster add` made in a cluster. */
export interface OwnAccount {
  readonly namespace: string;
  /** The kubeconfig context by which it was made. */
  readonly context: string;
}

/** A cluster that is governed by a token, without a kubeconfig of a person. */
export interface RegisteredCluster {
  readonly name: string;
  readonly access: ClusterAccess & { readonly authority: string };
  /** Whether it is judged at admission there. */
  readonly webhook: boolean;
  /** Undefined: nothing was made there, and its token is somebody else's to renew. */
  readonly account: OwnAccount | undefined;
}

/** It is in paths, in labels of metrics and in the name of a file. */
export const clusterName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Of a context's `extensions`: `webhook`, false where nothing is judged; `context`, by which our account was made. */
export const registrationExtension = "castellan.dev/registration";

/** The clusters of a file in kubeconfig's format: one for each context, whose name is the cluster's. */
export function readRegisteredClusters(file: string): Loaded<readonly RegisteredCluster[]> {
  const contexts = allContexts(file);
  if (!contexts.ok) return contexts;
  const clusters: RegisteredCluster[] = [];
  for (const context of contexts.value) {
    const cluster = registered(context);
    if (typeof cluster === "string")
      return failed({ code: "KUBECONFIG_INVALID", severity: "error", message: `${file}: ${context.access.context}: ${cluster}` });
    clusters.push(cluster);
  }
  return loaded(clusters);
}

/** Why the server must not be spoken to in this way; undefined where it may. */
export function unsafeWay({ server, authority, insecure }: ClusterAccess): string | undefined {
  if (!server.startsWith("https:")) return `${server} is not https: its token would cross the network in clear text`;
  const { username, password } = new URL(server);
  if (username !== "" || password !== "") return "its address holds a name or a password, which would be shown with it";
  if (insecure) return "insecure-skip-tls-verify: anybody on the way could take the token; give the certificate authority";
  if (authority === undefined || authority.trim() === "") return "no certificate authority: nothing vouches for the API server";
  return undefined;
}

function registered({ access, extensions }: NamedContext): RegisteredCluster | string {
  const unsafe = unsafeWay(access);
  if (unsafe !== undefined) return unsafe;
  const { authority, identity, namespace, context: name } = access;
  if (authority === undefined) return "no certificate authority";
  if (identity.token === undefined && identity.tokenFile === undefined) return "no token and no tokenFile";
  const registration = extensions.get(registrationExtension);
  const by = asString(member(registration, "context"));
  if (by !== undefined && !clusterName.test(name))
    return "its renewed token is kept in a file of its name, and that is none for a file";
  return {
    name,
    access: { ...access, authority },
    webhook: member(registration, "webhook") !== false,
    account: by === undefined ? undefined : { namespace, context: by },
  };
}
