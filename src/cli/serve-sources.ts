import { homedir } from "node:os";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { Registries } from "../adapters/registry/registries.ts";
import { registryAccess } from "../adapters/registry/registry-access.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import type { KubernetesSchemas } from "../core/schema.ts";
import { RoleBindingGrants } from "../services/access/role-binding-grants.ts";
import type { FactsOf } from "../services/access/standing-offer.ts";
import { ClusterWriter } from "../services/live/cluster-writer.ts";
import { reachedCluster } from "./cluster-client.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { isLoopback } from "./console-identities.ts";
import { writeDiagnostics } from "./run-audit-text.ts";
import type { ClusterSource, ServedCluster } from "./serve-cluster.ts";
import { isInCluster, type ServedRegistration } from "./serve-registered.ts";
import { addressOf, pathOfCluster, type ServingWebhook } from "./serve-webhook.ts";

export interface RegistryFlags {
  readonly allowRegistry?: readonly string[];
  readonly registryConfig?: string;
  readonly sigstoreTrustedRoot?: string;
}

/** What is to be governed. */
export interface SourceFlags {
  readonly files?: readonly string[];
  /** Contexts of the kubeconfig; none: the current one. */
  readonly context?: readonly string[];
  readonly kubeconfig?: string;
  readonly leaseNamespace?: string;
  readonly webhookService?: string;
  readonly webhookUrl?: string;
  readonly webhookListen: string;
}

/** The registries that policies may ask, and whose word about who signed counts there. */
export async function registriesOf(flags: RegistryFlags, now: () => number): Promise<Registries> {
  const { allowRegistry = [], registryConfig, sigstoreTrustedRoot: root } = flags;
  try {
    // Only those who check identities need what it takes.
    const trust =
      root === undefined ? undefined : (await import("../adapters/registry/sigstore-trust.ts")).readSigstoreTrust(root);
    return new Registries(registryAccess(allowRegistry, registryConfig), trust, now);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** What is known about what somebody asks for, for the rules' conditions. */
export function factsOf(clusters: readonly ServedCluster[]): FactsOf {
  return (_person, ask, name) => {
    const cluster = clusters.find((one) => one.name === name);
    const namespace =
      ask.type === "action" ? ask.action.namespace : ask.type === "session" ? ask.namespace : ask.object.namespace;
    const rbacRisk = ask.type === "action" ? cluster?.rights.riskOf({ ask }, undefined) : undefined;
    return { namespaceLabels: cluster?.namespaceLabels(namespace), rbacRisk };
  };
}

/** Bindings for people who work without the gateway, in the first cluster. */
export function roleBindingsOf(
  [source]: readonly ClusterSource[],
  clusters: readonly ServedCluster[],
  onTrouble: (error: unknown) => void,
): RoleBindingGrants | undefined {
  if (source?.type !== "live") return undefined;
  const { client, name } = source;
  const resources = () => {
    const cluster = clusters.find((one) => one.name === name);
    if (cluster === undefined) throw new Error(`${name} is not governed yet`);
    return cluster.resources;
  };
  const ticks = () => performance.now();
  return new RoleBindingGrants({ cluster: name, writer: new ClusterWriter(client, resources), ticks, onTrouble });
}

/** Everything that is governed: files, or the clusters of the named contexts and those that are registered. */
export async function sourcesOf(
  flags: SourceFlags,
  context: CommandContext,
  schemas: KubernetesSchemas,
  webhook: ServingWebhook | undefined,
  shared: boolean,
  registered: readonly ServedRegistration[],
): Promise<readonly ClusterSource[]> {
  if (flags.files !== undefined) {
    const { documents, diagnostics } = await loadPaths(flags.files);
    writeDiagnostics(diagnostics, context);
    const objects = documents.map(({ value }) => value).filter(isKubernetesObject);
    return [{ type: "files", name: "files", documents, resources: schemas.withCustomResources(objects).resources() }];
  }
  const { kubeconfig, webhookService, webhookUrl } = flags;
  const contexts = flags.context ?? (isOneMeant(flags, context, registered) ? [undefined] : []);
  if (contexts.length > 1 && webhookService !== undefined)
    throw new UsageError("a Service is in one cluster: several are reached by --webhook-url");
  const reached = await Promise.all(contexts.map((name) => reachedCluster({ kubeconfig, context: name })));
  const names = [...reached.map(({ access }) => access.context), ...registered.map(({ cluster }) => cluster.name)];
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice: contexts and registered clusters have one name each`);
  const path = (name: string) => (names.length === 1 ? "" : pathOfCluster(name));
  // API servers take no capitals on the way to a Service, and names of contexts have what they like.
  const pathOfNamed = (name: string) => (webhookService === undefined ? path(name) : "");
  const unregister = webhookService === undefined && !shared;
  const mayCall = (name: string, server: string) => {
    if (webhook === undefined || reachesWebhook(server, flags)) return true;
    const why = `its API server, ${server}, cannot call ${flags.webhookListen} of this machine`;
    context.io.err(`castellan: ${name} is not judged at admission: ${why}; --webhook-url says how it can\n`);
    return false;
  };
  const named = reached.map(
    ({ client, access: { context: name, server } }): ClusterSource => ({
      type: "live",
      name,
      client,
      webhook: webhook && mayCall(name, server) ? { serving: webhook, path: pathOfNamed(name) } : undefined,
      leaseNamespace: shared ? (flags.leaseNamespace ?? webhookService?.split("/")[0] ?? "default") : undefined,
      unregister,
    }),
  );
  // A Service is in the server's own cluster.
  const isCalled = webhookService === undefined || webhookUrl !== undefined;
  if (!isCalled && registered.length > 0)
    context.io.err("castellan: registered clusters are not judged at admission: --webhook-url says how they reach the server\n");
  const others = registered.map(
    ({ cluster: { name, webhook: isJudged, account }, client, access, tokenEnds }): ClusterSource => ({
      ...{ type: "live", name, client, access, tokenEnds, unregister },
      webhook:
        webhook && isJudged && isCalled && mayCall(name, access.server)
          ? { serving: webhook, path: path(name), byUrl: true }
          : undefined,
      leaseNamespace: shared ? (account?.namespace ?? flags.leaseNamespace ?? "default") : undefined,
    }),
  );
  return [...named, ...others];
}

/**
 * Whether an API server can call the webhook. Loopback is this machine: registered at an API server on another one it would be called in
 * vain, and what a policy that fails closed is about would be refused there.
 */
function reachesWebhook(server: string, { webhookUrl, webhookService, webhookListen }: SourceFlags): boolean {
  if (webhookUrl !== undefined || webhookService !== undefined) return true;
  const isHere = (host: string) => isLoopback(host.replace(/^\[|\]$/g, ""));
  const { host } = addressOf(webhookListen);
  return isHere(new URL(server).hostname) || !(isHere(host) || host === "0.0.0.0" || host === "::");
}

/** Whether the current context, or a pod's own cluster, is meant where none is named: beside registered clusters only the latter. */
function isOneMeant({ kubeconfig }: SourceFlags, { io }: CommandContext, registered: readonly ServedRegistration[]): boolean {
  return registered.length === 0 || kubeconfig !== undefined || isInCluster(io.env, io.env["HOME"] ?? homedir());
}
