import { channelFarewell, noFarewell } from "./farewell.ts";
import { type StreamEvent, type StreamReader, StreamUnreadable } from "./stream-event.ts";
import { TerminalSizes } from "./terminal-sizes.ts";
import { type MessagePiece, WebSocketFrames } from "./websocket-frames.ts";

/** `channel.k8s.io` and its kin: each message begins with the number of its channel. */
export interface ChannelProtocol {
  /** Digits for channels and base64 for data, in text frames or not. */
  readonly base64: boolean;
  /** From version 4 on, the error channel has a `Status`. */
  readonly status: boolean;
  /** From version 5 on, 255 and a channel's number end that channel. */
  readonly closes: boolean;
}

const closeChannel = 255;

/** One channel's payload as far as it has come. */
interface ChannelPiece {
  readonly channel: number;
  readonly bytes: Buffer;
}

/** Takes the messages of one side apart. */
class ChannelMessages {
  readonly #frames: WebSocketFrames;
  readonly #protocol: ChannelProtocol;
  /** Kubernetes' servers read each frame of a client as a message of its own, other than RFC 6455 says. */
  readonly #refuseFragments: boolean;
  #channel: number | undefined;
  #closing = 0;
  #base64 = "";

  constructor(sender: "client" | "server", protocol: ChannelProtocol) {
    this.#frames = new WebSocketFrames(sender);
    this.#protocol = protocol;
    this.#refuseFragments = sender === "client";
  }

  read(bytes: Buffer): readonly ChannelPiece[] {
    return this.#frames.read(bytes).flatMap((piece) => this.#pieceOf(piece) ?? []);
  }

  #pieceOf({ bytes, first, last, fragmented }: MessagePiece): ChannelPiece | undefined {
    if (fragmented && this.#refuseFragments) {
      throw new StreamUnreadable("a message in several frames, which Kubernetes reads as several messages");
    }
    let rest = bytes;
    if (first) {
      this.#channel = undefined;
      this.#closing = 0;
      this.#base64 = "";
    }
    if (this.#channel === undefined) {
      const [number] = rest;
      if (number === undefined) return undefined;
      this.#channel = this.#protocol.base64 ? number - 0x30 : number;
      rest = rest.subarray(1);
    }
    if (this.#protocol.closes && this.#channel === closeChannel) return this.#readClose(rest, last);
    const data = this.#protocol.base64 ? this.#decoded(rest, last) : rest;
    return data.length === 0 ? undefined : { channel: this.#channel, bytes: data };
  }

  #readClose(bytes: Buffer, last: boolean): undefined {
    this.#closing += bytes.length;
    if (this.#closing > 1 || (last && this.#closing !== 1)) throw new StreamUnreadable("the end of no single channel");
    return undefined;
  }

  /** Whole groups of four; what may be padding waits for the end of the message, before which nobody can decode it. */
  #decoded(bytes: Buffer, last: boolean): Buffer {
    const text = this.#base64 + bytes.toString("latin1");
    const padding = text.indexOf("=");
    const plain = padding < 0 ? text.length : padding;
    const whole = last ? text.length : plain - (plain % 4);
    this.#base64 = text.slice(whole);
    const now = text.slice(0, whole);
    if (this.#base64.length > 4 || now.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(now)) {
      throw new StreamUnreadable("a message that is no base64");
    }
    return Buffer.from(now, "base64");
  }
}

/** Reads exec and attach over the channel protocols. */
export function channelStreams(protocol: ChannelProtocol): StreamReader {
  const server = new ChannelMessages("server", protocol);
  const client = new ChannelMessages("client", protocol);
  const sizes = new TerminalSizes();
  return {
    fromServer: async (bytes) => server.read(bytes).map(outputOf),
    fromClient: async (bytes) =>
      client.read(bytes).flatMap((piece): readonly StreamEvent[] => {
        if (piece.channel === 0) return [{ kind: "stdin", bytes: piece.bytes }];
        if (piece.channel === 4) return sizes.read(piece.bytes).map((size) => ({ kind: "resize", ...size }));
        throw new StreamUnreadable(`input on channel ${piece.channel}`);
      }),
    farewell: channelFarewell(
      (channel, payload) =>
        protocol.base64 ? Buffer.from(`${channel}${payload.toString("base64")}`) : Buffer.concat([Buffer.of(channel), payload]),
      protocol.status,
    ),
    close: () => {},
  };
}

function outputOf({ channel, bytes }: ChannelPiece): StreamEvent {
  switch (channel) {
    case 1:
      return { kind: "stdout", bytes };
    case 2:
      return { kind: "stderr", bytes };
    case 3:
      return { kind: "status", bytes };
    default:
      throw new StreamUnreadable(`output on channel ${channel}`);
  }
}

/** Reads forwarded ports over the channel protocols: two channels a port, which the request's query names. */
export function forwardedChannels(protocol: ChannelProtocol): StreamReader {
  const server = new ChannelMessages("server", protocol);
  const client = new ChannelMessages("client", protocol);
  const carried = (direction: "in" | "out", pieces: readonly ChannelPiece[]): readonly StreamEvent[] => [
    { kind: "carried", direction, bytes: pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) },
  ];
  return {
    fromServer: async (bytes) => carried("out", server.read(bytes)),
    fromClient: async (bytes) => carried("in", client.read(bytes)),
    farewell: noFarewell,
    close: () => {},
  };
}
