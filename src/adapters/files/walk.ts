import { type Dirent, existsSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { chartName, isManifestName, kustomizationNames, kustomizePatchPaths } from "./file-kinds.ts";
import { pathDiagnostic, type SkippedPath } from "./loaded-paths.ts";
import { defaultMaximumBytes, readTextFile, unreadable } from "./read-text.ts";
import { isRegoPolicyName } from "./rego-document.ts";

export interface WalkedFile {
  readonly type: "file";
  readonly path: string;
  /** Without links. */
  readonly real: string;
}

/** A directory that a program turns into manifests. */
export interface RenderableDirectory {
  readonly type: "chart" | "kustomization";
  readonly path: string;
}

/** What was found, in the order of names. */
export interface Walk {
  readonly found: readonly (WalkedFile | RenderableDirectory)[];
  readonly diagnostics: readonly Diagnostic[];
  readonly skipped: readonly SkippedPath[];
}

export interface WalkOptions {
  /** Whether charts and kustomizations below the directory are to be rendered rather than left alone. */
  readonly render: boolean;
  /** Whether to search directories whose name starts with a dot. */
  readonly hidden: boolean;
  /** Whether Rego modules are looked for, too. */
  readonly rego: boolean;
}

/** Whether a directory is one that a program renders. */
export function renderableType(directory: string): RenderableDirectory["type"] | undefined {
  if (existsSync(join(directory, chartName))) return "chart";
  return kustomizationNames.some((name) => existsSync(join(directory, name))) ? "kustomization" : undefined;
}

/** Searches a directory for manifests; links are followed, loops noticed. */
export function walk(directory: string, options: WalkOptions): Walk {
  const walker = new Walker(options);
  walker.root(directory);
  return walker;
}

class Walker implements Walk {
  readonly found: (WalkedFile | RenderableDirectory)[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly skipped: SkippedPath[] = [];
  readonly #options: WalkOptions;
  /** Absolute paths of kustomize patches that were met so far; a kustomization may name files of other directories. */
  readonly #patches = new Set<string>();

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  root(path: string): void {
    try {
      this.#directory(path, realpathSync.native(path), []);
    } catch (error) {
      this.diagnostics.push(unreadable(path, error));
    }
  }

  /** `real` is the path without links. */
  #directory(path: string, real: string, ancestors: readonly string[]): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch (error) {
      this.diagnostics.push(unreadable(path, error));
      return;
    }
    if (ancestors.includes(real)) {
      this.diagnostics.push(pathDiagnostic("DIRECTORY_LOOP", path, `the link leads back to ${real}`));
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const names = new Set(entries.map((entry) => entry.name));
    if (names.has(chartName)) this.#chart(path, real, entries, [...ancestors, real]);
    else {
      const kustomization = kustomizationNames.find((name) => names.has(name));
      if (kustomization !== undefined) {
        if (this.#options.render) {
          this.found.push({ type: "kustomization", path });
          return;
        }
        this.#notePatches(path, kustomization);
      }
      for (const entry of entries) this.#entry(path, real, entry, [...ancestors, real]);
    }
  }

  /** Of a chart that is not rendered only its CRDs are manifests, and the charts that it holds may be rendered. */
  #chart(path: string, real: string, entries: readonly Dirent[], ancestors: readonly string[]): void {
    if (this.#options.render) this.found.push({ type: "chart", path });
    else {
      this.skipped.push({ path, reason: "chart" });
      for (const entry of entries) if (entry.name === "crds") this.#entry(path, real, entry, ancestors);
    }
  }

  #notePatches(directory: string, kustomization: string): void {
    const path = join(directory, kustomization);
    this.skipped.push({ path, reason: "kustomization" });
    const text = readTextFile(path, path, defaultMaximumBytes);
    if (!text.ok) return;
    for (const patch of kustomizePatchPaths(text.value)) this.#patches.add(resolve(directory, patch));
  }

  #isWanted(name: string): boolean {
    return isManifestName(name) || (this.#options.rego && isRegoPolicyName(name));
  }

  #entry(directory: string, realDirectory: string, entry: Dirent, ancestors: readonly string[]): void {
    const path = join(directory, entry.name);
    let type: Dirent | Stats = entry;
    let real = join(realDirectory, entry.name);
    if (entry.isSymbolicLink()) {
      try {
        type = statSync(path);
        real = realpathSync.native(path);
      } catch (error) {
        if (isManifestName(entry.name)) this.diagnostics.push(unreadable(path, error));
        return;
      }
    }
    if (type.isDirectory()) {
      if (entry.name === "node_modules") return;
      if (entry.name.startsWith(".") && !this.#options.hidden) {
        if (entry.name !== ".git") this.skipped.push({ path, reason: "hidden" });
      } else this.#directory(path, real, ancestors);
    } else if (type.isFile() && this.#isWanted(entry.name) && !kustomizationNames.includes(entry.name)) {
      if (this.#patches.has(resolve(path))) this.skipped.push({ path, reason: "kustomize-patch" });
      else this.found.push({ type: "file", path, real });
    }
  }
}
