import { SpdyFrames } from "./spdy-frames.ts";
import { WebSocketFrames } from "./websocket-frames.ts";

/**
 * The last words to a client whose session is cut: without them kubectl takes the end of the connection for a command that
 * ended well.
 */
export interface Farewell {
  /** Takes what comes from the server; whether it ends with a whole frame. */
  endsFrame(bytes: Buffer): boolean;
  /** What to send behind whole frames; undefined where nobody would read it. */
  words(message: string): Buffer | undefined;
}

/** Forwarded ports have no place for words: what is sent there is somebody's data. */
export const noFarewell: Farewell = { endsFrame: () => true, words: () => undefined };

/** On the error channel, and a normal close. */
export function channelFarewell(encode: (channel: number, payload: Buffer) => Buffer, isStatus: boolean): Farewell {
  const frames = new WebSocketFrames("server");
  const goodbye = Buffer.of(0x88, 2, 0x03, 0xe8);
  return {
    endsFrame: (bytes) => {
      frames.read(bytes);
      return frames.isBetweenMessages;
    },
    words: (message) => Buffer.concat([serverMessage(encode(3, errorText(message, isStatus))), goodbye]),
  };
}

/** On the client's error stream, which it ends. */
export function spdyFarewell(errorStream: () => number | undefined, isStatus: boolean): Farewell {
  const frames = new SpdyFrames();
  return {
    endsFrame: (bytes) => {
      frames.read(bytes);
      return frames.isBetweenFrames;
    },
    words: (message) => {
      const stream = errorStream();
      if (stream === undefined) return undefined;
      const text = errorText(message, isStatus);
      const head = Buffer.alloc(8);
      head.writeUInt32BE(stream, 0);
      head.writeUInt32BE(text.length, 4);
      const final = 1;
      head[4] = final;
      return Buffer.concat([head, text]);
    },
  };
}

/** A `Status` from version 4 of the protocol on, plain text before. */
function errorText(message: string, isStatus: boolean): Buffer {
  const shortened = message.length > 2000 ? `${message.slice(0, 2000)}…` : message;
  const status = { metadata: {}, status: "Failure", reason: "Expired", message: shortened, code: 410 };
  return Buffer.from(isStatus ? JSON.stringify(status) : shortened);
}

/** One binary frame of a few kilobytes. */
function serverMessage(payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.of(0x82, length) : Buffer.of(0x82, 126, length >> 8, length & 0xff);
  return Buffer.concat([head, payload]);
}
