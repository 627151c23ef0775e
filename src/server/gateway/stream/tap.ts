import type { Person } from "../../../access/person.ts";
import type { RequestedAction } from "../../../access/requested-action.ts";

/** Sees the bytes of both directions of one upgraded connection, from behind the head of the 101 response on. */
export interface StreamTap {
  /** Resolves when what these bytes show is durable; only then may they be passed on. Rejects: cut both sides. */
  toClient(bytes: Buffer): Promise<void>;
  toServer(bytes: Buffer): Promise<void>;
  /** What the server chose, before the first byte: false where it cannot be read, so that the stream must be cut. */
  agreed(subprotocol: string | undefined): boolean;
  /** Takes what was seen of the server, in order; whether it ends with a whole frame. */
  endsFrame(bytes: Buffer): boolean;
  /** What tells the client why it is cut, to be sent behind a whole frame; undefined where there is no place for it. */
  farewell(why: string): Buffer | undefined;
  /** The stream is over; seals the recording. Idempotent. */
  end(why: string): Promise<void>;
}

export interface TapRequest {
  readonly kind: "exec" | "attach" | "portforward";
  readonly protocol: "websocket" | "spdy";
  /** What the client likes best, of `Sec-WebSocket-Protocol` or SPDY's `X-Stream-Protocol-Version`; the server may choose another. */
  readonly subprotocol: string | undefined;
  /** Of the request's target: `container`, `command`, `tty`, `stdin`, `stdout`, `stderr`, `ports`. */
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly person: Person;
  readonly action: RequestedAction;
  /** Of the access request whose grant is used. */
  readonly requestId: string | undefined;
  /** The `Audit-ID` under which the call was forwarded. */
  readonly auditId: string;
}

/** Refused: the connection is not upgraded, or cut where it already is. */
export type OpenTap = (
  request: TapRequest,
) => Promise<
  { readonly ok: true; readonly tap: StreamTap } | { readonly ok: false; readonly code: string; readonly message: string }
>;
