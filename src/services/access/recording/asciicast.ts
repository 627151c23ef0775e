import { StringDecoder } from "node:string_decoder";
import type { TimedEvent } from "./event.ts";

export interface CastHeader {
  /** When it began, milliseconds since the epoch. */
  readonly started: number;
  readonly title: string;
  readonly command: string;
  readonly tty: boolean;
}

/** A terminal tells its size within this time, milliseconds; what is shown before is held back so long. */
const sizeWithin = 1000;
const usual = { width: 80, height: 24 };

/**
 * Lines of an asciicast (version 2): a header with the size of the terminal, then output and sizes; input, where it was
 * kept, as `i`. A character whose bytes came apart is put together; bytes that are no UTF-8 are shown as U+FFFD.
 */
export async function* asciicast(header: CastHeader, events: AsyncIterable<TimedEvent>): AsyncGenerator<string> {
  const lines = new CastLines();
  const held: string[] = [];
  let begun = false;
  const begin = ({ width, height }: typeof usual) => {
    begun = true;
    const { started, title, command } = header;
    const timestamp = Math.floor(started / 1000);
    return `${JSON.stringify({ version: 2, width, height, timestamp, command, title, env: {} })}\n`;
  };
  for await (const timed of events) {
    const line = lines.lineOf(timed);
    if (begun) {
      if (line !== undefined) yield line;
      continue;
    }
    const { event } = timed;
    const isSize = event.kind === "resize" && event.width > 0 && event.height > 0;
    if (!isSize && header.tty && timed.at <= sizeWithin) {
      if (line !== undefined) held.push(line);
      continue;
    }
    yield begin(isSize && header.tty ? event : usual);
    yield* held.splice(0);
    if (line !== undefined && !(isSize && header.tty)) yield line;
  }
  if (!begun) yield begin(usual);
  yield* held;
  yield* lines.rest();
}

class CastLines {
  readonly #decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8"), stdin: new StringDecoder("utf8") };
  #last = 0;

  lineOf({ at, event }: TimedEvent): string | undefined {
    // Players need times that never go back.
    this.#last = Math.max(this.#last, at);
    switch (event.kind) {
      case "resize":
        return this.#line("r", `${event.width}x${event.height}`);
      case "status":
        return undefined;
      default: {
        const text = this.#decoders[event.kind].write(event.bytes);
        return text === "" ? undefined : this.#line(event.kind === "stdin" ? "i" : "o", text);
      }
    }
  }

  /** Characters that never became whole. */
  *rest(): Generator<string> {
    for (const [kind, decoder] of Object.entries(this.#decoders)) {
      const text = decoder.end();
      if (text !== "") yield this.#line(kind === "stdin" ? "i" : "o", text);
    }
  }

  #line(code: string, text: string): string {
    return `${JSON.stringify([this.#last / 1000, code, text])}\n`;
  }
}
