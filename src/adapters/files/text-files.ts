import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { unreadable } from "./read-text.ts";

export type TextFile = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/** Small text files by path, read on demand: tests and what they name. */
export interface TextFiles {
  read(path: string): TextFile;
  /** Paths of the files in a directory, not of those below it, in order; undefined when it is no directory. */
  list(path: string): readonly string[] | undefined;
  /** Paths of all files below a directory, or the file itself; symbolic links to directories are not followed. */
  walk(path: string): readonly string[];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function walk(path: string, into: string[]): void {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== "node_modules" && entry.name !== ".git") walk(child, into);
    } else into.push(child);
  }
}

/** The file system. */
export const nodeTextFiles: TextFiles = {
  read(path) {
    try {
      return { ok: true, text: readFileSync(path, "utf8") };
    } catch (error) {
      return { ok: false, message: unreadable(path, error).message };
    }
  },
  list(path) {
    if (!isDirectory(path)) return undefined;
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(path, entry.name))
      .sort();
  },
  walk(path) {
    if (!isDirectory(path)) return [path];
    const files: string[] = [];
    walk(path, files);
    return files;
  },
};
