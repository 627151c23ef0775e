import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { defineConfig } from "rolldown";

/** Packages that a scan loads: inside, only what is used of them is read. The rest stays outside. */
const inside = /^(?:@noble\/|commander$|croner$|js-yaml$|re2js$)/;

/**
 * The command line in a few files instead of hundreds: starting it costs a third of the CPU. Three folders deep, as the
 * modules that read `catalog/` and `packs/` are without it.
 */
export default defineConfig({
  input: "dist/cli/main.js",
  platform: "node",
  external: (id) => /^[a-z@]/.test(id) && !inside.test(id),
  output: {
    dir: "dist/bundle/cli",
    format: "esm",
    cleanDir: true,
    // V8 keeps the source: without comments, and a byte for a character.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  },
  plugins: [
    {
      name: "licences",
      generateBundle(_, bundle) {
        const modules = Object.values(bundle).flatMap((part) => (part.type === "chunk" ? part.moduleIds : []));
        const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []));
        this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: [...folders].sort().map(licenceOf).join("\n\n") });
      },
    },
    {
      name: "latin-1",
      generateBundle(_, bundle) {
        for (const chunk of Object.values(bundle)) if (chunk.type === "chunk") chunk.code = escapeBeyondLatin1(chunk.code);
      },
    },
  ],
  logLevel: "silent",
});

/** Such characters stand in strings, templates and patterns only, where an escape means the same. */
function escapeBeyondLatin1(code: string): string {
  return code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The licence of a package, as it says it itself. */
function licenceOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  return `${basename(dirname(folder))}/${basename(folder)}\n\n${readFileSync(join(folder, file), "utf8").trim()}`.replace(
    /^node_modules\//,
    "",
  );
}
