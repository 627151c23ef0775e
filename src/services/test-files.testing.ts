import type { TextFiles } from "../adapters/files/text-files.ts";

/** Files that exist in memory only, by path. */
export function memoryFiles(files: { readonly [path: string]: string }): TextFiles {
  const below = (path: string) => Object.keys(files).filter((file) => file.startsWith(`${path}/`));
  return {
    read: (path) => {
      const text = files[path];
      return text === undefined ? { ok: false, message: "no such file" } : { ok: true, text };
    },
    list: (path) => {
      const inside = below(path).filter((file) => !file.slice(path.length + 1).includes("/"));
      return inside.length === 0 ? undefined : inside;
    },
    walk: (path) => (files[path] === undefined ? below(path) : [path]),
  };
}
