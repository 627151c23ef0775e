import { once } from "node:events";
import { homedir } from "node:os";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { connect, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import { Ledger } from "../adapters/store/ledger.ts";
import { openPostgres } from "../adapters/store/postgres.ts";
import { openSigner } from "../adapters/store/signing-key.ts";
import { openSqlite } from "../adapters/store/sqlite.ts";
import { type Store, StoreUnavailable } from "../adapters/store/store.ts";
import type { Diagnostic, Loaded } from "../core/diagnostic.ts";
import { answerReview } from "../server/webhook/reviews.ts";
import { listenForReviews, type WebhookServer } from "../server/webhook/webhook.ts";
import { Admission } from "../services/admission/admit.ts";
import { ClusterFacts } from "../services/admission/cluster-facts.ts";
import type { WebhookOptions } from "../services/admission/configuration.ts";
import { GovernedCluster } from "../services/live/governed-cluster.ts";
import { LivePolicies } from "../services/live/live-policies.ts";
import { ServingCertificates, type ServingIdentity } from "../services/live/serving-certificates.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { nodeHost } from "./node-host.ts";
import { writeDiagnostics } from "./run-audit-text.ts";

export interface ServeFlags {
  readonly policies?: readonly string[];
  readonly data: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly webhookListen: string;
  readonly webhookUrl?: string;
  readonly webhookService?: string;
  readonly webhook: boolean;
}

const webhookTimeoutSeconds = 10;
const ownNamespace = "castellan";
const hour = 3_600_000;

/** Serves until it is told to stop (SIGINT, SIGTERM); then answers what is under way and writes what waits. */
export async function runServe(flags: ServeFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  const trouble = (error: unknown) => io.err(`castellan: ${error instanceof Error ? error.message : String(error)}\n`);
  const policies = await loadPaths(flags.policies ?? []);
  writeDiagnostics(policies.diagnostics, context);
  const schemas = loadKubernetesSchemas();
  const live = new LivePolicies(schemas.resources());
  live.onRevision(({ diagnostics }) => writeDiagnostics(diagnostics.filter(isError), context));
  live.setSource("files", policies.documents);
  const store = await openStore(flags.data, io.env["DATABASE_URL"]);
  const ledger = new Ledger(store, await openSigner(flags.data, "castellan/ledger"), io.now);
  const client = await clientOf(flags);
  const listen = addressOf(flags.webhookListen);
  const certificates = new ServingCertificates(flags.data, namesOf(flags, listen.host));
  let identity: ServingIdentity = await certificates.current(io.now());
  const facts = new ClusterFacts(client, io.now);
  const admission = new Admission({
    cluster: client.context,
    facts,
    resources: () => cluster.resources,
    host: nodeHost(io),
    ledger,
  });
  const cluster = new GovernedCluster({
    client,
    policies: live,
    schemas,
    webhook: flags.webhook ? webhookOptions(flags, listen, identity) : undefined,
    onTrouble: trouble,
  });
  const server = flags.webhook ? await startWebhook() : undefined;
  const renewal = setInterval(() => renew().catch(trouble), hour);
  await cluster.start();
  io.err(
    `castellan: governs ${client.context}: ${live.current.policies.length} policies; admission on ${flags.webhookListen}; ledger in ${store.location}\n`,
  );
  await stopped;
  clearInterval(renewal);
  if (flags.webhookService === undefined) await cluster.unregister();
  await cluster.stop();
  await server?.close();
  await ledger.close();
  await store.close();
  await client.close();

  function startWebhook(): Promise<WebhookServer> {
    return listenForReviews({
      ...listen,
      identity: identity.server,
      onError: trouble,
      handle: (path, review) =>
        answerReview(path, review, {
          admission,
          policies: () => live.current.admission,
          namespaceLabels: (name) => cluster.namespaceLabels(name),
          now: io.now,
          deadlineMilliseconds: (webhookTimeoutSeconds - 1) * 1000,
        }),
    });
  }

  async function renew(): Promise<void> {
    const { renewed, ...next } = await certificates.current(io.now());
    if (!renewed) return;
    identity = next;
    server?.renew(identity.server);
    await cluster.setWebhook(flags.webhook ? webhookOptions(flags, listen, identity) : undefined);
  }
}

const isError = (diagnostic: Diagnostic) => diagnostic.severity === "error";

async function openStore(directory: string, url: string | undefined): Promise<Store> {
  try {
    return await (url === undefined ? openSqlite(directory) : openPostgres(url));
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new UsageError(`${error.message}. ${error.next}`);
    throw error;
  }
}

async function clientOf({ context, kubeconfig }: ServeFlags): Promise<KubernetesClient> {
  const access = found(clusterAccess({ context, kubeconfig, env: process.env, home: homedir() }));
  return found(await connect(access));
}

function found<T>(result: Loaded<T>): T {
  if (result.ok) return result.value;
  throw new UsageError(result.diagnostics.map(({ message, next }) => [message, next].join(". ")).join("; "));
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function addressOf(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new UsageError(`"${text}" is no address: write host:port`);
  return { host, port: Number(port) };
}

function namesOf(flags: ServeFlags, host: string) {
  const [namespace, name] = flags.webhookService?.split("/") ?? [];
  const url = flags.webhookUrl === undefined ? [] : [new URL(flags.webhookUrl).hostname];
  const service = name === undefined ? [] : [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
  const all = [...service, ...url, ...(host === "0.0.0.0" || host === "::" ? [] : [host])];
  const isIp = (text: string) => /^[\d.]+$/.test(text) || text.includes(":");
  return { dns: all.filter((text) => !isIp(text)), ips: all.filter(isIp) };
}

function webhookOptions(flags: ServeFlags, listen: Address, identity: ServingIdentity): WebhookOptions {
  const authority = Buffer.from(identity.authorities).toString("base64");
  const [namespace = "", name] = flags.webhookService?.split("/") ?? [];
  const url = flags.webhookUrl?.replace(/\/$/, "") ?? `https://${listen.host}:${listen.port}`;
  return {
    address: name === undefined ? { url, authority } : { service: { namespace, name, port: 443 }, authority },
    exemptNamespaces: [...new Set([ownNamespace, ...(name === undefined ? [] : [namespace])])],
    timeoutSeconds: webhookTimeoutSeconds,
  };
}
