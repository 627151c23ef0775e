import type { JsonPath, JsonValue } from "./json.ts";

/** A place in a text. `line` and `column` count from 1, `offset` from 0; columns count UTF-16 code units. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** A stretch of a named text; `end` is exclusive. */
export interface Span {
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
}

/** One document of a text: its value, and where each part of it stands. */
export interface SourceDocument<T extends JsonValue = JsonValue> {
  /** As the user named it; `-` for standard input, `cluster:<context>` for a live object. */
  readonly file: string;
  /** Which document of the file, from 0; items of a List count on their own. */
  readonly index: number;
  readonly value: T;
  /** Where `path` stands, or its nearest existing ancestor; undefined when the document came from no text. */
  locate(path: JsonPath): Span | undefined;
  /** Where the key of the member at `path` stands, for findings about the key itself. */
  locateKey(path: JsonPath): Span | undefined;
}

export function formatSpan(span: Span): string {
  return `${span.file}:${span.start.line}:${span.start.column}`;
}
