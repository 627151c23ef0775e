import { StreamUnreadable } from "./stream-event.ts";

/** A part of a message's payload, as far as it has come. */
export interface MessagePiece {
  /** Unmasked. */
  readonly bytes: Buffer;
  readonly type: "text" | "binary";
  /** It begins a message. */
  readonly first: boolean;
  /** The message is complete. */
  readonly last: boolean;
  /** The message comes in more than one frame. */
  readonly fragmented: boolean;
}

/** No peer sends larger ones; what is read is never kept, so this bounds no memory. */
const maximumFrame = 16 * 1024 * 1024;
const [continuation, text, binary, close, ping, pong] = [0, 1, 2, 8, 9, 10];

interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly mask: Buffer | undefined;
  readonly length: number;
  /** Payload bytes read so far. */
  at: number;
}

/** Reads the frames (RFC 6455, no extensions) that one side sends; control frames are checked and left out. */
export class WebSocketFrames {
  readonly #masked: boolean;
  readonly #head = Buffer.alloc(14);
  #headLength = 0;
  #frame: Frame | undefined;
  #message: { readonly type: MessagePiece["type"]; started: boolean; fragmented: boolean } | undefined;
  #closed = false;

  constructor(sender: "client" | "server") {
    this.#masked = sender === "client";
  }

  /** What was read ends with a whole message, or before the first; none follows a close. */
  get isBetweenMessages(): boolean {
    return this.#frame === undefined && this.#headLength === 0 && this.#message === undefined && !this.#closed;
  }

  /** Throws `StreamUnreadable`. */
  read(bytes: Buffer): readonly MessagePiece[] {
    const pieces: MessagePiece[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (this.#frame === undefined) {
        this.#head[this.#headLength++] = bytes[at++] ?? 0;
        this.#frame = this.#frameOfHead();
        if (this.#frame === undefined) continue;
        this.#headLength = 0;
      }
      const frame = this.#frame;
      const part = bytes.subarray(at, at + frame.length - frame.at);
      at += part.length;
      if (frame.opcode < close) this.#addPiece(frame, part, pieces);
      frame.at += part.length;
      if (frame.at === frame.length) this.#frame = undefined;
    }
    return pieces;
  }

  #addPiece(frame: Frame, part: Buffer, pieces: MessagePiece[]): void {
    const message = this.#message;
    if (message === undefined) throw new Error("a data frame without a message");
    const ends = frame.at + part.length === frame.length;
    const last = ends && frame.final;
    if (part.length === 0 && !last && message.started) return;
    const bytes = frame.mask === undefined ? part : unmasked(part, frame.mask, frame.at);
    pieces.push({ bytes, type: message.type, first: !message.started, last, fragmented: message.fragmented });
    message.started = true;
    if (last) this.#message = undefined;
  }

  /** The frame whose head is complete now; its first piece of payload may follow at once, or be empty. */
  #frameOfHead(): Frame | undefined {
    const head = this.#head;
    if (this.#headLength < 2) return undefined;
    const [first = 0, second = 0] = head;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const masked = (second & 0x80) !== 0;
    if (this.#headLength < 2 + lengthBytes + (masked ? 4 : 0)) return undefined;
    if (masked !== this.#masked)
      throw new StreamUnreadable(masked ? "a masked frame of the server" : "an unmasked frame of the client");
    if ((first & 0x70) !== 0) throw new StreamUnreadable("a frame of a WebSocket extension, such as compression");
    const length = lengthBytes === 0 ? short : lengthBytes === 2 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
    if (length > maximumFrame) throw new StreamUnreadable(`a frame of ${length} bytes`);
    const mask = masked ? Buffer.from(head.subarray(2 + lengthBytes, 6 + lengthBytes)) : undefined;
    const frame = { opcode: first & 0x0f, final: (first & 0x80) !== 0, mask, length, at: 0 };
    this.#begin(frame);
    return frame;
  }

  #begin({ opcode, final, length }: Frame): void {
    switch (opcode) {
      case continuation:
        if (this.#message === undefined) throw new StreamUnreadable("a continuation of no message");
        return;
      case text:
      case binary:
        if (this.#message !== undefined) throw new StreamUnreadable("a message within a message");
        if (this.#closed) throw new StreamUnreadable("a message after the end");
        this.#message = { type: opcode === text ? "text" : "binary", started: false, fragmented: !final };
        return;
      case close:
      case ping:
      case pong:
        if (!final || length > 125) throw new StreamUnreadable("a control frame that is too long or in parts");
        if (opcode === close) this.#closed = true;
        return;
      default:
        throw new StreamUnreadable(`a frame of unknown kind ${opcode}`);
    }
  }
}

function unmasked(part: Buffer, mask: Buffer, from: number): Buffer {
  const plain = Buffer.allocUnsafe(part.length);
  for (let i = 0; i < part.length; i++) plain[i] = (part[i] ?? 0) ^ (mask[(from + i) & 3] ?? 0);
  return plain;
}
