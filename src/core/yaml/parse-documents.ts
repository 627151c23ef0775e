import type { Diagnostic } from "../diagnostic.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../json.ts";
import type { SourceDocument, Span } from "../source.ts";
import { compose, type DuplicateKey, YamlError } from "./compose.ts";
import { readJsonDocument } from "./json-document.ts";
import { JsonSpans } from "./json-spans.ts";
import { type JsonItem, JsonReader, JsonSyntaxError } from "./json-text.ts";
import { KeyCache } from "./key-cache.ts";
import { LineIndex } from "./line-index.ts";
import type { Spans } from "./span-table.ts";
import { splitDocuments } from "./split.ts";
import { isUsualText, readUsual, usualSpans } from "./usual-reader.ts";
import { yamlSpans } from "./yaml-spans.ts";

/** Of one document; the rest are counted. */
const shownDuplicates = 20;

/** Shared by all texts: a memo of bounded size. */
const keys = new KeyCache();

/** What a text holds: every document that could be read, and what is wrong with the rest. */
export interface ParsedDocuments {
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a stream of YAML documents or of JSON values as Kubernetes reads it; lists (`List`, `PodList`, ...) are
 * replaced by their items. A broken document is a diagnostic and leaves the others readable.
 * Positions are worked out when they are asked for.
 * @param file how the user named the text; it goes into spans
 */
export function parseDocuments(text: string, file: string): ParsedDocuments {
  const result = new Collector(text, file);
  if (!(startsAsJson(text) && result.json())) result.yaml();
  return result;
}

/** Brackets may open YAML in flow style as well; then the JSON reader gives way. */
function startsAsJson(text: string): boolean {
  return /^\uFEFF?\s*[{[]/.test(text);
}

class Collector implements ParsedDocuments {
  readonly documents: SourceDocument[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #lines: LineIndex;

  readonly #length: number;

  constructor(text: string, file: string) {
    this.#length = text.length;
    // As Kubernetes' own reader of files does; it decides whether a block scalar there ends in a line break.
    this.#lines = new LineIndex(text.endsWith("\n") ? text : `${text}\n`, file);
  }

  /** False when the text is no JSON after all, and nothing was collected. */
  json(): boolean {
    const text = this.#lines.text;
    const reader = new JsonReader(text, text.startsWith("\uFEFF") ? 1 : 0);
    const items: JsonItem[] = [];
    try {
      for (let item = reader.next(); item !== undefined; item = reader.next()) items.push(item);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      // As kubectl decides: after two JSON values the stream is JSON, before that it may be YAML.
      if (items.length < 2) {
        this.#noJson(error);
        return false;
      }
      this.#problem("JSON_SYNTAX", error.message, error.offset);
    }
    for (const { value, start } of items) this.#add(value, [], new Positions(this.#lines, 0, () => new JsonSpans(text, start)));
    this.#duplicates(reader.duplicates, 0);
    return true;
  }

  /** What was meant as JSON and is read as YAML: a file by that name, or a comma too many, which YAML allows. */
  #noJson({ message, offset }: JsonSyntaxError): void {
    const { text, file } = this.#lines;
    const trailingComma = /[}\]]/.test(text.charAt(offset)) && text.slice(0, offset).trimEnd().endsWith(",");
    if (!trailingComma && !file.endsWith(".json")) return;
    const what = trailingComma ? "a comma before the end of a list or an object" : message;
    const at = Math.min(offset, this.#length);
    this.diagnostics.push({
      code: "JSON_SYNTAX",
      severity: "warning",
      message: `this is no JSON (${what}); it was read as YAML, as kubectl does`,
      span: this.#lines.span(at, at),
    });
  }

  yaml(): void {
    const { text } = this.#lines;
    const mayBeUsual = isUsualText(text);
    for (const { start, end } of splitDocuments(text)) {
      const json = mayBeUsual ? readJsonDocument(text, start, end) : undefined;
      if (json !== undefined) {
        this.#add(json.value, [], new Positions(this.#lines, 0, () => new JsonSpans(text, json.start)));
        continue;
      }
      const usual = mayBeUsual ? readUsual(text, start, end, keys) : undefined;
      if (usual !== undefined) {
        this.#add(usual, [], new Positions(this.#lines, 0, () => usualSpans(text, start, end, keys)));
        continue;
      }
      const chunk = text.slice(start, end);
      try {
        const { values, duplicates } = compose(chunk);
        values.forEach((value, index) => {
          if (value !== null) this.#add(value, [], new Positions(this.#lines, start, () => yamlSpans(chunk, index)));
        });
        this.#duplicates(duplicates, start);
      } catch (error) {
        if (!(error instanceof YamlError)) throw error;
        this.#problem(error.code, error.message, start + error.offset);
      }
    }
  }

  #add(value: JsonValue, path: JsonPath, positions: Positions): void {
    if (isObject(value) && isList(value)) {
      value.items.forEach((item, index) => {
        this.#add(withListKind(item, value), [...path, "items", index], positions);
      });
    } else this.documents.push(new TextDocument(this.documents.length, value, path, positions));
  }

  #duplicates(duplicates: readonly DuplicateKey[], shift: number): void {
    for (const { key, offset } of duplicates.slice(0, shownDuplicates)) {
      this.#duplicate(`the key "${key}" stands twice; Kubernetes takes the last`, shift + offset);
    }
    const more = duplicates[shownDuplicates];
    if (more !== undefined) {
      this.#duplicate(`${duplicates.length - shownDuplicates} more keys of this document stand twice`, shift + more.offset);
    }
  }

