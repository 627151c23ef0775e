import { dirname, join } from "node:path";
import { withCalendars } from "../adapters/files/calendar-files.ts";
import type { TextFiles } from "../adapters/files/text-files.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { SourceDocument } from "../core/source.ts";
import { type ParsedDocuments, parseDocuments } from "../core/yaml/parse-documents.ts";

/** Reads the files that tests name; each is read and parsed once. */
export class TestDocuments {
  readonly #files: TextFiles;
  readonly #parsed = new Map<string, ParsedDocuments>();

  constructor(files: TextFiles) {
    this.#files = files;
  }

  /** The documents of one file, or of the YAML and JSON files of a directory. */
  read(path: string): ParsedDocuments {
    const known = this.#parsed.get(path);
    if (known !== undefined) return known;
    const parsed = this.#parse(path);
    this.#parsed.set(path, parsed);
    return parsed;
  }

  #parse(path: string): ParsedDocuments {
    const inside = this.#files.list(path)?.filter((file) => /\.(ya?ml|json)$/.test(file));
    if (inside !== undefined) {
      const all = inside.map((file) => this.read(file));
      return { documents: all.flatMap((p) => p.documents), diagnostics: all.flatMap((p) => p.diagnostics) };
    }
    const file = this.#files.read(path);
    if (file.ok) {
      const { documents, diagnostics } = parseDocuments(file.text, path);
      const found = [...diagnostics];
      const filled = documents.map((document) => withCalendars(document, (beside) => this.#files.read(beside), found));
      return { documents: filled, diagnostics: found };
    }
    return { documents: [], diagnostics: [{ code: "FILE_UNREADABLE", severity: "error", message: `${path}: ${file.message}` }] };
  }

  /** The documents of files that a test names beside itself, and what is wrong with them. */
  beside(testFile: string, paths: readonly string[], diagnostics: Diagnostic[]): readonly SourceDocument[] {
    return paths.flatMap((path) => {
      if (/^https?:/.test(path)) {
        diagnostics.push({ code: "FILE_UNREADABLE", severity: "error", message: `${path}: tests do not use the network` });
        return [];
      }
      const parsed = this.read(join(dirname(testFile), path));
      diagnostics.push(...parsed.diagnostics);
      return parsed.documents;
    });
  }
}
