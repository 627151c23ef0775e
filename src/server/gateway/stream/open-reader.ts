import { type ChannelProtocol, channelStreams, forwardedChannels } from "./channel-streams.ts";
import { noFarewell } from "./farewell.ts";
import { spdyExec, spdyPortForward } from "./spdy-streams.ts";
import { type StreamReader, StreamUnreadable } from "./stream-event.ts";
import type { TapRequest } from "./tap.ts";
import { WebSocketFrames } from "./websocket-frames.ts";

type Agreed = Pick<TapRequest, "kind" | "protocol" | "subprotocol">;

/** Whether what goes over a connection of this protocol can be read, and so recorded. */
export const isReadable = (agreed: Agreed): boolean => openReader(agreed) !== undefined;

/** Undefined where the protocol is unknown, or none was agreed on. */
export function openReader({ kind, protocol, subprotocol = "" }: Agreed): StreamReader | undefined {
  if (protocol === "spdy") {
    if (kind === "portforward") return subprotocol === "portforward.k8s.io" ? spdyPortForward() : undefined;
    const version = /^(?:v([2-5])\.)?channel\.k8s\.io$/.exec(subprotocol);
    return version === null ? undefined : spdyExec(Number(version[1]) >= 4);
  }
  if (kind === "portforward" && subprotocol === "SPDY/3.1+portforward.k8s.io") return tunnelled(spdyPortForward());
  const channels = channelProtocol(subprotocol);
  if (channels === undefined) return undefined;
  return kind === "portforward" ? forwardedChannels(channels) : channelStreams(channels);
}

function channelProtocol(name: string): ChannelProtocol | undefined {
  const parts = /^(?:v([2-5])\.)?(base64\.)?channel\.k8s\.io$/.exec(name);
  if (parts === null) return undefined;
  const [, version, base64] = parts;
  return { base64: base64 !== undefined, status: Number(version) >= 4, closes: version === "5" };
}

/** SPDY within the binary messages of a WebSocket (KEP-4006). */
function tunnelled(inner: StreamReader): StreamReader {
  const server = new WebSocketFrames("server");
  const client = new WebSocketFrames("client");
  const inside = (frames: WebSocketFrames, bytes: Buffer) => {
    const pieces = frames.read(bytes);
    if (pieces.some(({ type }) => type === "text")) throw new StreamUnreadable("a text message in a tunnel");
    return Buffer.concat(pieces.map((piece) => piece.bytes));
  };
  return {
    fromServer: async (bytes) => inner.fromServer(inside(server, bytes)),
    fromClient: async (bytes) => inner.fromClient(inside(client, bytes)),
    farewell: noFarewell,
    close: () => inner.close(),
  };
}
