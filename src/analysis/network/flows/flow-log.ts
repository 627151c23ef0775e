import type { Diagnostic } from "../../../core/diagnostic.ts";
import type { Span } from "../../../core/source.ts";
import type { Flow, FlowLine, NameLookup } from "./flow.ts";
import { type FlowFormatName, flowFormatNames, flowParser, sniffFlowFormat } from "./formats.ts";

/** Bad lines that are named, of one file; the rest is counted. */
const namedLines = 5;

/** Who takes what a log holds. */
export interface FlowSink {
  add(flow: Flow): void;
  addLookup(lookup: NameLookup): void;
}

/** Reads flow logs line by line. Memory does not grow with the log, but with the pods and addresses in it. */
export class FlowLog {
  readonly diagnostics: Diagnostic[] = [];
  readonly #sink: FlowSink;
  readonly #wanted: FlowFormatName | undefined;
  readonly #skipped = new Map<string, number>();
  readonly #formats = new Set<FlowFormatName>();
  #flows = 0;
  #lookups = 0;
  #bad = 0;
  #file = "";
  #badHere = 0;
  #line = 0;
  #parser: ((line: string) => FlowLine) | undefined;

  /** Without `format` each file's first line that gives a format away decides. */
  constructor(sink: FlowSink, format?: FlowFormatName) {
    this.#sink = sink;
    this.#wanted = format;
  }

  get flows(): number {
    return this.#flows;
  }

  get lookups(): number {
    return this.#lookups;
  }

  /** Lines that could not be understood. */
  get bad(): number {
    return this.#bad;
  }

  get formats(): readonly FlowFormatName[] {
    return [...this.#formats];
  }

  /** Lines that are as they should be and open no connection, by what they are. */
  get skipped(): ReadonlyMap<string, number> {
    return this.#skipped;
  }

  begin(file: string): void {
    this.#file = file;
    this.#line = 0;
    this.#badHere = 0;
    this.#parser = this.#wanted === undefined ? undefined : this.#start(this.#wanted);
  }

  line(text: string): void {
    this.#line++;
    if (text === "" || text.trim() === "") return;
    const parser = this.#parser ?? this.#sniff(text);
    if (parser === undefined) {
      this.#complain(`the line is of no known format (${flowFormatNames.join(", ")})`);
      return;
    }
    const read = parser(text);
    switch (read.kind) {
      case "flow":
        this.#flows++;
        this.#sink.add(read.flow);
        return;
      case "lookup":
        this.#lookups++;
        this.#sink.addLookup(read.lookup);
        return;
      case "skipped":
        this.#skipped.set(read.reason, (this.#skipped.get(read.reason) ?? 0) + 1);
        return;
      case "bad":
        this.#complain(read.message);
    }
  }

  end(): void {
    if (this.#badHere > namedLines) this.#report(`${this.#badHere - namedLines} more lines cannot be read`);
    if (this.#parser !== undefined) return;
    const message = `${this.#file} holds no line of a known format`;
    this.diagnostics.push({ code: "FLOW_FORMAT_UNKNOWN", severity: "error", message, next: "Name the format with --format." });
  }

  #sniff(text: string) {
    const format = sniffFlowFormat(text);
    if (format !== undefined) this.#parser = this.#start(format);
    return this.#parser;
  }

  #start(format: FlowFormatName) {
    this.#formats.add(format);
    return flowParser(format);
  }

  #complain(message: string): void {
    this.#bad++;
    if (++this.#badHere <= namedLines) this.#report(message);
  }

  #report(message: string): void {
    const position = { offset: 0, line: this.#line, column: 1 };
    const span: Span = { file: this.#file, start: position, end: position };
    this.diagnostics.push({ code: "FLOW_LINE_INVALID", severity: "error", message, span });
  }
}
