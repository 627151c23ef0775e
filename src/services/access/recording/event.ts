/** What a session showed, or what its person did to it. */
export type RecordedEvent =
  | { readonly kind: "stdout" | "stderr" | "stdin" | "status"; readonly bytes: Buffer }
  /** Columns and rows of the person's terminal. */
  | { readonly kind: "resize"; readonly width: number; readonly height: number };

export interface TimedEvent {
  /** Milliseconds since the session began. */
  readonly at: number;
  readonly event: RecordedEvent;
}

const kinds = ["stdin", "stdout", "stderr", "status", "resize"] as const;
const headLength = 9;

/** As it is stored: a byte for the kind, four each for the time and the length, then the bytes as they were delivered. */
export function encodeEvent({ at, event }: TimedEvent): Buffer {
  const body = event.kind === "resize" ? sizeBytes(event.width, event.height) : event.bytes;
  const head = Buffer.allocUnsafe(headLength);
  head[0] = kinds.indexOf(event.kind);
  head.writeUInt32BE(Math.min(0xffffffff, Math.max(0, Math.round(at))), 1);
  head.writeUInt32BE(body.length, 5);
  return Buffer.concat([head, body]);
}

function sizeBytes(width: number, height: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt16BE(width, 0);
  bytes.writeUInt16BE(height, 2);
  return bytes;
}

/** The events of one chunk; throws where it is none of ours. */
export function* decodeEvents(chunk: Uint8Array): Generator<TimedEvent> {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const kind = kinds[bytes[at] ?? -1];
    if (kind === undefined || at + headLength > bytes.length) throw new Error("a recording that is damaged");
    const [time, length] = [bytes.readUInt32BE(at + 1), bytes.readUInt32BE(at + 5)];
    const body = bytes.subarray(at + headLength, at + headLength + length);
    if (body.length !== length) throw new Error("a recording that is damaged");
    at += headLength + length;
    yield {
      at: time,
      event: kind === "resize" ? { kind, width: body.readUInt16BE(0), height: body.readUInt16BE(2) } : { kind, bytes: body },
    };
  }
}
