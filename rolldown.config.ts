import { defineConfig } from "rolldown";

/**
 * The command line in a few files instead of hundreds: starting it costs a third of the CPU. Other packages stay
 * outside. Three folders deep, as the modules that read `catalog/` and `packs/` are without it.
 */
export default defineConfig({
  input: "dist/cli/main.js",
  platform: "node",
  external: [/^[a-z@]/],
  output: { dir: "dist/bundle/cli", format: "esm", cleanDir: true },
  logLevel: "silent",
});
