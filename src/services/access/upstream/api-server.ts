import { readFileSync } from "node:fs";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { type Dispatcher, Pool } from "undici";
import { type Credentials, credentialsOf } from "../../../adapters/kubernetes/credentials.ts";
import type { ClusterAccess } from "../../../adapters/kubernetes/kubeconfig.ts";
import { failed, type Loaded, loaded } from "../../../core/diagnostic.ts";
import { Http2Connections } from "./http2-connections.ts";
import { upgradeOver } from "./upgrade.ts";
import type { AnswerSink, Fields, UpgradeAnswer, Upstream, UpstreamCall, UpstreamExchange } from "./upstream.ts";

/** Each carries one request at a time; the API server itself bounds what it takes (priority and fairness). */
const shortConnections = 256;
/** The API server ends idle connections after 90 s: ours go first, so that no request meets a closing one. */
const idleMilliseconds = 30_000;
const connectMilliseconds = 10_000;
/** The API server ends what it calls short after 60 s, and what waits (a delete, a webhook) later. */
const answerMilliseconds = 330_000;
/** Tokens in files are replaced long before they end. */
const tokenMilliseconds = 60_000;

/** The way to a cluster with the gateway's own credentials. Nothing is asked of the server yet. */
export async function openUpstream(access: ClusterAccess): Promise<Loaded<Upstream>> {
  if (access.proxy !== undefined) {
    return failed({
      code: "KUBECONFIG_INVALID",
      severity: "error",
      message: `context "${access.context}" reaches its cluster through a proxy (proxy-url), which the gateway cannot use`,
      next: "Let the gateway reach the API server without a proxy.",
    });
  }
  const credentials = await credentialsOf(access);
  if (!credentials.ok) return credentials;
  return loaded(new ApiServer(access, credentials.value));
}

/**
 * Short requests go over HTTP/1.1 connections that are kept; long ones over HTTP/2, whose connections carry as many as the server
 * allows (100 at Kubernetes), or over one HTTP/1.1 connection each where the server speaks no HTTP/2.
 */
class ApiServer implements Upstream {
  readonly cluster: string;
  readonly #prefix: string;
  readonly #origin: URL;
  readonly #tls: ConnectionOptions;
  readonly #short: Pool;
  readonly #long: Pool;
  readonly #http2: Http2Connections;
  readonly #tokenFile: string | undefined;
  #own: Fields;
  #tokenRead = performance.now();

