import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { parseExactJson, writeExactJson } from "../../core/exact-json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { traced } from "../tracing.ts";
import { Batches, type BatchReceiver, type BatchResponse, batchAt } from "./batches.ts";
import { readBody } from "./body.ts";
import { budgetOf } from "./call-time.ts";
import { Callers, type ReviewCallers } from "./callers.ts";

/**
 * Answers one review of `path` (`/validate/deny`, ...) until that moment of `performance.now()`; undefined where there is no such path. Rejects
 * where no decision can be given.
 */
export type ReviewHandler = (path: string, review: JsonValue, until: number) => Promise<JsonObject | undefined>;

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
  const batches = new Batches(options.onError, options.batches.room);
  const underWay = new Set<ServerResponse>();
  const server = createServer(
    { ...callers.tls(options.identity), ...callers.limits, keepAliveTimeout: 120_000 },
    (request, response) => {
      underWay.add(response);
      response.once("close", () => underWay.delete(response));
      if (!server.listening) response.shouldKeepAlive = false;
      answer(request, response, callers, batches, options).catch(options.onError);
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
        // An API server keeps its connections for minutes, which would be waited for.
        for (const response of underWay) response.shouldKeepAlive = false;
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
  batches: Batches,
  options: WebhookServerOptions,
): Promise<void> {
  const arrived = performance.now();
  const url = new URL(request.url ?? "/", "https://castellan");
  if (request.method === "GET" && (url.pathname === "/healthz" || url.pathname === "/readyz")) return end(response, 200, "ok");
  if (request.method !== "POST") return refuse(response, 405, "only POST");
  // Refused before the body is read: who is not known costs nothing.
  const batch = batchAt(options.batches.handlers, url);
  if (batch !== undefined) {
    if (!options.batches.isAuthorized(request.headers.authorization) && !callers.isCertified(request.socket))
      return refuse(response, 401, "the token is missing or wrong, and no client certificate was shown that this server trusts");
    callers.prove(request.socket);
    return respond(response, await batches.take(request, batch));
  }
  const path = callers.admit(url.pathname, request.socket);
  if (typeof path !== "string") return refuse(response, path.status, path.message);
  callers.prove(request.socket);
  const body = await readBody(request);
  if (!body.ok) return refuse(response, body.status, body.message);
  let value: JsonValue;
  try {
    value = parseExactJson(body.bytes.toString("utf8"));
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

function respond(response: ServerResponse, { status, body, type = "text/plain", retryAfter }: BatchResponse): void {
  // What was not read to its end is still under way on this connection.
  if (status === 413 || status === 415 || status === 429) response.shouldKeepAlive = false;
  if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
  end(response, status, body, type);
}

/** What is still to come is not waited for, and who goes on asking has to connect anew. */
function refuse(response: ServerResponse, status: number, text: string): void {
  response.shouldKeepAlive = false;
  end(response, status, text);
}

function end(response: ServerResponse, status: number, text: Uint8Array | string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}
