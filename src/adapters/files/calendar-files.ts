import { dirname, isAbsolute, join, normalize } from "node:path";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { isOfKind, problemAt } from "../../core/resource-kind.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { TextFile } from "./text-files.ts";

/** By name: the schema of the kind is not needed here, and takes long to load. */
const scheduleKind = { kind: "Schedule" };

/** What a document names stays below the directory that it is in: a repository of policies is not let read the disk. */
function isBeside(file: string): boolean {
  return !isAbsolute(file) && !normalize(file).startsWith("..");
}

/** A Schedule with the text of the iCalendar files that its freezes name; every other document as it is. */
export function withCalendars(
  document: SourceDocument,
  read: (path: string) => TextFile,
  diagnostics: Diagnostic[],
): SourceDocument {
  const { value } = document;
  const spec = member(value, "spec");
  const freezes = member(spec, "freezes");
  if (!isOfKind(value, scheduleKind) || !isObject(value) || !isObject(spec) || !isArray(freezes)) return document;
  if (!freezes.some((freeze) => member(freeze, "file") !== undefined)) return document;
  const filled = freezes.map((freeze, i): JsonValue => {
    const file = asString(member(freeze, "file"));
    if (file === undefined || !isObject(freeze)) return freeze;
    const text: TextFile = isBeside(file)
      ? read(join(dirname(document.file), file))
      : { ok: false, message: `${file} is not beside the document` };
    if (!text.ok) {
      diagnostics.push(problemAt(document, ["spec", "freezes", i, "file"], text.message, "FILE_UNREADABLE"));
      return freeze;
    }
    const { file: _, ...rest }: JsonObject = freeze;
    return { ...rest, calendar: text.text };
  });
  return {
    file: document.file,
    index: document.index,
    value: { ...value, spec: { ...spec, freezes: filled } },
    locate: (path) => document.locate(path),
    locateKey: (path) => document.locateKey(path),
  };
}
