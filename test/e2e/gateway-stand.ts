import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { objectDigest } from "../../src/access/digest.ts";
import type { Person } from "../../src/access/person.ts";
import type { AccessRequest } from "../../src/access/request.ts";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import { connect as connectClient } from "../../src/adapters/kubernetes/client.ts";
import { type ClusterAccess, clusterAccess } from "../../src/adapters/kubernetes/kubeconfig.ts";
import type { Ledger } from "../../src/adapters/store/ledger.ts";
import type { NewRecord } from "../../src/adapters/store/ledger-batch.ts";
import { type Gateway, listenForCalls } from "../../src/server/gateway/gateway.ts";
import { HeldCalls } from "../../src/server/gateway/held-calls.ts";
import type { GatewayLimits, GatewayParts, GuardrailJudge } from "../../src/server/gateway/parts.ts";
import { usualLimits } from "../../src/server/gateway/parts.ts";
import type { StreamTap } from "../../src/server/gateway/stream/tap.ts";
import { StreamRegistry } from "../../src/server/gateway/stream-registry.ts";
import { CallRecords } from "../../src/services/access/call-records.ts";
import type { AccessDesk, GrantUse, NewRequest, Outcome } from "../../src/services/access/desk.ts";
import { StandingRights } from "../../src/services/access/standing-rights.ts";
import { openUpstream } from "../../src/services/access/upstream/api-server.ts";
import type { Upstream } from "../../src/services/access/upstream/upstream.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";

export function person(name: string, groups: readonly string[] = [], more: Partial<Person> = {}): Person {
  const user = `${name}@example.com`;
  return { issuer: "https://issuer.example.com", subject: name, user, groups, human: name, isProgram: false, ...more };
}

/** A desk in memory: what a test says is granted, and what was asked. */
class TestDesk implements Pick<AccessDesk, "open" | "get" | "use" | "settled" | "isLocked" | "onChange" | "onLock"> {
  readonly opened: NewRequest[] = [];
  readonly steps: string[] = [];
  readonly locked = new Set<string>();
  readonly #onChange = new Set<(request: AccessRequest) => void>();
  readonly #onLock = new Set<(human: string) => void>();
  readonly requests = new Map<string, AccessRequest>();
  offers = false;
  /** The grant that covers the next calls of this person. */
  readonly live = new Map<string, AccessRequest>();

  async open(wanted: NewRequest): Promise<Outcome<AccessRequest>> {
    this.opened.push(wanted);
    if (!this.offers) return { ok: false, code: "ACCESS_NO_RULE", message: "no access rule offers it" };
    const request = requestOf(wanted, `req-${this.opened.length}`);
    this.requests.set(request.id, request);
    return { ok: true, value: request };
  }

  async get(id: string): Promise<AccessRequest | undefined> {
    return this.requests.get(id);
  }

