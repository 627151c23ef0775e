import { createReadStream, globSync, realpathSync, type Stats, statSync } from "node:fs";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { SourceDocument } from "../../core/source.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { withCalendars } from "./calendar-files.ts";
import { looksLikeTemplate } from "./file-kinds.ts";
import { type LoadedPaths, pathDiagnostic, type SkippedPath } from "./loaded-paths.ts";
import { defaultMaximumBytes, readTextFile, readTextStream, unreadable } from "./read-text.ts";
import { regoDocument } from "./rego-document.ts";
import { render } from "./render.ts";
import type { TextFile } from "./text-files.ts";
import { type RenderableDirectory, renderableType, walk } from "./walk.ts";

export interface LoadOptions {
  /**
   * Which charts and kustomizations to render: those whose directory was named, all that are met, or none.
   * @default "given"
   */
  readonly render?: "given" | "all" | "never";
  /** Whether to search directories whose name starts with a dot. */
  readonly hidden?: boolean;
  /** Whether Rego modules in directories are loaded, too; those that are named always are. */
  readonly rego?: boolean;
  /** Larger files are refused. */
  readonly maximumBytes?: number;
  /** What `-` reads; standard input unless told otherwise. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Where renderers are looked for; `PATH` unless told otherwise. */
  readonly searchPath?: string;
}

/**
 * Loads manifests from files, directories, globs and standard input (`-`). What cannot be read becomes a diagnostic,
 * and the rest is still loaded. A file that is named twice is loaded once.
 */
export async function loadPaths(paths: readonly string[], options: LoadOptions = {}): Promise<LoadedPaths> {
  const loader = new Loader(options);
  for (const path of paths) await loader.path(path);
  return loader;
}

class Loader implements LoadedPaths {
  readonly documents: SourceDocument[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly skipped: SkippedPath[] = [];
  readonly #options: LoadOptions;
  readonly #maximumBytes: number;
  readonly #seen = new Set<string>();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#maximumBytes = options.maximumBytes ?? defaultMaximumBytes;
  }

  async path(path: string): Promise<void> {
    if (path === "-") return this.#stream(this.#options.input ?? process.stdin, path);
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
    } catch (error) {
      this.diagnostics.push(unreadable(path, error));
      return;
    }
    if (stats === undefined && /[*?[{]/.test(path)) return this.#glob(path);
    if (stats?.isDirectory() === true) return this.#directory(path);
    // As a shell's `<(command)` names one.
    if (stats?.isFIFO() === true || stats?.isCharacterDevice() === true) return this.#stream(createReadStream(path), path);
    this.#namedFile(path);
  }

  async #stream(stream: AsyncIterable<Uint8Array>, name: string): Promise<void> {
    const text = await readTextStream(stream, name, this.#maximumBytes);
    if (text.ok) this.#text(text.value, name, true);
    else this.diagnostics.push(...text.diagnostics);
  }

  async #glob(pattern: string): Promise<void> {
    const matches = globSync(pattern).sort();
    if (matches.length === 0) this.diagnostics.push(pathDiagnostic("FILE_NOT_FOUND", pattern, "the pattern matches nothing"));
    for (const match of matches) await this.path(match);
  }

  async #directory(path: string): Promise<void> {
    const type = this.#options.render === "never" ? undefined : renderableType(path);
    if (type !== undefined) return this.#render({ type, path });
    const { found, diagnostics, skipped } = walk(path, {
      render: this.#options.render === "all",
      hidden: this.#options.hidden === true,
      rego: this.#options.rego === true,
    });
    this.diagnostics.push(...diagnostics);
    this.skipped.push(...skipped);
    if (found.length === 0 && skipped.length === 0 && diagnostics.length === 0) {
      this.diagnostics.push(pathDiagnostic("DIRECTORY_EMPTY", path, "no .yaml, .yml or .json file is in this directory"));
    }
    for (const item of found) {
      if (item.type === "file") this.#file(item.path, item.real, false);
      else await this.#render(item);
    }
  }

  async #render(directory: RenderableDirectory): Promise<void> {
    const rendered = await render(directory, this.#options.searchPath ?? process.env["PATH"] ?? "");
    if (rendered.ok) this.#text(rendered.value.text, rendered.value.name, true);
    else this.diagnostics.push(...rendered.diagnostics);
  }

  #namedFile(path: string): void {
    let real: string;
    try {
      real = realpathSync.native(path);
    } catch (error) {
      this.diagnostics.push(unreadable(path, error));
      return;
    }
    this.#file(path, real, true);
  }

  #file(path: string, real: string, named: boolean): void {
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    const text = readTextFile(path, path, this.#maximumBytes);
    if (text.ok) this.#text(text.value, path, named);
    else this.diagnostics.push(...text.diagnostics);
  }

  #text(text: string, name: string, named: boolean): void {
    if (name.endsWith(".rego")) {
      this.documents.push(regoDocument(name, text));
      return;
    }
    const { documents, diagnostics } = parseDocuments(text, name);
    if (diagnostics.some((d) => d.severity === "error") && looksLikeTemplate(text)) {
      // What a template happens to parse as is not what it will become.
      if (named) this.diagnostics.push(pathDiagnostic("FILE_TEMPLATE", name, "this is a template, not YAML"));
      else this.skipped.push({ path: name, reason: "template" });
      return;
    }
    const calendar = (path: string): TextFile => {
      const file = readTextFile(path, path, this.#maximumBytes);
      return file.ok ? { ok: true, text: file.value } : { ok: false, message: file.diagnostics[0]?.message ?? path };
    };
    for (const document of documents) this.documents.push(withCalendars(document, calendar, this.diagnostics));
    this.diagnostics.push(...diagnostics);
  }
}
