import type { IncomingMessage } from "node:http";
import { parseExactJson } from "../../core/exact-json.ts";
import type { JsonValue } from "../../core/json.ts";
import { maximumBody, maximumInflated, readBody } from "./body.ts";

/** What was sent at once. */
export interface Batch {
  readonly body: Buffer;
  /** Its media type, without parameters, in lower case; "" where none was said. */
  readonly type: string;
  /** Where it is from. */
  readonly cluster: string;
}

/** What the sender hears, where it wants more than that the batch is kept. */
export interface BatchAnswer {
  readonly type: string;
  readonly body: Uint8Array | string;
}

/** Takes a batch; resolves once it is kept. Rejects with `BadBatch`, or, so that it is sent again, with anything else. */
// biome-ignore lint/suspicious/noConfusingVoidType: most handlers have nothing to say.
export type BatchHandler = (batch: Batch) => Promise<BatchAnswer | void>;

/** What a batch holds is not what its path takes: sent again it would be no better. */
export class BadBatch extends Error {
  /** What the sender hears in place of the message as text. */
  readonly answer: BatchAnswer | undefined;
  constructor(message: string, answer?: BatchAnswer) {
    super(message);
    this.answer = answer;
  }
}

/** Too much is under way: later it will be taken. */
export class TooBusy extends Error {}

/** A handler of batches that are one JSON value. */
export function jsonBatch(take: (value: JsonValue, cluster: string) => Promise<void>): BatchHandler {
  return async ({ body, cluster }) => take(jsonOf(body), cluster);
}

/** Throws `BadBatch`. */
export function jsonOf(body: Buffer): JsonValue {
  try {
    return parseExactJson(body.toString("utf8"));
  } catch {
    throw new BadBatch("the body is not JSON");
  }
}

/** What is sent to us in batches, by path, by senders that have a token or a certificate. */
export interface BatchReceiver {
  /** Whether an `Authorization` header is the right one. */
  readonly isAuthorized: (header: string | undefined) => boolean;
  readonly handlers: ReadonlyMap<string, BatchHandler>;
  /** Bytes that batches under way may hold together; undefined: as usual. */
  readonly room?: number;
}

/** Where a batch goes, and from which cluster it is. */
export interface BatchPath {
  readonly take: BatchHandler;
  readonly cluster: string;
}

/**
 * The cluster is the rest of the path (`/audit/prod`), as an API server sends no query of its webhook's address, or it is in the query
 * (`/audit?cluster=prod`). Undefined: the path takes no batches.
 */
export function batchAt(handlers: BatchReceiver["handlers"], { pathname, searchParams }: URL): BatchPath | undefined {
  for (const [path, take] of handlers) {
    if (pathname === path) return { take, cluster: searchParams.get("cluster") ?? "default" };
    if (pathname.startsWith(`${path}/`) && pathname.length > path.length + 1)
      return { take, cluster: decoded(pathname.slice(path.length + 1)) };
  }
  return undefined;
}

/** A context's name may hold slashes, and somebody may write a percent sign as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export interface BatchResponse {
  readonly status: number;
  readonly body: Uint8Array | string;
  readonly type?: string;
  /** After how many seconds the sender should try again. */
  readonly retryAfter?: number;
}

/** What batches under way may hold together: each is in memory as it came, inflated, and as values. */
const usualRoom = 4 * maximumInflated;
/** What audit events shrink to by gzip, at the most that is usual. */
const usualRatio = 32;

/** Takes batches, as many at once as there is room for; the others are to come again. */
export class Batches {
  readonly #room: number;
  readonly #onError: (error: unknown) => void;
  #held = 0;

  constructor(onError: (error: unknown) => void, room: number = usualRoom) {
    this.#onError = onError;
    this.#room = room;
  }

  async take(request: IncomingMessage, { take, cluster }: BatchPath): Promise<BatchResponse> {
    const size = sizeOf(request);
    // One alone is taken, whatever it says of itself.
    if (this.#held > 0 && this.#held + size > this.#room)
      return { status: 429, body: "too many batches are under way", retryAfter: soon };
    this.#held += size;
    try {
      const body = await readBody(request);
      if (!body.ok) return { status: body.status, body: body.message };
      const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
      return { status: 200, body: "kept", ...(await take({ body: body.bytes, type, cluster })) };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (error instanceof BadBatch) return { status: 400, body: text, ...error.answer };
      if (error instanceof TooBusy) return { status: 429, body: text, retryAfter: soon };
      this.#onError(error);
      return { status: 503, body: text, retryAfter: later };
    } finally {
      this.#held -= size;
    }
  }
}

/** Seconds after which there is room again, and after which a database may have come back. */
const soon = 1;
const later = 5;

/** How much it may hold, bytes; the most that is allowed where it does not say. */
function sizeOf({ headers }: IncomingMessage): number {
  const said = headers["content-length"] === undefined ? maximumBody : Number(headers["content-length"]);
  return headers["content-encoding"] === "gzip" ? Math.min(said * usualRatio, maximumInflated) : Math.min(said, maximumBody);
}
