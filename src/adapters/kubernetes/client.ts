import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay } from "node:timers/promises";
import { type Dispatcher, EnvHttpProxyAgent, Pool, ProxyAgent } from "undici";
import { type Loaded, loaded } from "../../core/diagnostic.ts";
import { parseExactJson, writeExactJson } from "../../core/exact-json.ts";
import { asString, type JsonValue, member } from "../../core/json.ts";
import { once } from "../../core/once.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { tokenClaims } from "./token-claims.ts";
import { TokenFile } from "./token-file.ts";

/** What the API server, or the way to it, answered instead of success. */
export class ApiError extends Error {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** Of a Kubernetes Status: `Forbidden`, `Expired`, ... */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** A request that changes something, or asks a question in its body. */
export interface WriteRequest {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: JsonValue;
  /** Of the body: `application/json` unless told. */
  readonly contentType?: string;
}

/** Talks to one API server. */
export interface KubernetesClient {
  readonly context: string;
  /** GET of a path with its query. Tries again where the server is busy or the connection broke. Throws `ApiError`. */
  get(path: string, accept?: string): Promise<JsonValue>;
  /** Sent once: nobody knows whether a write whose answer was lost was done. Throws `ApiError`. */
  send(request: WriteRequest): Promise<JsonValue>;
  /** A GET that stays open: its lines as they come, until the server ends it or `signal` aborts. Throws `ApiError`. */
  lines(path: string, signal: AbortSignal): AsyncGenerator<string>;
  close(): Promise<void>;
}

const connections = 6;
const tries = 5;
const requestTimeoutMilliseconds = 120_000;

/** A client for a cluster, with its credentials in hand; nothing has been asked of the server yet. */
export async function connect(access: ClusterAccess): Promise<Loaded<KubernetesClient>> {
  const credentials = await credentialsOf(access);
  if (!credentials.ok) return credentials;
  return loaded(new Client(access, credentials.value));
}

type Request =
  | WriteRequest
  | { readonly method: "GET"; readonly path: string; readonly body?: undefined; readonly contentType?: undefined };

class Client implements KubernetesClient {
  readonly context: string;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #ownHeaders: Credentials["headers"];
  readonly #tokenFile: TokenFile | undefined;
  readonly #dispatcher: Dispatcher;
  /** Of its own: watches that stay open must not take the connections of short requests. */
  readonly #watching: () => Dispatcher;

  constructor(access: ClusterAccess, credentials: Credentials) {
    const { origin, pathname } = new URL(access.server);
    this.context = access.context;
    this.#origin = origin;
    // Servers behind Rancher and the like have a path of their own.
    this.#prefix = pathname.replace(/\/+$/, "");
    this.#ownHeaders = { ...credentials.headers, "user-agent": "castellan" };
    const { tokenFile } = access.identity;
    this.#tokenFile = tokenFile === undefined ? undefined : new TokenFile(tokenFile);
    this.#dispatcher = dispatcherFor(access, credentials, connections);
    this.#watching = once(() => dispatcherFor(access, credentials, null));
  }

