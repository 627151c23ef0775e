import { type Farewell, noFarewell, spdyFarewell } from "./farewell.ts";
import { SpdyFrames, type SpdyPiece, spdyControl } from "./spdy-frames.ts";
import { SpdyHeaders } from "./spdy-headers.ts";
import { type StreamEvent, type StreamReader, StreamUnreadable } from "./stream-event.ts";
import { TerminalSizes } from "./terminal-sizes.ts";

const execStreams = ["stdin", "stdout", "stderr", "error", "resize"] as const;
type ExecStream = (typeof execStreams)[number];

/** One exec has five. */
const mostExecStreams = 16;

/** What the streams of a connection are for. */
interface Purpose {
  /** A stream that the client opened, with its headers. */
  opened(stream: number, headers: ReadonlyMap<string, string>): readonly StreamEvent[];
  fromServer(stream: number, bytes: Buffer): readonly StreamEvent[];
  fromClient(stream: number, bytes: Buffer): readonly StreamEvent[];
  readonly farewell: Farewell;
}

/** Reads exec and attach over SPDY: the header `streamtype` says what each stream is. */
export const spdyExec = (hasStatus: boolean): StreamReader => spdyReader(execPurpose(hasStatus));

/** Reads forwarded ports over SPDY: the header `port` says where a stream leads. */
export const spdyPortForward = (): StreamReader => spdyReader(portForwardPurpose);

function spdyReader(purpose: Purpose): StreamReader {
  const server = new SpdyFrames();
  const client = new SpdyFrames();
  const headers = new SpdyHeaders();
  let last = 0;

  async function clientControl({ type, payload }: SpdyPiece & { kind: "control" }): Promise<readonly StreamEvent[]> {
    switch (type) {
      case spdyControl.synStream: {
        if (payload.length < 10) throw new StreamUnreadable("a SPDY stream without headers");
        const stream = payload.readUInt32BE(0) & 0x7fffffff;
        // The server refuses others, or reads their data as another stream's.
        if (stream % 2 === 0 || stream <= last) throw new StreamUnreadable(`a SPDY stream ${stream} after ${last}`);
        last = stream;
        return purpose.opened(stream, await headers.read(payload.subarray(10)));
      }
      case spdyControl.headers:
        // They mean nothing to Kubernetes, but the next headers build on them.
        if (payload.length < 4) throw new StreamUnreadable("SPDY headers of no stream");
        await headers.read(payload.subarray(4));
        return [];
      case spdyControl.synReply:
        throw new StreamUnreadable("an answer of the client to a SPDY stream");
      default:
        return [];
    }
  }

  return {
    fromServer: async (bytes) =>
      server.read(bytes).flatMap((piece) => {
        if (piece.kind === "data") return purpose.fromServer(piece.stream, piece.bytes);
        if (piece.type === spdyControl.synStream) throw new StreamUnreadable("a SPDY stream that the server opened");
        return [];
      }),
    fromClient: async (bytes) => {
      const events: StreamEvent[] = [];
      for (const piece of client.read(bytes)) {
        const shown = piece.kind === "control" ? await clientControl(piece) : purpose.fromClient(piece.stream, piece.bytes);
        events.push(...shown);
      }
      return events;
    },
    farewell: purpose.farewell,
    close: () => headers.close(),
  };
}

function execPurpose(hasStatus: boolean): Purpose {
  const streams = new Map<number, ExecStream>();
  const sizes = new Map<number, TerminalSizes>();
  const errorStream = () => [...streams].find(([, type]) => type === "error")?.[0];
  return {
    farewell: spdyFarewell(errorStream, hasStatus),
    opened(stream, headers) {
      const type = execStreams.find((name) => name === headers.get("streamtype"));
      if (type === undefined) throw new StreamUnreadable(`a stream of unknown type ${JSON.stringify(headers.get("streamtype"))}`);
      if (streams.size >= mostExecStreams) throw new StreamUnreadable("more streams than an exec has");
      streams.set(stream, type);
      return [];
    },
    fromServer(stream, bytes) {
      const type = streams.get(stream);
      switch (type) {
        case "stdout":
        case "stderr":
          return [{ kind: type, bytes }];
        case "error":
          return [{ kind: "status", bytes }];
        default:
          throw new StreamUnreadable(`output on ${type ?? "an unknown stream"}`);
      }
    },
    fromClient(stream, bytes) {
      const type = streams.get(stream);
      if (type === "stdin") return [{ kind: "stdin", bytes }];
      if (type !== "resize") throw new StreamUnreadable(`input on ${type ?? "an unknown stream"}`);
      const reader = sizes.get(stream) ?? new TerminalSizes();
      sizes.set(stream, reader);
      return reader.read(bytes).map((size) => ({ kind: "resize", ...size }));
    },
  };
}

const portForwardPurpose: Purpose = {
  farewell: noFarewell,
  opened(_stream, headers) {
    const type = headers.get("streamtype");
    if (type !== "data" && type !== "error") throw new StreamUnreadable(`a stream of unknown type ${JSON.stringify(type)}`);
    const port = headers.get("port") ?? "";
    if (!/^\d{1,5}$/.test(port)) throw new StreamUnreadable("a stream to no port");
    return type === "data" ? [{ kind: "port", port: Number(port) }] : [];
  },
  fromServer: (_stream, { length }) => [{ kind: "carried", direction: "out", bytes: length }],
  fromClient: (_stream, { length }) => [{ kind: "carried", direction: "in", bytes: length }],
};
