import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type OutgoingHttpHeaders } from "node:http2";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { AnswerSink, Fields, UpstreamCall, UpstreamExchange } from "./upstream.ts";

/** Of one stream; a slow client holds back its own stream and no other of the connection. */
const windowBytes = 256 * 1024;
const connectMilliseconds = 10_000;
/** A connection without streams is kept so long. */
const idleMilliseconds = 30_000;
/** A peer that is gone without a word is noticed by pings. */
const pingMilliseconds = 20_000;

interface Connection {
  readonly session: ClientHttp2Session;
  streams: number;
}

/**
 * Connections that open as streams need them. Written on node:http2 itself: undici joins the lines of a repeated header into one
 * over HTTP/2, which would make one group of two.
 */
export class Http2Connections {
  readonly #tls: ConnectionOptions;
  readonly #connections = new Set<Connection>();
  #opening: Promise<Connection | undefined> | undefined;
  #closed = false;

  constructor(tls: ConnectionOptions) {
    this.#tls = tls;
  }

  /** `otherwise` where the server speaks no HTTP/2. */
  open(call: UpstreamCall, sink: AnswerSink, otherwise: () => UpstreamExchange): UpstreamExchange {
    let aborted = false;
    let exchange: UpstreamExchange | undefined;
    const start = (connection: Connection | undefined) => {
      if (aborted) {
        if (connection !== undefined) connection.streams--;
      } else exchange = connection === undefined ? otherwise() : this.#request(connection, call, sink);
    };
    const free = this.#take();
    if (free !== undefined) start(free);
    else {
      this.#next().then(start, (error: unknown) => {
        if (!aborted) sink.fail(error instanceof Error ? error : new Error(String(error)));
      });
    }
    return {
      abort: () => {
        aborted = true;
        exchange?.abort();
      },
    };
  }

  close(): void {
    this.#closed = true;
    for (const { session } of this.#connections) session.destroy();
  }

  /** A connection with room, which is taken: a stream beyond the server's limit would wait without end. */
  #take(): Connection | undefined {
    for (const connection of this.#connections) {
      const { session, streams } = connection;
      if (session.closed || session.destroyed || streams >= (session.remoteSettings.maxConcurrentStreams ?? 100)) continue;
      connection.streams++;
      return connection;
    }
    return undefined;
  }

  /** A connection with room; those who come while one is opened wait for it and look again. */
  async #next(): Promise<Connection | undefined> {
    for (;;) {
      const free = this.#take();
      if (free !== undefined) return free;
      this.#opening ??= this.#connect().finally(() => {
        this.#opening = undefined;
      });
      if ((await this.#opening) === undefined) return undefined;
    }
  }

  /** Undefined: the server chose HTTP/1.1. */
  #connect(): Promise<Connection | undefined> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ ...this.#tls, ALPNProtocols: ["h2", "http/1.1"] });
      const timer = setTimeout(() => fail(new Error("the API server did not take the connection in time")), connectMilliseconds);
      const fail = (error: Error) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      socket.once("error", fail);
      socket.once("secureConnect", () => {
        if (this.#closed) return fail(new Error("the way to the API server is closed"));
        if (socket.alpnProtocol !== "h2") {
          clearTimeout(timer);
          socket.destroy();
          return resolve(undefined);
        }
        const session = connect(`https://${this.#tls.host}`, {
          createConnection: () => socket,
          settings: { enablePush: false, initialWindowSize: windowBytes },
        });
        const connection: Connection = { session, streams: 0 };
        session.once("error", fail);
        session.once("remoteSettings", () => {
          clearTimeout(timer);
          session.off("error", fail);
          session.on("error", () => session.destroy());
          session.setLocalWindowSize(windowBytes * 64);
          this.#keep(connection);
          resolve(connection);
        });
      });
    });
  }

  #keep(connection: Connection): void {
    const { session } = connection;
    this.#connections.add(connection);
    let quiet = 0;
    const timer = setInterval(() => {
      // Destroyed, and its `close` is still to come.
      if (session.destroyed || session.closed) return;
      quiet = connection.streams === 0 ? quiet + pingMilliseconds : 0;
      if (quiet >= idleMilliseconds) return session.close();
      const answered = setTimeout(() => session.destroy(new Error("the API server is gone")), pingMilliseconds / 2).unref();
      session.ping((error) => {
        if (error === null) clearTimeout(answered);
      });
    }, pingMilliseconds).unref();
    session.once("close", () => {
      clearInterval(timer);
      this.#connections.delete(connection);
    });
  }

  #request(connection: Connection, call: UpstreamCall, sink: AnswerSink): UpstreamExchange {
    let stream: ClientHttp2Stream;
    try {
      stream = connection.session.request(headersOf(call), { endStream: call.body === undefined });
    } catch (error) {
      connection.streams--;
      sink.fail(error instanceof Error ? error : new Error(String(error)));
      return { abort: () => {} };
    }
    let over = false;
    const fail = (error: Error) => {
      if (over) return;
      over = true;
      sink.fail(error);
    };
    stream.once("response", (_headers, _flags, raw: readonly string[]) => {
      const { status, fields } = answerHead(raw);
      if (!over) sink.head(status, fields, { resume: () => stream.resume() });
    });
    stream.on("data", (chunk: Buffer) => {
      if (!over && !sink.data(chunk)) stream.pause();
    });
    stream.once("end", () => {
      if (over || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      over = true;
      sink.end();
    });
    stream.on("error", fail);
    stream.once("close", () => {
      connection.streams--;
      fail(new Error("the API server ended the stream"));
    });
    if (Buffer.isBuffer(call.body)) stream.end(call.body);
    else call.body?.on("error", () => stream.close(constants.NGHTTP2_CANCEL)).pipe(stream);
    return {
      abort: () => {
        over = true;
        stream.close(constants.NGHTTP2_CANCEL);
        stream.resume();
      },
    };
  }
}

/** Repeated names become lists, which are sent as a field each. */
function headersOf({ method, target, fields }: UpstreamCall): OutgoingHttpHeaders {
  const headers: { [name: string]: string | string[] } = { ":method": method, ":path": target, ":scheme": "https" };
  for (const [name, value] of fields) {
    const key = name.toLowerCase() === "host" ? ":authority" : name.toLowerCase();
    const known = headers[key];
    headers[key] = known === undefined ? value : [...(typeof known === "string" ? [known] : known), value];
  }
  return headers;
}

function answerHead(raw: readonly string[]): { readonly status: number; readonly fields: Fields } {
  let status = 502;
  const fields: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = "", value = ""] = [raw[i], raw[i + 1]];
    if (name === ":status") status = Number(value);
    else if (!name.startsWith(":")) fields.push([name, value]);
  }
  return { status, fields };
}