  async get(path: string, accept = "application/json"): Promise<JsonValue> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once({ method: "GET", path }, accept);
      } catch (error) {
        if (!(error instanceof TryAgain) || attempt === tries) throw error instanceof TryAgain ? error.error : error;
        await delay(error.milliseconds ?? Math.min(250 * 2 ** (attempt - 1), 4000));
      }
    }
  }

  async send(request: WriteRequest): Promise<JsonValue> {
    try {
      return await this.#once(request, "application/json");
    } catch (error) {
      throw error instanceof TryAgain ? error.error : error;
    }
  }

  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#watching().request({
        origin: this.#origin,
        path: this.#prefix + path,
        method: "GET",
        headers: { ...this.#headers(), accept: "application/json" },
        headersTimeout: requestTimeoutMilliseconds,
        bodyTimeout: 0,
        signal,
      });
    } catch (error) {
      throw new ApiError(0, "", connectionMessage(error));
    }
    if (response.statusCode !== 200) throw this.#errorOf(response.statusCode, await response.body.text());
    const decoder = new StringDecoder("utf8");
    let rest = "";
    for await (const chunk of response.body) {
      const parts = (rest + decoder.write(chunk)).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) if (line !== "") yield line;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#dispatcher.destroy(), this.#watching().destroy()]);
  }

  #headers(): Credentials["headers"] {
    if (this.#tokenFile === undefined) return this.#ownHeaders;
    return { ...this.#ownHeaders, authorization: `Bearer ${this.#tokenFile.token}` };
  }

  /** Of a token that is refused it is said what the token itself says. */
  #errorOf(status: number, text: string): ApiError {
    const error = errorOf(status, text);
    if (status !== 401) return error;
    const why = refusalOf(this.#headers()["authorization"], Date.now());
    this.#tokenFile?.readAgain();
    return why === undefined ? error : new ApiError(status, error.reason, `${error.message}: ${why}`);
  }

  async #once(request: Request, accept: string): Promise<JsonValue> {
    const { method, path, body, contentType = "application/json" } = request;
    let status: number;
    let retryAfter: string | string[] | undefined;
    let text: string;
    try {
      const response = await this.#dispatcher.request({
        origin: this.#origin,
        path: this.#prefix + path,
        method,
        headers: { ...this.#headers(), accept, ...(body === undefined ? {} : { "content-type": contentType }) },
        ...(body === undefined ? {} : { body: writeExactJson(body) }),
        headersTimeout: requestTimeoutMilliseconds,
        bodyTimeout: requestTimeoutMilliseconds,
      });
      status = response.statusCode;
      retryAfter = response.headers["retry-after"];
      text = await response.body.text();
    } catch (error) {
      const failure = new ApiError(0, "", connectionMessage(error));
      throw isBroken(error) ? new TryAgain(failure) : failure;
    }
    if (status >= 200 && status < 300) return parseExactJson(text);
    const failure = this.#errorOf(status, text);
    if (status !== 429 && status < 500) throw failure;
    const seconds = Number(retryAfter);
    throw new TryAgain(failure, seconds > 0 ? Math.min(seconds, 30) * 1000 : undefined);
  }
}

/** A failure that may pass. */
class TryAgain extends Error {
  readonly error: ApiError;
  readonly milliseconds: number | undefined;

  constructor(error: ApiError, milliseconds?: number) {
    super(error.message);
    this.error = error;
    this.milliseconds = milliseconds;
  }
}

function dispatcherFor(access: ClusterAccess, credentials: Credentials, connections: number | null): Dispatcher {
  const tls = {
    rejectUnauthorized: !access.insecure,
    ...(access.authority === undefined ? {} : { ca: access.authority }),
    ...(access.serverName === undefined ? {} : { servername: access.serverName }),
    ...(credentials.certificate === undefined ? {} : { cert: credentials.certificate }),
    ...(credentials.key === undefined ? {} : { key: credentials.key }),
  };
  const pool = connections === null ? {} : { connections };
  if (access.proxy !== undefined) return new ProxyAgent({ uri: access.proxy, requestTls: tls, ...pool });
  const proxied = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].some((name) => (process.env[name] ?? "") !== "");
  if (proxied) return new EnvHttpProxyAgent({ requestTls: tls, connect: tls, ...pool });
  return new Pool(new URL(access.server).origin, { ...pool, connect: tls });
}

/** Undefined where the token says nothing of its end. */
function refusalOf(authorization: string | readonly string[] | undefined, now: number): string | undefined {
  const token = typeof authorization === "string" ? authorization.replace(/^Bearer /, "") : "";
  const { ends, subject = "its account" } = tokenClaims(token) ?? {};
  if (ends === undefined) return undefined;
  const end = new Date(ends).toISOString();
  if (ends <= now) return `the token of ${subject} ended at ${end}`;
  return `the token of ${subject} would end at ${end} and is refused before: the account, or what it was bound to, is gone`;
}

function errorOf(status: number, text: string): ApiError {
  let body: JsonValue | undefined;
  try {
    body = JSON.parse(text);
  } catch {
    // Proxies answer in HTML.
  }
  const message = asString(member(body, "message")) ?? (text.trim().slice(0, 200) || `HTTP status ${status}`);
  return new ApiError(status, asString(member(body, "reason")) ?? "", message);
}

function isBroken(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ETIMEDOUT"].includes(String(code));
}

function connectionMessage(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error instanceof Error ? error.message : String(error);
}
