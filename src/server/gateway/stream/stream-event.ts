import type { RecordedEvent } from "../../../services/access/recording/event.ts";
import type { Farewell } from "./farewell.ts";

/** What the bytes of an upgraded connection show. */
export type StreamEvent =
  | RecordedEvent
  /** A connection to a port of the pod. */
  | { readonly kind: "port"; readonly port: number }
  /** So many bytes of forwarded connections. */
  | { readonly kind: "carried"; readonly direction: "in" | "out"; readonly bytes: number };

/** Reads both directions of one connection, whatever way its bytes are cut into pieces. */
export interface StreamReader {
  /** Rejects with `StreamUnreadable`; the reader is of no use then. */
  fromServer(bytes: Buffer): Promise<readonly StreamEvent[]>;
  fromClient(bytes: Buffer): Promise<readonly StreamEvent[]>;
  /** How the client is told why it is cut. */
  readonly farewell: Farewell;
  close(): void;
}

/** The bytes are not what was agreed on, so nobody can say what they do: they are not passed on. */
export class StreamUnreadable extends Error {
  readonly code = "STREAM_UNREADABLE";
}
