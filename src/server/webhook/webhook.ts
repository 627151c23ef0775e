import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { parseExactJson, writeExactJson } from "../../core/exact-json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";

/** A certificate and its key, PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** Answers one review of `path` (`/validate/deny`, ...); undefined where there is no such path. Rejects where no decision can be given. */
export type ReviewHandler = (path: string, review: JsonValue) => Promise<JsonObject | undefined>;

/** An object may have 3 MB in etcd's limit of a request; a review holds it twice. */
const maximumBody = 16 * 1024 * 1024;

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
  readonly handle: ReviewHandler;
  readonly onError: (error: unknown) => void;
}

/** The HTTPS listener that the API server calls. Resolves once it listens; rejects where the address is taken. */
export async function listenForReviews(options: WebhookServerOptions): Promise<WebhookServer> {
  const server = createServer(
    { cert: options.identity.certificate, key: options.identity.key, keepAliveTimeout: 120_000 },
    (request, response) => {
      answer(request, response, options).catch(options.onError);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    renew: ({ certificate, key }) => server.setSecureContext({ cert: certificate, key }),
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
  { handle, onError }: WebhookServerOptions,
): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  if (request.method === "GET" && (path === "/healthz" || path === "/readyz")) return end(response, 200, "ok");
  if (request.method !== "POST") return end(response, 405, "only POST");
  const body = await read(request);
  if (body === undefined) return end(response, 413, `a review may have ${maximumBody} bytes`);
  let review: JsonValue;
  try {
    review = parseExactJson(body);
  } catch {
    return end(response, 400, "the body is not JSON");
  }
  try {
    const answered = await handle(path, review);
    if (answered === undefined) end(response, 404, "there is no such webhook");
    else end(response, 200, writeExactJson(answered), "application/json");
  } catch (error) {
    onError(error);
    // The API server applies the webhook's failurePolicy and shows this text.
    end(response, 500, error instanceof Error ? error.message : String(error));
  }
}

function end(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}

async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maximumBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