  constructor(access: ClusterAccess, credentials: Credentials) {
    this.cluster = access.context;
    this.#origin = new URL(access.server);
    // Servers behind Rancher and the like have a path of their own.
    this.#prefix = this.#origin.pathname.replace(/\/+$/, "");
    this.#tokenFile = access.identity.tokenFile;
    this.#own = this.#ownFields(authorizationOf(credentials));
    const host = this.#origin.hostname.replace(/^\[|\]$/g, "");
    this.#tls = {
      host,
      port: Number(this.#origin.port || "443"),
      rejectUnauthorized: !access.insecure,
      ...(access.authority === undefined ? {} : { ca: access.authority }),
      ...(/^[\d.]+$|:/.test(access.serverName ?? host) ? {} : { servername: access.serverName ?? host }),
      ...(credentials.certificate === undefined ? {} : { cert: credentials.certificate }),
      ...(credentials.key === undefined ? {} : { key: credentials.key }),
    };
    const pool = {
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: idleMilliseconds,
      keepAliveMaxTimeout: idleMilliseconds,
      headersTimeout: answerMilliseconds,
      connect: { ...withoutAddress(this.#tls), timeout: connectMilliseconds, keepAlive: true },
    };
    this.#short = new Pool(this.#origin.origin, { ...pool, connections: shortConnections, bodyTimeout: answerMilliseconds });
    this.#long = new Pool(this.#origin.origin, { ...pool, connections: null, bodyTimeout: 0 });
    this.#http2 = new Http2Connections(this.#tls);
  }

  send(call: UpstreamCall, sink: AnswerSink): UpstreamExchange {
    return dispatch(this.#short, this.#complete(call), sink);
  }

  open(call: UpstreamCall, sink: AnswerSink): UpstreamExchange {
    const complete = this.#complete(call);
    return this.#http2.open(complete, sink, () => dispatch(this.#long, complete, sink));
  }

  async upgrade(call: UpstreamCall, protocol: string, signal: AbortSignal): Promise<UpgradeAnswer> {
    const socket = await this.#connect(signal);
    try {
      return await upgradeOver(socket, this.#complete(call), protocol, signal);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async probe(): Promise<void> {
    const { body } = await this.#short.request({
      path: `${this.#prefix}/livez`,
      method: "GET",
      headers: this.#own.flat(),
      headersTimeout: connectMilliseconds,
    });
    await body.dump();
  }

  async close(): Promise<void> {
    this.#http2.close();
    await Promise.all([this.#short.destroy(), this.#long.destroy()]);
  }

  #complete(call: UpstreamCall): UpstreamCall {
    if (this.#tokenFile !== undefined && performance.now() - this.#tokenRead > tokenMilliseconds)
      this.#readToken(this.#tokenFile);
    return { ...call, target: this.#prefix + call.target, fields: [...this.#own, ...call.fields] };
  }

  #readToken(file: string): void {
    this.#tokenRead = performance.now();
    try {
      this.#own = this.#ownFields(`Bearer ${readFileSync(file, "utf8").trim()}`);
    } catch {
      // Being replaced: the one in hand is good for a while.
    }
  }

  #ownFields(authorization: string | undefined): Fields {
    return [["host", this.#origin.host], ...(authorization === undefined ? [] : [["authorization", authorization] as const])];
  }

  #connect(signal: AbortSignal): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ ...this.#tls, ALPNProtocols: ["http/1.1"] });
      const timer = setTimeout(() => fail(new Error("the API server did not take the connection in time")), connectMilliseconds);
      const onAbort = () => fail(new Error("given up"));
      const fail = (error: Error) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        socket.destroy();
        reject(error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      socket.once("error", fail);
      socket.once("secureConnect", () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        socket.off("error", fail);
        socket.setNoDelay(true);
        resolve(socket);
      });
    });
  }
}

function authorizationOf({ headers }: Credentials): string | undefined {
  const value = headers["authorization"];
  return typeof value === "string" ? value : undefined;
}

function withoutAddress({ host: _h, port: _p, ...tls }: ConnectionOptions): ConnectionOptions {
  return tls;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

function dispatch(pool: Dispatcher, call: UpstreamCall, sink: AnswerSink): UpstreamExchange {
  const method = methods.find((m) => m === call.method);
  if (method === undefined) throw new Error(`no call is made by ${call.method}`);
  let controller: Dispatcher.DispatchController | undefined;
  let over = false;
  pool.dispatch(
    { path: call.target, method, headers: call.fields.flat(), body: call.body ?? null },
    {
      onRequestStart(started) {
        controller = started;
        if (over) started.abort(new Error("given up"));
      },
      onResponseStart(started, status) {
        if (over || status < 200) return;
        sink.head(status, pairs(started.rawHeaders), { resume: () => started.resume() });
      },
      onResponseData(started, chunk) {
        if (!over && !sink.data(chunk)) started.pause();
      },
      onResponseEnd() {
        if (over) return;
        over = true;
        sink.end();
      },
      onResponseError(_, error) {
        if (over) return;
        over = true;
        sink.fail(error);
      },
    },
  );
  return {
    abort: () => {
      if (over) return;
      over = true;
      controller?.abort(new Error("given up"));
    },
  };
}

/** Of the parser's flat list of names and values. */
function pairs(raw: Dispatcher.DispatchController["rawHeaders"]): Fields {
  if (!Array.isArray(raw)) return [];
  const text = (value: Buffer | string | undefined) => (typeof value === "string" ? value : (value?.toString("latin1") ?? ""));
  const fields: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([text(raw[i]), text(raw[i + 1])]);
  return fields;
}
