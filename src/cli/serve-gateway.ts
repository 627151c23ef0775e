import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Person } from "../access/person.ts";
import type { AccessRequest } from "../access/request.ts";
import type { RequestedAction } from "../access/requested-action.ts";
import type { AccessRules } from "../access/rules/types.ts";
import type { KubernetesClient } from "../adapters/kubernetes/client.ts";
import { type ClusterAccess, clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { LookAtCall } from "../server/api/new-action.ts";
import { type Gateway, listenForCalls } from "../server/gateway/gateway.ts";
import { HeldCalls, usualHeld } from "../server/gateway/held-calls.ts";
import { lookAtCallOver } from "../server/gateway/look-at-call.ts";
import { type GatewayParts, type GuardrailJudge, usualLimits } from "../server/gateway/parts.ts";
import type { OpenTap } from "../server/gateway/stream/tap.ts";
import { StreamRegistry } from "../server/gateway/stream-registry.ts";
import type { TlsIdentity } from "../server/tls-identity.ts";
import { CallRecords } from "../services/access/call-records.ts";
import type { AccessDesk } from "../services/access/desk.ts";
import { type GatewayRights, gatewayRights } from "../services/access/gateway-rights.ts";
import type { Authenticator } from "../services/access/identity.ts";
import { StandingRights } from "../services/access/standing-rights.ts";
import { openUpstream } from "../services/access/upstream/api-server.ts";
import { ServingCertificates } from "../services/live/serving-certificates.ts";
import { collect, found, UsageError } from "./command.ts";
import { isLoopback } from "./console-identities.ts";
import type { Io } from "./io.ts";
import { addressOf, cannotListen, pathOfCluster } from "./serve-webhook.ts";

export interface GatewayFlags {
  readonly data: string;
  readonly kubeconfig?: string;
  readonly gatewayListen?: string;
  readonly gatewayUrl?: string;
  readonly gatewayHold: number;
  readonly gatewayHeld: number;
  readonly gatewayHeldInAll: number;
  readonly gatewayBody: number;
  readonly gatewayStreams: number;
  readonly gatewayOrigin?: readonly string[];
  readonly gatewayTlsCertificate?: string;
  readonly gatewayTlsKey?: string;
}

/** The options of `castellan serve` that are the gateway's. */
export function addGatewayOptions(command: Command): Command {
  return command
    .option("--gateway-listen <address>", "where kubectl and its like are let through to the clusters: host:port")
    .option("--gateway-url <url>", "how people reach that; else https://<gateway-listen>")
    .option(
      "--gateway-hold <seconds>",
      "how long a call that needs approval waits for it, where its rule says no more; kubectl prints nothing meanwhile",
      natural,
      0,
    )
    .option("--gateway-held <number>", "calls of one person that may wait for approval at once", natural, usualHeld.perPerson)
    .option("--gateway-held-in-all <number>", "calls of everybody that may", natural, usualHeld.inAll)
    .option("--gateway-body <MiB>", "the largest body of a call", natural, usualLimits.bodyBytes / mebibyte)
    .option("--gateway-streams <number>", "open watches, logs and sessions of one person", natural, usualLimits.streamsPerPerson)
    .option("--gateway-origin <origin>", "a web origin whose pages may open sockets; repeatable", collect)
    .option("--gateway-tls-certificate <file>", "PEM: the gateway's certificate; else one of an authority of our own")
    .option("--gateway-tls-key <file>", "PEM: the certificate's key");
}

const mebibyte = 1024 * 1024;

function natural(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("write a whole number");
  return Number(text);
}

/** A cluster behind the gateway. */
export interface GatewayCluster {
  /** Of the kubeconfig context; it is in the path of its calls where there are several. */
  readonly name: string;
  readonly client: KubernetesClient;
  /** Of a registered cluster; else its context says it. */
  readonly access: ClusterAccess | undefined;
  readonly guardrails: GuardrailJudge;
  /** Undefined: not known. */
  readonly namespaceLabels: GatewayParts["namespaceLabels"];
}

export interface ServeGatewayParts {
  readonly clusters: readonly GatewayCluster[];
  /** Made for the host on which the gateway listens. */
  readonly authenticator: (host: string) => Authenticator;
  readonly desk: AccessDesk;
  /** As they are now, for how long a rule lets calls wait; undefined: they are not loaded yet. */
  readonly rules: () => AccessRules | undefined;
  readonly ledger: Ledger;
  readonly openTap: OpenTap;
  readonly digestOf: GatewayParts["digestOf"];
  readonly sealGrant: (request: AccessRequest, action: RequestedAction, person: Person, guardrails: readonly string[]) => string;
  /** The console's address, for links to requests. */
  readonly consoleUrl: () => string | undefined;
  readonly io: Io;
  readonly trouble: (error: unknown) => void;
}

export interface ServingGateway {
  /** How people reach it: `https://host:port`. */
  readonly address: string;
  /** What vouches for its certificate, PEM; undefined: an authority of the system. */
  readonly authority: string | undefined;
  /** Each is reached at `address` + `path`. */
  readonly clusters: readonly { readonly name: string; readonly path: string }[];
  /** The user name of its own account in a cluster; undefined where that is not known. */
  readonly userIn: (cluster: string) => string | undefined;
  /** What it would know of a call that is asked for before it is sent. */
  readonly lookAtCall: LookAtCall;
  close(): Promise<void>;
}

const hour = 3_600_000;

/** Serves the gateway where the flags ask for it; undefined where they do not. Throws `UsageError`. */
export async function serveGateway(flags: GatewayFlags, parts: ServeGatewayParts): Promise<ServingGateway | undefined> {
  if (flags.gatewayListen === undefined) return undefined;
  if (parts.clusters.length === 0)
    throw new UsageError(
      "--gateway-listen leads to clusters, and --files is none: name a cluster with --context, or leave it out",
    );
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const one of closing.splice(0).toReversed()) await one();
  };
  try {
    return await serve(flags, flags.gatewayListen, parts, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function serve(
  flags: GatewayFlags,
  listen: string,
  parts: ServeGatewayParts,
  closing: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<ServingGateway> {
  const { io, trouble } = parts;
  const { host, port } = addressOf(listen);
  const records = new CallRecords({ ledger: parts.ledger, directory: flags.data, trouble });
  await records.start();
  closing.push(() => records.close());
  const authenticator = parts.authenticator(host);
  const clusters = new Map<string, GatewayParts>();
  const users = new Map<string, string>();
  const paths: { readonly name: string; readonly path: string }[] = [];
  const held = new HeldCalls({ perPerson: flags.gatewayHeld, inAll: flags.gatewayHeldInAll });
  const alone = parts.clusters.length === 1;
  for (const cluster of parts.clusters) {
    const path = alone ? "" : pathOfCluster(cluster.name);
    clusters.set(path, await clusterParts(cluster, flags, { ...parts, records, authenticator, held, users }, closing));
    paths.push({ name: cluster.name, path: path === "" ? "/" : path });
  }
  const certificate = await certificateOf(flags, host, io.now);
  // On loopback only this machine's own names are right: a page whose name leads here is not.
  const { dns, ips } = namesOf(flags, host);
  const hosts = isLoopback(host) ? new Set([...dns, ...ips, "::1"]) : undefined;
  const gateway: Gateway = await listenForCalls({ host, port, identity: certificate.identity, hosts, clusters }).catch(
    cannotListen(listen, "--gateway-listen"),
  );
  closing.push(() => gateway.close());
  const renewal = setInterval(() => {
    certificate.renew().then((identity) => identity && gateway.renew(identity), trouble);
  }, hour).unref();
  closing.push(async () => clearInterval(renewal));
  const shownHost = host.includes(":") ? `[${host}]` : host;
  return {
    address: flags.gatewayUrl?.replace(/\/$/, "") ?? `https://${shownHost}:${gateway.port}`,
    authority: certificate.authority,
    clusters: paths,
    userIn: (cluster) => users.get(cluster),
    lookAtCall: async (action, call, person) => {
      const cluster = [...clusters.values()].find(({ upstream }) => upstream.cluster === call.cluster);
      if (cluster === undefined)
        return { ok: false, code: "ACCESS_BAD_REQUEST", message: `there is no cluster ${call.cluster} behind the gateway` };
      return lookAtCallOver(cluster)(action, call, person);
    },
    close,
  };
}

type Common = Omit<ServeGatewayParts, "authenticator"> & {
  readonly records: CallRecords;
  readonly authenticator: Authenticator;
  readonly held: HeldCalls;
  /** Of the gateway's own account, by cluster. */
  readonly users: Map<string, string>;
};

async function clusterParts(
  cluster: GatewayCluster,
  flags: GatewayFlags,
  common: Common,
  closing: (() => Promise<void>)[],
): Promise<GatewayParts> {
  const { desk, io, trouble, rules } = common;
  const { client, namespaceLabels } = cluster;
  const context = cluster.name === "in-cluster" ? undefined : cluster.name;
  const home = io.env["HOME"] ?? homedir();
  const access = cluster.access ?? found(clusterAccess({ context, kubeconfig: flags.kubeconfig, env: io.env, home }));
  const upstream = found(await openUpstream(access));
  closing.push(() => upstream.close());
  const rights = new StandingRights({ client, trouble });
  await rights.start();
  closing.push(() => rights.stop());
  await gatewayRights(client).then((own) => {
    common.users.set(cluster.name, own.user);
    tellRights(own, cluster.name, io);
  }, trouble);
  const streams = new StreamRegistry({ desk, now: io.now, trouble });
  streams.start();
  return {
    upstream,
    authenticator: common.authenticator,
    rights,
    guardrails: cluster.guardrails,
    desk,
    records: common.records,
    streams,
    openTap: common.openTap,
    digestOf: common.digestOf,
    sealGrant: common.sealGrant,
    hold: (request, person) => Math.max(holdOf(rules(), request, person, io.now()), flags.gatewayHold * 1000),
    held: common.held,
    link: (id) => {
      const url = common.consoleUrl();
      return url === undefined ? undefined : `${url}/access/requests/${encodeURIComponent(id)}`;
    },
    namespaceLabels,
    origins: flags.gatewayOrigin ?? [],
    limits: { ...usualLimits, bodyBytes: flags.gatewayBody * mebibyte, streamsPerPerson: flags.gatewayStreams },
    now: io.now,
    trouble,
  };
}

/** Milliseconds that the request's rule lets a call wait. */
function holdOf(rules: AccessRules | undefined, { ask, rule, breakGlass }: AccessRequest, person: Person, at: number): number {
  const namespaceLabels = ask.type === "action" ? ask.action.namespaceLabels : undefined;
  const offers = rules?.offers(person, ask, { at, breakGlass, namespaceLabels }) ?? [];
  return (offers.find((offer) => offer.rule === rule.name)?.holdSeconds ?? 0) * 1000;
}

/** What the operator should know about the account that the gateway works with. */
function tellRights({ user, isSuperuser, constrained, legacy, missing }: GatewayRights, cluster: string, io: Io): void {
  const say = (text: string) => io.err(`castellan: gateway to ${cluster}: ${text}\n`);
  for (const what of missing)
    say(`its account ${user} may not ${what}: bind the role castellan-gateway (deploy/gateway-roles.yaml)`);
  if (isSuperuser)
    say(
      `its account ${user} is in system:masters, so who steals it is everybody: use an account with the role castellan-gateway`,
    );
  else if (constrained && legacy)
    say(`its account ${user} may impersonate anybody beside its constrained rights: take the verb "impersonate" from it`);
  else if (!constrained && legacy)
    say(`its account ${user} impersonates without constraints, as before Kubernetes 1.36: it could be anybody`);
}

interface ServerCertificate {
  readonly identity: TlsIdentity;
  readonly authority: string | undefined;
  /** The next one, where there is one. */
  renew(): Promise<TlsIdentity | undefined>;
}

async function certificateOf(flags: GatewayFlags, host: string, now: () => number): Promise<ServerCertificate> {
  const { gatewayTlsCertificate: certificateFile, gatewayTlsKey: keyFile } = flags;
  if (certificateFile !== undefined && keyFile !== undefined) {
    const read = async () => ({ certificate: await readPem(certificateFile), key: await readPem(keyFile) });
    return { identity: await read(), authority: undefined, renew: read };
  }
  if (certificateFile !== undefined || keyFile !== undefined)
    throw new UsageError("--gateway-tls-certificate and --gateway-tls-key belong together");
  const certificates = new ServingCertificates(join(flags.data, "gateway"), namesOf(flags, host));
  const { server, authorities } = await certificates.current(now());
  return {
    identity: server,
    authority: authorities,
    renew: async () => {
      const next = await certificates.current(now());
      return next.renewed ? next.server : undefined;
    },
  };
}

async function readPem(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`);
  });
}

function namesOf({ gatewayUrl }: GatewayFlags, host: string) {
  if (gatewayUrl !== undefined && !URL.canParse(gatewayUrl)) throw new UsageError(`"${gatewayUrl}" is no URL`);
  const url = gatewayUrl === undefined ? [] : [new URL(gatewayUrl).hostname.replace(/^\[|\]$/g, "")];
  const own = host === "0.0.0.0" || host === "::" ? [] : [host];
  const all = [...new Set([...url, ...own, "localhost", "127.0.0.1"])];
  const isIp = (text: string) => /^[\d.]+$/.test(text) || text.includes(":");
  return { dns: all.filter((text) => !isIp(text)), ips: all.filter(isIp) };
}
