import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import process from "node:process";
import { processIo } from "./io.ts";

/** `package.json` stands two folders above `dist/cli`. */
function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}

// A reader that has seen enough (`castellan scan | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

enableCompileCache();
const { run } = await import("./run.ts");
process.exitCode = await run(process.argv.slice(2), packageVersion(), processIo());
