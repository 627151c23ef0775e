import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseExactJson, writeExactJson } from "../../core/exact-json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { traced } from "../tracing.ts";
import { budgetOf } from "./call-time.ts";
import { Callers, type ReviewCallers } from "./callers.ts";

const inflate = promisify(gunzip);

/**
 * Answers one review of `path` (`/validate/deny`, ...) until that moment of `performance.now()`; undefined where there is no such path. Rejects
 * where no decision can be given.
 */
export type ReviewHandler = (path: string, review: JsonValue, until: number) => Promise<JsonObject | undefined>;

/** Takes a batch of events; resolves once they are kept. Rejects with `BadBatch`, or, so that it is sent again, with anything else. */
export type BatchHandler = (body: string, cluster: string) => Promise<void>;

/** What a batch holds is not what its path takes. */
export class BadBatch extends Error {}

/** A handler of batches that are one JSON value. */
export function jsonBatch(take: (value: JsonValue, cluster: string) => Promise<void>): BatchHandler {
  return async (body, cluster) => {
    let value: JsonValue;
    try {
      value = parseExactJson(body);
    } catch {
      throw new BadBatch("the body is not JSON");
    }
    await take(value, cluster);
  };
}

/** What is sent to us in batches, by path, by senders that have a token. */
export interface BatchReceiver {
  /** Whether an `Authorization` header is the right one. */
  readonly isAuthorized: (header: string | undefined) => boolean;
  readonly handlers: ReadonlyMap<string, BatchHandler>;
}

/** An object may have 3 MB in etcd's limit of a request; a review holds it twice. */
const maximumBody = 16 * 1024 * 1024;
/** A compressed batch may become so large. */
const maximumInflated = 64 * 1024 * 1024;

export interface WebhookServer {
  /** Takes up a renewed certificate; connections that are open stay. */
  renew(identity: TlsIdentity): void;
  readonly port: number;
  /** Takes no more requests, and resolves when those under way are answered. */
  close(): Promise<void>;
}

export interface WebhookServerOptions {
  readonly host: string;
  readonly port: number;
  readonly identity: TlsIdentity;
  /** Whose reviews are answered. */
  readonly callers: ReviewCallers;
  readonly handle: ReviewHandler;
  readonly batches: BatchReceiver;
  readonly onError: (error: unknown) => void;
}

/** The HTTPS listener that the API server calls. Resolves once it listens; rejects where the address is taken. */
export async function listenForReviews(options: WebhookServerOptions): Promise<WebhookServer> {
  const callers = new Callers(options.callers);
  const server = createServer(
    { ...callers.tls(options.identity), ...callers.limits, keepAliveTimeout: 120_000 },
    (request, response) => {
      answer(request, response, callers, options).catch(options.onError);
    },
  );
  server.on("connection", (socket) => callers.connected(socket));
  server.on("secureConnection", (socket) => callers.secured(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    renew: (identity) => server.setSecureContext(callers.tls(identity)),
    port: portOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  callers: Callers,
  options: WebhookServerOptions,
): Promise<void> {
  const arrived = performance.now();
  const url = new URL(request.url ?? "/", "https://castellan");
  if (request.method === "GET" && (url.pathname === "/healthz" || url.pathname === "/readyz")) return end(response, 200, "ok");
  if (request.method !== "POST") return refuse(response, 405, "only POST");
  // Refused before the body is read: who is not known costs nothing.
  const batch = options.batches.handlers.get(url.pathname);
  if (batch !== undefined && !options.batches.isAuthorized(request.headers.authorization))
    return refuse(response, 401, "the token is missing or wrong");
  const path = batch === undefined ? callers.admit(url.pathname, request.socket) : url.pathname;
  if (typeof path !== "string") return refuse(response, path.status, path.message);
  callers.prove(request.socket);
  const body = await read(request);
  if (body === undefined) return refuse(response, 413, `a body may have ${maximumBody} bytes, ${maximumInflated} once inflated`);
  if (batch !== undefined) return takeBatch(batch, body, url.searchParams.get("cluster") ?? "default", response, options);
  let value: JsonValue;
  try {
    value = parseExactJson(body);
  } catch {
    return end(response, 400, "the body is not JSON");
  }
  const until = arrived + budgetOf(url.searchParams.get("timeout"));
  try {
    const answered = await traced("castellan.admission", request.headers, { "url.path": path }, () =>
      options.handle(path, value, until),
    );
    if (answered === undefined) end(response, 404, "there is no such webhook");
    else end(response, 200, writeExactJson(answered), "application/json");
  } catch (error) {
    options.onError(error);
    // The API server applies the webhook's failurePolicy and shows this text.
    end(response, 500, error instanceof Error ? error.message : String(error));
  }
}

async function takeBatch(
  take: BatchHandler,
  body: string,
  cluster: string,
  response: ServerResponse,
  { onError }: WebhookServerOptions,
): Promise<void> {
  try {
    await take(body, cluster);
    end(response, 200, "kept");
  } catch (error) {
    if (error instanceof BadBatch) return end(response, 400, error.message);
    onError(error);
    // Then the sender tries again.
    end(response, 503, error instanceof Error ? error.message : String(error));
  }
}

/** What is still to come is not waited for, and who goes on asking has to connect anew. */
function refuse(response: ServerResponse, status: number, text: string): void {
  response.shouldKeepAlive = false;
  end(response, status, text);
}

function end(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}

/** Undefined where the body is too large, or not what its encoding says. */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const bytes = await bytesOf(request);
  if (bytes === undefined) return undefined;
  if (request.headers["content-encoding"] !== "gzip") return bytes.toString("utf8");
  return inflate(bytes, { maxOutputLength: maximumInflated }).then(
    (text) => text.toString("utf8"),
    () => undefined,
  );
}

/** Listeners cost a third of what an asynchronous iterator does. */
function bytesOf(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maximumBody) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on("end", () => {
      const [only] = chunks;
      resolve(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks));
    });
    request.on("error", reject);
  });
}
