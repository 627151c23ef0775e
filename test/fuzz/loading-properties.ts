import { isArray, isObject, type JsonPath, type JsonValue, jsonEquals, member, valueAt } from "../../src/core/json.ts";
import type { SourceDocument, Span } from "../../src/core/source.ts";
import { compose, YamlError } from "../../src/core/yaml/compose.ts";
import { JsonReader } from "../../src/core/yaml/json-text.ts";
import { KeyCache } from "../../src/core/yaml/key-cache.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { readYaml } from "../../src/core/yaml/read-yaml.ts";
import { isUsualText, readUsual } from "../../src/core/yaml/usual-reader.ts";

/** Every path of a value, its own first. */
function* pathsOf(value: JsonValue, path: JsonPath = []): Generator<JsonPath> {
  yield path;
  if (isArray(value)) for (const [index, item] of value.entries()) yield* pathsOf(item, [...path, index]);
  else if (isObject(value)) for (const [key, item] of Object.entries(value)) yield* pathsOf(item ?? null, [...path, key]);
}

/** Whatever the text: an answer, with every position inside the text. */
export function answersInside(text: string): void {
  const { documents, diagnostics } = parseDocuments(text, "t");
  // Kubernetes' reader of files ends the last line.
  const limit = text.length + 1;
  const inside = (span: Span | undefined) => {
    if (span === undefined || span.start.offset < 0 || span.start.offset > span.end.offset || span.end.offset > limit) {
      throw new Error(`a span outside the text: ${JSON.stringify(span)}`);
    }
  };
  for (const { span } of diagnostics) inside(span);
  for (const document of documents.slice(0, 50)) for (const path of pathsOf(document.value)) inside(document.locate(path));
}

/** Whether the text of a span says a value: behind a key, or as a document whose first line gets its indentation back. */
function says(text: string, span: Span, expected: JsonValue): boolean {
  const own = text.slice(span.start.offset, span.end.offset);
  const behindKey = readYaml(lineOf(`v: ${own}`));
  if (behindKey.ok && jsonEquals(member(behindKey.value, "v"), expected)) return true;
  return [own, `\n${" ".repeat(span.start.column - 1)}${own}`].some((document) => {
    const read = readYaml(lineOf(document));
    return read.ok && jsonEquals(read.value, expected);
  });
}

/** With a line break at its end, and one only: more would count in a block scalar. */
function lineOf(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** The text at each path of a document says the path's value, and the text at each key the key. */
export function positionsSayValues(text: string, document: SourceDocument): void {
  for (const path of pathsOf(document.value)) {
    const expected = valueAt(document.value, path) ?? null;
    const at = document.locate(path);
    if (at === undefined || !says(text, at, expected)) {
      throw new Error(
        `at ${JSON.stringify(path)} stands ${JSON.stringify(at)}, not ${show(expected)}, in ${JSON.stringify(text)}`,
      );
    }
    const key = path.at(-1);
    if (typeof key !== "string") continue;
    const keyAt = document.locateKey(path);
    const keyText = keyAt === undefined ? "" : text.slice(keyAt.start.offset, keyAt.end.offset);
    const keySaid = readYaml(`? ${keyText}\n: v\n`);
    if (keyAt === undefined || !keySaid.ok || !jsonEquals(keySaid.value, { [key]: "v" })) {
      throw new Error(`the key of ${JSON.stringify(path)} stands at ${JSON.stringify(keyText)}`);
    }
  }
}

export function show(value: JsonValue | undefined): string {
  return JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v)) ?? "nothing";
}

/** Where the fast reader answers, the complete one answers the same, or balks at an indentation that libyaml allows. */
export function readersAgree(text: string): boolean {
  const whole = `${text}\n`;
  if (!isUsualText(whole) || /^(?:---|\.\.\.)/m.test(whole)) return false;
  const usual = readUsual(whole, 0, whole.length, new KeyCache());
  if (usual === undefined) return false;
  try {
    const { values, duplicates } = compose(whole);
    if (values.length === 1 && duplicates.length === 0 && jsonEquals(values[0], usual)) return true;
    throw new Error(`fast: ${show(usual)}, complete: ${values.map(show).join(" ")}`);
  } catch (error) {
    if (error instanceof YamlError && error.message === "deficient indentation") return true;
    throw error;
  }
}

/** JSON texts of values come back as they were, however they follow one another. */
export function jsonComesBack(values: readonly JsonValue[], texts: readonly string[], between: string): void {
  const reader = new JsonReader(texts.join(between));
  for (const value of values) {
    const item = reader.next();
    if (item === undefined || !jsonEquals(item.value, value))
      throw new Error(`${show(item?.value)} came back, not ${show(value)}`);
  }
  if (reader.next() !== undefined) throw new Error("more came back than was written");
}
