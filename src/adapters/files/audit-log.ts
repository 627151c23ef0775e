import type { Diagnostic } from "../../core/diagnostic.ts";
import type { JsonValue } from "../../core/json.ts";
import { type LineSink, readLogLines } from "./read-lines.ts";

/** Broken lines that are named; the rest is counted. */
const namedLines = 5;

/**
 * Hands every line of audit logs to `add`: files, gzipped ones, folders of them, `-` for standard input. Lines that are not
 * JSON are `AUDIT_EVENT_INVALID` errors, and the rest is still read. Memory does not grow with the log: where `add` answers
 * with a promise, reading waits for it.
 */
export async function readAuditLogs(
  paths: readonly string[],
  add: (event: JsonValue) => Promise<void> | void | undefined,
): Promise<readonly Diagnostic[]> {
  const sink = new JsonLines(add);
  const unreadable = await readLogLines(paths, sink);
  return [...unreadable, ...sink.diagnostics];
}

class JsonLines implements LineSink {
  readonly diagnostics: Diagnostic[] = [];
  readonly #add: (event: JsonValue) => Promise<void> | void | undefined;
  #path = "";
  #line = 0;
  #broken = 0;

  constructor(add: (event: JsonValue) => Promise<void> | void | undefined) {
    this.#add = add;
  }

  begin(path: string): void {
    this.#path = path;
    this.#line = 0;
    this.#broken = 0;
  }

  line(text: string): Promise<void> | void | undefined {
    this.#line++;
    if (text.trim() === "") return;
    let value: JsonValue;
    try {
      value = JSON.parse(text);
    } catch {
      if (++this.#broken <= namedLines) this.#report("the line is not JSON");
      return;
    }
    return this.#add(value);
  }

  end(): void {
    if (this.#broken > namedLines) this.#report(`${this.#broken - namedLines} more lines are not JSON`);
  }

  #report(message: string): void {
    const position = { offset: 0, line: this.#line, column: 1 };
    const span = { file: this.#path, start: position, end: position };
    this.diagnostics.push({ code: "AUDIT_EVENT_INVALID", severity: "error", message, span });
  }
}
