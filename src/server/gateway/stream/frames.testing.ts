import { constants, createDeflate } from "node:zlib";
import { spdyDictionary } from "./spdy-headers.ts";

export interface FrameOptions {
  readonly opcode?: number;
  readonly final?: boolean;
  readonly mask?: readonly number[] | undefined;
  /** The first byte's bits for extensions. */
  readonly reserved?: number;
}

/** One frame of RFC 6455. */
export function webSocketFrame(payload: Buffer, { opcode = 2, final = true, mask, reserved = 0 }: FrameOptions = {}): Buffer {
  const { length } = payload;
  const short = length < 126 ? length : length < 65536 ? 126 : 127;
  const head = Buffer.alloc(2 + (short === 126 ? 2 : short === 127 ? 8 : 0));
  head[0] = (final ? 0x80 : 0) | reserved | opcode;
  head[1] = (mask === undefined ? 0 : 0x80) | short;
  if (short === 126) head.writeUInt16BE(length, 2);
  if (short === 127) head.writeBigUInt64BE(BigInt(length), 2);
  if (mask === undefined) return Buffer.concat([head, payload]);
  const masked = Buffer.from(payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
  return Buffer.concat([head, Buffer.from(mask), masked]);
}

/** A message in as many frames as `cuts` say, each after so many bytes. */
export function webSocketMessage(payload: Buffer, cuts: readonly number[], options: FrameOptions = {}): readonly Buffer[] {
  const ends = [...cuts.map((cut) => cut % (payload.length + 1)).sort((a, b) => a - b), payload.length];
  return ends.map((end, i) => {
    const part = payload.subarray(ends[i - 1] ?? 0, end);
    const opcode = i === 0 ? (options.opcode ?? 2) : 0;
    return webSocketFrame(part, { ...options, opcode, final: i === ends.length - 1 });
  });
}

export function spdyData(stream: number, payload: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

export function spdyControlFrame(type: number, payload: Buffer, version = 3): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE((0x80000000 | (version << 16) | type) >>> 0, 0);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

/** The header blocks of one direction, each as it goes out: they share one compressed text. */
export class SpdyHeaderWriter {
  readonly #deflate = createDeflate({ dictionary: spdyDictionary, level: 9 });

  block(headers: readonly (readonly [string, string])[]): Promise<Buffer> {
    const number = (n: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(n);
      return bytes;
    };
    const string = (text: string) => Buffer.concat([number(text.length), Buffer.from(text, "latin1")]);
    const parts = headers.flatMap(([name, value]) => [string(name), string(value)]);
    return this.compressed(Buffer.concat([number(headers.length), ...parts]));
  }

  async compressed(plain: Buffer): Promise<Buffer> {
    this.#deflate.write(plain);
    await new Promise<void>((done) => this.#deflate.flush(constants.Z_SYNC_FLUSH, done));
    const parts: Buffer[] = [];
    for (let part: unknown = this.#deflate.read(); Buffer.isBuffer(part); part = this.#deflate.read()) parts.push(part);
    return Buffer.concat(parts);
  }

  /** The frame that opens a stream. */
  async open(stream: number, headers: readonly (readonly [string, string])[]): Promise<Buffer> {
    const start = Buffer.alloc(10);
    start.writeUInt32BE(stream);
    return spdyControlFrame(1, Buffer.concat([start, await this.block(headers)]));
  }
}

/** Cut at these places. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}