  #duplicate(message: string, offset: number): void {
    this.diagnostics.push({ code: "DUPLICATE_KEY", severity: "warning", message, span: this.#lines.span(offset, offset) });
  }

  #problem(code: "JSON_SYNTAX" | YamlError["code"], message: string, offset: number): void {
    const at = Math.min(offset, this.#length);
    this.diagnostics.push({ code, severity: "error", message, span: this.#lines.span(at, at) });
  }
}

function isList(value: JsonObject): value is JsonObject & { readonly items: readonly JsonValue[] } {
  const kind = value["kind"];
  return typeof kind === "string" && kind.endsWith("List") && typeof value["apiVersion"] === "string" && isArray(value["items"]);
}

/** Items of typed lists (`PodList`) may leave out what the list says. */
function withListKind(item: JsonValue, list: JsonObject): JsonValue {
  const kind = typeof list["kind"] === "string" ? list["kind"].slice(0, -"List".length) : "";
  if (kind === "" || !isObject(item) || item["kind"] !== undefined) return item;
  return { apiVersion: list["apiVersion"], kind, ...item };
}

/** Offsets and lines of one stretch of a text, worked out at the first question. */
class Positions {
  readonly lines: LineIndex;
  readonly #shift: number;
  readonly #read: () => Spans;
  #table: Spans | undefined;

  constructor(lines: LineIndex, shift: number, read: () => Spans) {
    this.lines = lines;
    this.#shift = shift;
    this.#read = read;
  }

  get table(): Spans {
    this.#table ??= this.#read();
    return this.#table;
  }

  span(extent: { readonly start: number; readonly end: number }): Span {
    return this.lines.span(this.#shift + extent.start, this.#shift + extent.end);
  }
}

class TextDocument implements SourceDocument {
  readonly index: number;
  readonly value: JsonValue;
  readonly #path: JsonPath;
  readonly #positions: Positions;

  constructor(index: number, value: JsonValue, path: JsonPath, positions: Positions) {
    this.index = index;
    this.value = value;
    this.#path = path;
    this.#positions = positions;
  }

  get file(): string {
    return this.#positions.lines.file;
  }

  locate(path: JsonPath): Span {
    return this.#positions.span(this.#positions.table.value([...this.#path, ...path]));
  }

  locateKey(path: JsonPath): Span | undefined {
    const key = this.#positions.table.key([...this.#path, ...path]);
    return key === undefined ? undefined : this.#positions.span(key);
  }
}