  grant(id: string, human: string, milliseconds = 60_000): void {
    const request = this.requests.get(id);
    if (request === undefined) throw new Error(`no request ${id}`);
    const now = Date.now();
    const grant = {
      id: `grant-${id}`,
      from: now,
      until: now + milliseconds,
      group: "castellan:grant:test",
      use: "live",
    } as const;
    const granted: AccessRequest = { ...request, phase: "granted", grant };
    this.requests.set(id, granted);
    this.live.set(human, granted);
    for (const listener of this.#onChange) listener(granted);
  }

  end(id: string, why: string): void {
    const request = this.requests.get(id);
    if (request === undefined) throw new Error(`no request ${id}`);
    const ended: AccessRequest = { ...request, phase: "ended", ended: { at: Date.now(), why } };
    this.requests.set(id, ended);
    for (const listener of this.#onChange) listener(ended);
  }

  async use(who: Person): Promise<GrantUse | undefined> {
    const request = this.live.get(who.human);
    if (request === undefined) return undefined;
    this.live.delete(who.human);
    this.steps.push("consumed");
    return {
      request,
      sent: async () => {
        this.steps.push("sent");
        return { ok: true, value: request };
      },
      done: async (status) => void this.steps.push(`done ${status}`),
      unknown: async () => void this.steps.push("unknown"),
      returned: async () => {
        this.steps.push("returned");
        this.live.set(who.human, request);
      },
    };
  }

  async settled(id: string, until: number, signal?: AbortSignal): Promise<AccessRequest | undefined> {
    while (Date.now() < until && signal?.aborted !== true) {
      const request = this.requests.get(id);
      if (request?.phase !== "pending") return request;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.requests.get(id);
  }

  isLocked(human: string): boolean {
    return this.locked.has(human);
  }

  lockNow(human: string): void {
    this.locked.add(human);
    for (const listener of this.#onLock) listener(human);
  }

  onChange(listener: (request: AccessRequest) => void): () => void {
    this.#onChange.add(listener);
    return () => this.#onChange.delete(listener);
  }

  onLock(listener: (human: string) => void): () => void {
    this.#onLock.add(listener);
    return () => this.#onLock.delete(listener);
  }
}

function requestOf(wanted: NewRequest, id: string): AccessRequest {
  return {
    id,
    cluster: "test",
    requester: wanted.requester,
    ask: wanted.ask,
    reason: wanted.reason,
    rule: { name: "test", version: "1" },
    guardrails: wanted.guardrails ?? [],
    breakGlass: false,
    slots: [],
    approvals: [],
    opened: Date.now(),
    pendingUntil: Date.now() + 60_000,
    grantMilliseconds: 60_000,
    phase: "pending",
    seen: Date.now(),
    revision: 1,
  };
}

/** Small and quick, where the records are a test's own. */
const quick = { spoolBytes: 20_000, gatherMilliseconds: 100 };

const noGuardrails: GuardrailJudge = { needs: () => undefined, judge: () => [], onChange: () => () => {} };

const silentTap: StreamTap = {
  agreed: () => true,
  toClient: async () => {},
  toServer: async () => {},
  endsFrame: () => true,
  farewell: () => undefined,
  end: async () => {},
};

/** A gateway in this process before an API server, with people whose tokens are `<name>-token`. */
export class GatewayStand {
  readonly people = new Map<string, Person>();
  readonly desk = new TestDesk();
  readonly records: NewRecord[] = [];
  readonly troubles: unknown[] = [];
  /** While set, the ledger fails so. */
  ledgerFault: Error | undefined;
  hold = 0;
  #close: (() => Promise<void>)[] = [];
  #gateway: Gateway | undefined;
  streams: StreamRegistry | undefined;
  rights: StandingRights | undefined;
  callRecords: CallRecords | undefined;
  authority = "";
  directory = "";

  readonly #cluster: { readonly kubectl: string };
  readonly #ledger: Pick<Ledger, "append"> | undefined;

  /** With a ledger of its own, or one that keeps records in memory. */
  constructor(cluster: { readonly kubectl: string }, ledger?: Pick<Ledger, "append">) {
    this.#cluster = cluster;
    this.#ledger = ledger;
  }

  get port(): number {
    return this.#gateway?.port ?? 0;
  }

  async start(
    access: ClusterAccess,
    options: {
      readonly limits?: Partial<GatewayLimits>;
      readonly headersMilliseconds?: number;
      readonly guardrails?: GuardrailJudge;
      readonly parts?: Partial<GatewayParts>;
      readonly upstream?: Upstream;
    } = {},
  ): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), "castellan-gateway-"));
    const trouble = (error: unknown) => void this.troubles.push(error);
    const client = must(await connectClient(access));
    const upstream = options.upstream ?? must(await openUpstream(access));
    const rights = new StandingRights({ client, trouble });
    await rights.start();
    this.rights = rights;
    const append = async (records: readonly NewRecord[]) => {
      if (this.ledgerFault !== undefined) throw this.ledgerFault;
      this.records.push(...records);
      return records.map((_, seq) => ({ seq }));
    };
    const records = new CallRecords({
      ledger: this.#ledger ?? { append },
      directory: this.directory,
      trouble,
      ...(this.#ledger === undefined ? quick : {}),
    });
    await records.start();
    this.callRecords = records;
    const desk = unused<AccessDesk>(this.desk);
    const streams = new StreamRegistry({ desk, now: Date.now, trouble });
    streams.start();
    this.streams = streams;
    const ca = await createAuthority("test", Date.now(), 10);
    const server = await issueServerCertificate(ca, { dns: ["localhost"], ips: ["127.0.0.1"] }, Date.now(), 10);
    this.authority = ca.certificate;
    const parts: GatewayParts = {
      upstream,
      authenticator: {
        clientCertificates: undefined,
        authenticate: async ({ authorization }) => {
          if (authorization.length > 1) return { ok: false, status: 401, code: "IDENTITY_SEVERAL", message: "several" };
          const token = /^Bearer (\S+)-token$/.exec(authorization[0] ?? "")?.[1];
          const found = token === undefined ? undefined : this.people.get(token);
          if (found === undefined) return { ok: false, status: 401, code: "IDENTITY_INVALID", message: "unknown token" };
          return { ok: true, person: found };
        },
      },
      rights,
      guardrails: options.guardrails ?? noGuardrails,
      desk,
      records,
      streams,
      openTap: async () => ({
        ok: true,
        tap: silentTap,
      }),
      digestOf: objectDigest,
      sealGrant: (request) => `sealed-${request.id}`,
      hold: () => this.hold,
      held: new HeldCalls({ perPerson: 3, inAll: 4 }),
      link: (id) => `https://console.example.com/access/${id}`,
      namespaceLabels: () => undefined,
      origins: [],
      limits: { ...usualLimits, ...options.limits },
      now: Date.now,
      trouble,
      ...options.parts,
    };
    this.#gateway = await listenForCalls({
      host: "127.0.0.1",
      port: 0,
      headersMilliseconds: options.headersMilliseconds,
      identity: server,
      clusters: new Map([["", parts]]),
    });
    this.#close = [
      () => this.#gateway?.close() ?? Promise.resolve(),
      () => records.close(),
      () => rights.stop(),
      () => upstream.close(),
      () => client.close(),
      () => rm(this.directory, { recursive: true, force: true }),
    ];
  }

  async stop(): Promise<void> {
    for (const close of this.#close) await close();
  }

  /** A kubeconfig through the gateway, for one of the people. */
  async kubeconfig(name: string): Promise<string> {
    const file = join(this.directory, `${name}.kubeconfig`);
    const data = Buffer.from(this.authority).toString("base64");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${this.port}`, "certificate-authority-data": data } }],
      users: [{ name: "u", user: { token: `${name}-token` } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  async kubectl(name: string, args: readonly string[], input = ""): Promise<{ readonly code: number; readonly text: string }> {
    const env = { ...process.env, HOME: this.directory };
    const child = run(this.#cluster.kubectl, ["--kubeconfig", await this.kubeconfig(name), ...args], {
      env,
      maxBuffer: 64 << 20,
    });
    child.child.stdin?.end(input);
    return child.then(
      ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, text: error.stdout + error.stderr }),
    );
  }

  async spawnKubectl(name: string, args: readonly string[]) {
    const env = { ...process.env, HOME: this.directory };
    return spawn(this.#cluster.kubectl, ["--kubeconfig", await this.kubeconfig(name), ...args], { env });
  }

  /** What nothing normalises: bytes out, bytes in. */
  socket(): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: this.port, ca: this.authority, ALPNProtocols: ["http/1.1"] }, () =>
        resolve(socket),
      );
      socket.once("error", reject);
    });
  }

  /** Sends a request line with header lines as they are, and answers everything that came until the other side closed. */
  async raw(text: string): Promise<string> {
    const socket = await this.socket();
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.write(text, "latin1");
    await new Promise((resolve) => socket.once("close", resolve));
    return Buffer.concat(chunks).toString("utf8");
  }

  /** One request with `Connection: close`; the status and the body. */
  async ask(
    name: string,
    method: string,
    target: string,
    headers: readonly string[] = [],
    body = "",
  ): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
    const length =
      body === "" && !["POST", "PUT", "PATCH"].includes(method) ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const own = ["Host: gateway", `Authorization: Bearer ${name}-token`, ...length, ...headers];
    if (!headers.some((line) => /^connection:/i.test(line))) own.push("Connection: close");
    const answer = await this.raw(`${method} ${target} HTTP/1.1\r\n${own.join("\r\n")}\r\n\r\n${body}`);
    const at = answer.indexOf("\r\n\r\n");
    const head = answer.slice(0, at);
    const rest = Buffer.from(answer.slice(at + 4));
    const whole = /^transfer-encoding: chunked/im.test(head) ? unchunked(rest) : rest;
    return { status: Number(answer.slice(9, 12)), head, body: whole.toString() };
  }
}

const run = promisify(execFile);

export function must<T>(
  loaded: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly diagnostics: unknown },
): T {
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.value;
}

/** The parts of an interface that the gateway does not use are missing in tests. */
function unused<T extends object>(part: Partial<T>): T {
  return part as T;
}

/** The body that was sent in chunks. */
export function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.subarray(at, line).toString(), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
  return Buffer.concat(parts);
}

/** How a user of the cluster reaches it. */
export function accessAs(cluster: Cluster, user: string): ClusterAccess {
  return must(clusterAccess({ kubeconfig: cluster.kubeconfig, context: user, env: {}, home: "/" }));
}

/** The cluster's kubectl as its administrator. */
export async function asAdmin(cluster: Cluster, args: readonly string[], input = ""): Promise<string> {
  const child = run(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, ...args], { maxBuffer: 64 << 20 });
  child.child.stdin?.end(input);
  const { stdout } = await child;
  return stdout;
}

const repository = join(import.meta.dirname, "../..");

/** The user bob is the gateway's own account, with the role that we ship. */
export async function installGatewayRoles(cluster: Cluster): Promise<void> {
  await asAdmin(cluster, ["apply", "-f", join(repository, "deploy/gateway-roles.yaml")]);
  await asAdmin(cluster, ["create", "clusterrolebinding", "gateway-bob", "--clusterrole=castellan-gateway", "--user=bob"]);
}

/** An API server whose audit log can be read. */
export async function startAuditedCluster(): Promise<{
  readonly cluster: Cluster;
  events(): Promise<readonly AuditEvent[]>;
  stop(): Promise<void>;
}> {
  const directory = await mkdtemp(join(tmpdir(), "castellan-audit-"));
  const policy = join(directory, "policy.yaml");
  const log = join(directory, "audit.log");
  await writeFile(
    policy,
    JSON.stringify({
      apiVersion: "audit.k8s.io/v1",
      kind: "Policy",
      omitStages: ["RequestReceived"],
      rules: [{ level: "Metadata" }],
    }),
  );
  const cluster = await startCluster({
    kubelet: true,
    apiServerFlags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
  });
  if (!cluster.available) throw new Error(cluster.reason);
  return {
    cluster,
    events: async () => {
      const lines = (await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
      return lines.map((line): AuditEvent => JSON.parse(line));
    },
    stop: async () => {
      await cluster.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface AuditEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly impersonatedUser?: { readonly username: string; readonly groups?: readonly string[]; readonly uid?: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly userAgent?: string;
}
