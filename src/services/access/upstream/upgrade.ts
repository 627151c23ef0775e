import type { TLSSocket } from "node:tls";
import type { Fields, UpgradeAnswer, UpstreamCall } from "./upstream.ts";

const maximumHead = 64 * 1024;
/** Refusals are a Status; what is longer is cut. */
const maximumRefusal = 256 * 1024;
const headMilliseconds = 60_000;
const refusalMilliseconds = 5_000;

/**
 * Asks for an upgrade over a fresh connection, written and read by hand: nothing of the client goes up before the 101, and the bytes
 * behind its head are those of the new protocol. Rejects where the answer is no HTTP or does not come.
 */
export async function upgradeOver(
  socket: TLSSocket,
  call: UpstreamCall,
  protocol: string,
  signal: AbortSignal,
): Promise<UpgradeAnswer> {
  const fields: Fields = [...call.fields, ["Connection", "Upgrade"], ["Upgrade", protocol], ...lengthOf(call)];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`${call.method} ${call.target} HTTP/1.1\r\n${lines}\r\n`, "latin1");
  const reader = new Reader(socket, signal);
  try {
    const head = await reader.head();
    const { status, fields: answered } = parseHead(head);
    if (status !== 101) {
      const body = await reader.body(answered);
      socket.destroy();
      return { upgraded: false, status, fields: answered, body };
    }
    const chosen = fieldOf(answered, "upgrade")?.toLowerCase();
    if (chosen !== protocol.toLowerCase()) throw new Error(`the API server upgraded to ${chosen ?? "nothing"}`);
    return { upgraded: true, fields: answered, socket, rest: reader.rest() };
  } finally {
    reader.release();
  }
}

const lengthOf = ({ method }: UpstreamCall): Fields => (method === "GET" ? [] : [["Content-Length", "0"]]);

function fieldOf(fields: Fields, name: string): string | undefined {
  return fields.find(([key]) => key.toLowerCase() === name)?.[1];
}

function parseHead(text: string): { readonly status: number; readonly fields: Fields } {
  const [first = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined) throw new Error("the API server's answer to the upgrade is no HTTP");
  const fields = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(":");
    if (colon < 1 || /[\0\r\n]/.test(line)) throw new Error("the API server's answer to the upgrade has a malformed field");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(status), fields };
}

/** Reads from a socket without ever putting it into flowing mode for others. */
class Reader {
  readonly #socket: TLSSocket;
  readonly #signal: AbortSignal;
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  readonly #onData = (chunk: Buffer) => {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#wake?.();
  };
  readonly #onEnd = () => {
    this.#ended = true;
    this.#wake?.();
  };
  readonly #onError = (error: Error) => {
    this.#failure = error;
    this.#wake?.();
  };
  readonly #onAbort = () => this.#onError(new Error("given up"));

  constructor(socket: TLSSocket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    socket.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd).on("error", this.#onError);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async head(): Promise<string> {
    const end = await this.#until(() => {
      const at = this.#bytes.indexOf("\r\n\r\n");
      return at >= 0 ? at : this.#bytes.length > maximumHead || this.#ended ? -1 : undefined;
    }, headMilliseconds);
    if (end === undefined || end < 0) throw new Error("the API server did not answer the upgrade");
    const text = this.#bytes.subarray(0, end).toString("latin1");
    this.#bytes = this.#bytes.subarray(end + 4);
    return text;
  }

  /** Of a refusal; the connection is not used again, so the end need not be found where it is not told. */
  async body(fields: Fields): Promise<Buffer> {
    const length = Number(fieldOf(fields, "content-length") ?? Number.NaN);
    const chunked = /chunked/i.test(fieldOf(fields, "transfer-encoding") ?? "");
    const isWhole = () => this.#bytes.length >= (chunked ? maximumRefusal : Math.min(length, maximumRefusal));
    const lastChunk = () => chunked && this.#bytes.subarray(-5).toString("latin1") === "0\r\n\r\n";
    await this.#until(() => (isWhole() || lastChunk() || this.#ended ? true : undefined), refusalMilliseconds);
    if (chunked) return withoutChunks(this.#bytes);
    return this.#bytes.subarray(0, Number.isNaN(length) ? maximumRefusal : Math.min(length, maximumRefusal));
  }

  rest(): Buffer {
    return this.#bytes;
  }

  release(): void {
    this.#socket.pause();
    this.#socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd).off("error", this.#onError);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  /** Undefined where the time is over. */
  async #until<T>(look: () => T | undefined, milliseconds: number): Promise<T | undefined> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const found = look();
      const left = deadline - performance.now();
      if (found !== undefined || left <= 0) return found;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function withoutChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf("\r\n", at);
    const size = line < 0 ? 0 : Number.parseInt(bytes.subarray(at, line).toString("latin1"), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
