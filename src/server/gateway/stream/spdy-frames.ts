import { StreamUnreadable } from "./stream-event.ts";

export const spdyControl = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;
const known: ReadonlySet<number> = new Set(Object.values(spdyControl));

export type SpdyPiece =
  /** A part of a stream's data, as far as it has come; never empty. */
  | { readonly kind: "data"; readonly stream: number; readonly bytes: Buffer }
  | { readonly kind: "control"; readonly type: number; readonly payload: Buffer };

const longestControl = 64 * 1024;

/** Reads the frames (SPDY/3) that one side sends. */
export class SpdyFrames {
  readonly #head = Buffer.alloc(8);
  #headLength = 0;
  #left = 0;
  #stream = 0;
  /** Undefined within data. */
  #control: { readonly type: number; readonly parts: Buffer[] } | undefined;

  /** What was read ends with a whole frame. */
  get isBetweenFrames(): boolean {
    return this.#left === 0 && this.#headLength === 0;
  }

  /** Throws `StreamUnreadable`. */
  read(bytes: Buffer): readonly SpdyPiece[] {
    const pieces: SpdyPiece[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === 0) {
        this.#head[this.#headLength++] = bytes[at++] ?? 0;
        if (this.#headLength < 8) continue;
        this.#headLength = 0;
        this.#begin();
        if (this.#left === 0) this.#end(pieces);
        continue;
      }
      const part = bytes.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      if (this.#control === undefined) pieces.push({ kind: "data", stream: this.#stream, bytes: part });
      else this.#control.parts.push(Buffer.from(part));
      if (this.#left === 0) this.#end(pieces);
    }
    return pieces;
  }

  #begin(): void {
    const word = this.#head.readUInt32BE(0);
    this.#left = this.#head.readUIntBE(5, 3);
    if (word < 0x80000000) {
      this.#stream = word;
      this.#control = undefined;
      return;
    }
    const [version, type] = [(word >>> 16) & 0x7fff, word & 0xffff];
    if (version !== 3 || !known.has(type)) throw new StreamUnreadable(`a SPDY frame of version ${version} and kind ${type}`);
    if (this.#left > longestControl) throw new StreamUnreadable(`a SPDY control frame of ${this.#left} bytes`);
    this.#control = { type, parts: [] };
  }

  #end(pieces: SpdyPiece[]): void {
    if (this.#control === undefined) return;
    pieces.push({ kind: "control", type: this.#control.type, payload: Buffer.concat(this.#control.parts) });
    this.#control = undefined;
  }
}
