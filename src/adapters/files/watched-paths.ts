import { readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { commitOf } from "./git-checkout.ts";
import { type LoadOptions, loadPaths } from "./load-paths.ts";
import type { LoadedPaths } from "./loaded-paths.ts";

/** What was loaded, and from which state of a Git checkout. */
export interface LoadedState extends LoadedPaths {
  /** Of the first path that is in a checkout; undefined where none is, or Git is not there. */
  readonly commit: string | undefined;
}

export interface WatchOptions extends LoadOptions {
  readonly onChange: (state: LoadedState) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Milliseconds between looks. */
  readonly every?: number;
}

/**
 * Loads manifests and loads them again when a file, a directory or the target of a link is another one: edits, `git pull`,
 * the swap of a link by git-sync or of a mounted ConfigMap. Looking, not being told, works on every file system.
 */
export class WatchedPaths {
  readonly #paths: readonly string[];
  readonly #options: WatchOptions;
  #seen = "";
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(paths: readonly string[], options: WatchOptions) {
    // Standard input is read once.
    this.#paths = paths.filter((path) => path !== "-");
    this.#options = options;
  }

  /** What is there now; changes are told from then on. */
  async start(given: readonly string[]): Promise<LoadedState> {
    this.#seen = fingerprint(this.#paths);
    const state = await this.#load(given);
    this.#again();
    return state;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #again(): void {
    if (this.#stopped || this.#paths.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch(this.#options.onTrouble)
        .finally(() => this.#again());
    }, this.#options.every ?? 3000).unref();
  }

  async #look(): Promise<void> {
    const now = fingerprint(this.#paths);
    if (now === this.#seen) return;
    this.#seen = now;
    this.#options.onChange(await this.#load(this.#paths));
  }

  async #load(paths: readonly string[]): Promise<LoadedState> {
    const { documents, diagnostics, skipped } = await loadPaths(paths, this.#options);
    const commit = await commitOf(this.#paths, this.#options.searchPath ?? process.env["PATH"] ?? "");
    return { documents, diagnostics, skipped, commit };
  }
}

/** Differs when anything below the paths was added, removed, written or linked to something else. */
function fingerprint(paths: readonly string[]): string {
  const lines: string[] = [];
  const visit = (path: string, depth: number): void => {
    let real: string;
    try {
      real = realpathSync.native(path);
      const found = statSync(path);
      lines.push(`${path} ${real} ${found.ino} ${found.mtimeMs} ${found.size}`);
      if (!found.isDirectory() || depth === deepest) return;
    } catch {
      lines.push(`${path} -`);
      return;
    }
    for (const name of readdirSync(path).sort()) {
      if (name !== ".git" && name !== "node_modules") visit(join(path, name), depth + 1);
    }
  };
  for (const path of paths) visit(path, 0);
  return lines.join("\n");
}

/** A link that leads back to its directory ends here. */
const deepest = 20;
