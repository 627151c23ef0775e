import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import type { KubernetesClient } from "../adapters/kubernetes/client.ts";
import { sharedKey } from "../adapters/store/grant-tokens.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import type { ServerMetrics } from "../server/metrics/metrics.ts";
import { answerReview } from "../server/webhook/reviews.ts";
import { listenForReviews, type ReviewHandler } from "../server/webhook/webhook.ts";
import { Admission } from "../services/admission/admit.ts";
import type { Approvals } from "../services/admission/approvals.ts";
import { CallKeys, callKeysName } from "../services/admission/call-keys.ts";
import type { WebhookOptions } from "../services/admission/configuration.ts";
import type { FactSource } from "../services/admission/facts.ts";
import type { PolicyResultCounts } from "../services/admission/policy-result-counts.ts";
import { reviewPolicy } from "../services/admission/policy-review.ts";
import type { DownstreamWriter } from "../services/downstream/downstream-writer.ts";
import { EffectsWriter } from "../services/downstream/effects.ts";
import type { RuleJudge } from "../services/downstream/judge.ts";
import type { GovernedCluster } from "../services/live/governed-cluster.ts";
import type { LivePolicies } from "../services/live/live-policies.ts";
import { MountedCertificates } from "../services/live/mounted-certificates.ts";
import { type CertificateSource, ServingCertificates, type ServingIdentity } from "../services/live/serving-certificates.ts";
import type { WebhookOwner } from "../services/live/webhook-registration.ts";
import { UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { nodeHost } from "./node-host.ts";
import { batchHandlers } from "./serve-batches.ts";
import { type CallerFlags, servedCallers } from "./webhook-callers.ts";

export interface WebhookFlags extends CallerFlags {
  /** There is a gateway, whose approved calls are looked at once more. */
  readonly gatewayListen?: string;
  readonly data: string;
  readonly webhookListen: string;
  readonly webhookUrl?: string;
  readonly webhookService?: string;
  /** How long a request waits for policies that do not say it, seconds. */
  readonly webhookTimeout: number;
  /** A directory with `tls.crt`, `tls.key` and `ca.crt` that somebody else renews. */
  readonly webhookCertificates?: string;
  /** A file with the token of audit webhooks and senders of flows. */
  readonly auditToken?: string;
  readonly takeOverWebhooks?: boolean;
}

/** A cluster whose API server calls. */
export interface CallingCluster {
  readonly client: KubernetesClient;
  readonly policies: LivePolicies;
  /** Asked when the first review comes. */
  readonly governed: () => GovernedCluster;
  /** Whether its policies, and what they refer to, are known. */
  readonly isLoaded: () => boolean;
  /** What people approved. */
  readonly approvals: Approvals;
  /** What its policies look up. */
  readonly facts: FactSource;
  /** For what its policies do elsewhere. */
  readonly writer: DownstreamWriter;
  readonly judge: RuleJudge;
}

export interface ServingWebhook {
  /** How long a request waits for policies that do not say it. */
  readonly timeoutSeconds: number;
  /**
   * Answers the reviews of a cluster under `path` from now on: how its API server reaches us, to be registered. `byUrl`: the Service, if
   * there is one, is not in that cluster.
   */
  attach(cluster: CallingCluster, path: string, byUrl?: boolean): WebhookOptions;
  close(): Promise<void>;
}

const ownNamespace = "castellan";
const renewalMilliseconds = 60_000;
const propagationMilliseconds = 2000;

export interface WebhookParts {
  /** What replicas have in common, if there are any. */
  readonly store: Store;
  readonly ledger: Ledger;
  readonly io: Io;
  readonly metrics: ServerMetrics;
  readonly results: PolicyResultCounts;
  /** Takes lines of a flow log of a cluster. Throws `BadBatch` where there is no such cluster. */
  readonly flows: (cluster: string, lines: readonly string[]) => void;
  readonly trouble: (error: unknown) => void;
}

/** What is kept of an attached cluster. */
interface Attached extends CallingCluster {
  readonly byUrl: boolean;
  readonly effects: EffectsWriter;
  readonly handle: ReviewHandler;
}

/**
 * Listens for the reviews of one or several API servers, with certificates that are renewed and registered again in time.
 */
export async function serveWebhook(flags: WebhookFlags, parts: WebhookParts): Promise<ServingWebhook> {
  const { ledger, io, metrics, flows, trouble } = parts;
  const listen = addressOf(flags.webhookListen);
  const certificates: CertificateSource =
    flags.webhookCertificates === undefined
      ? new ServingCertificates(flags.data, namesOf(flags, listen.host))
      : new MountedCertificates(flags.webhookCertificates);
  const identity = await certificates.current(io.now());
  const attached = new Map<string, Attached>();
  const token = await auditToken(flags);
  const secret = Buffer.from(await sharedKey(parts.store.db, callKeysName)).toString("base64");
  const keys = new CallKeys(secret, io.now);
  const owner = ownerOf(flags, secret, parts.store);
  const callers = await servedCallers(flags, keys, metrics, trouble);
  const server = await listenForReviews({
    ...listen,
    identity: identity.server,
    callers,
    onError: trouble,
    batches: {
      isAuthorized: (header) => isSecret(header, `Bearer ${token}`),
      handlers: batchHandlers({ ledger, flows, trouble }),
    },
    handle: async (path, review, until) => {
      const [, prefix = "", rest = ""] = clusterPath.exec(path) ?? [];
      return attached.get(prefix)?.handle(rest, review, until);
    },
  }).catch(cannotListen(flags.webhookListen, "--webhook-listen"));
  let serving: ServingIdentity = identity;
  const renew = async () => {
    if (await callers.renew()) server.renew(serving.server);
    const next = await certificates.current(io.now());
    // Another replica with the same directory, cert-manager, or a person may have renewed it.
    if (next.server.certificate === serving.server.certificate && next.authorities === serving.authorities) return;
    serving = next;
    // First the API servers must trust the new one, and they learn of that a moment after they are told.
    for (const [path, { governed, byUrl }] of attached)
      await governed().setWebhook(optionsOf(wayTo(flags, byUrl), listen, next, owner, () => keys.path(path)));
    await sleep(propagationMilliseconds);
    server.renew(next.server);
  };
  const renewNow = () => {
    renew().catch(trouble);
  };
  const renewal = setInterval(renewNow, renewalMilliseconds);
  process.on("SIGHUP", renewNow);
  return {
    timeoutSeconds: flags.webhookTimeout,
    attach(cluster, path, byUrl = false) {
      const effects = new EffectsWriter(cluster.writer, cluster.judge, trouble);
      attached.set(path, { ...cluster, byUrl, effects, handle: metrics.measuring(reviewHandler(cluster, effects, parts)) });
      return optionsOf(wayTo(flags, byUrl), listen, serving, owner, () => keys.path(path));
    },
    close: async () => {
      clearInterval(renewal);
      process.off("SIGHUP", renewNow);
      await server.close();
      // What admitted requests lead to is done before the way to the cluster is closed.
      for (const { effects } of attached.values()) await effects.settled();
    },
  };
}

/** Of several clusters each has a path of its own. */
export const pathOfCluster = (context: string): string => `/clusters/${encodeURIComponent(context)}`;
const clusterPath = /^(\/clusters\/[^/]+)?(\/.*)$/;

function reviewHandler(
  { client, policies, governed, isLoaded, approvals, facts }: CallingCluster,
  effects: EffectsWriter,
  { ledger, io, results }: WebhookParts,
): ReviewHandler {
  const resources = () => governed().resources;
  const admission = new Admission({
    onEffects: (wanted) => effects.take(wanted),
    cluster: client.context,
    facts,
    resources,
    host: nodeHost(io),
    ledger,
    results,
    approvals,
  });
  const reviews = {
    admission,
    policies: () => policies.current.admission,
    namespaceLabels: (name: string) => governed().namespaceLabels(name),
    now: io.now,
  };
  const schemas = loadKubernetesSchemas();
  return async (path, review, until) => {
    if (path === "/policies") return reviewPolicy(review, schemas, io.now());
    // Before its own policies are known a cluster would be told that nothing is against a request.
    for (const end = Math.min(performance.now() + loadingPatience, until); !isLoaded(); ) {
      if (performance.now() >= end) throw new Error(`the policies of ${client.context} are not loaded yet`);
      await sleep(loadingPause);
    }
    return answerReview(path, review, until, reviews);
  };
}

const loadingPause = 100;
const loadingPatience = 5000;

/** The token by which the API server's audit webhook is known; where no file was named it is made on first use. */
async function auditToken({ data, auditToken: shared }: WebhookFlags): Promise<string> {
  if (shared !== undefined) {
    const text = await readFile(shared, "utf8").catch(() => "");
    if (text.trim() === "") throw new UsageError(`${shared} holds no token`);
    return text.trim();
  }
  const file = join(data, "audit-token");
  const known = await readFile(file, "utf8").catch(() => "");
  if (known.trim() !== "") return known.trim();
  const token = randomBytes(32).toString("base64url");
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return token;
}

/** Takes the same time wherever they differ. */
function isSecret(given: string | undefined, secret: string): boolean {
  const digest = (text: string) => hash("sha256", text, "buffer");
  return given !== undefined && timingSafeEqual(digest(given), digest(secret));
}

/** For a listener's rejection: an address that is taken or forbidden is a wrong command line. */
export function cannotListen(address: string, option: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE")
      throw new UsageError(`${address} is taken by another program: stop it, or choose another address with ${option}`);
    if (code === "EACCES" || code === "EADDRNOTAVAIL")
      throw new UsageError(`${address} cannot be used here (${code}): choose another with ${option}`);
    throw error;
  };
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with brackets around an IPv6 address. */
export function addressOf(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new UsageError(`"${text}" is no address: write host:port`);
  return { host, port: Number(port) };
}

function namesOf(flags: WebhookFlags, host: string) {
  const [namespace, name] = flags.webhookService?.split("/") ?? [];
  const url = flags.webhookUrl === undefined ? [] : [new URL(flags.webhookUrl).hostname];
  const service = name === undefined ? [] : [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
  const all = [...service, ...url, ...(host === "0.0.0.0" || host === "::" ? [] : [host])];
  const isIp = (text: string) => /^[\d.]+$/.test(text) || text.includes(":");
  return { dns: all.filter((text) => !isIp(text)), ips: all.filter(isIp) };
}

/** The same for replicas, which share a database, and after a restart. */
function ownerOf(flags: WebhookFlags, secret: string, { engine, location }: Pick<Store, "engine" | "location">): WebhookOwner {
  const service = flags.webhookService;
  const name = service === undefined ? (engine === "postgres" ? location : `${hostname()}, ${location}`) : `Service ${service}`;
  const id = hash("sha256", ["castellan instance", secret, service ?? ""].join("\n")).slice(0, 32);
  return { id, name, takesOver: flags.takeOverWebhooks === true };
}

/** A Service is reached from within its own cluster. */
const wayTo = ({ webhookService, ...rest }: WebhookFlags, byUrl: boolean): WebhookFlags =>
  byUrl || webhookService === undefined ? rest : { ...rest, webhookService };

function optionsOf(
  flags: WebhookFlags,
  listen: Address,
  identity: ServingIdentity,
  owner: WebhookOwner,
  prefix: () => string,
): WebhookOptions {
  const authority = Buffer.from(identity.authorities).toString("base64");
  const [namespace = "", name] = flags.webhookService?.split("/") ?? [];
  const url = flags.webhookUrl?.replace(/\/$/, "") ?? `https://${listen.host}:${listen.port}`;
  return {
    address: name === undefined ? { url, authority } : { service: { namespace, name, port: 443 }, authority },
    prefix,
    exemptNamespaces: [...new Set([ownNamespace, ...(name === undefined ? [] : [namespace])])],
    timeoutSeconds: flags.webhookTimeout,
    approvedCalls: flags.gatewayListen !== undefined,
    owner,
  };
}
