import { defineConfig } from "rolldown";

/** Packages that a scan loads: inside, only what is used of them is read. The rest stays outside. */
const inside = /^(?:@noble\/|commander$|croner$|ical\.js$|js-yaml$|re2js$)/;

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
