import { enableCompileCache } from "node:module";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { packageVersion } from "../adapters/files/package-version.ts";
import { processIo } from "./io.ts";
import { v8Flags } from "./v8-flags.ts";

// A reader that has seen enough (`castellan scan | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

for (const flag of v8Flags(process.argv[2])) setFlagsFromString(flag);
enableCompileCache();
const { run } = await import("./run.ts");
process.exitCode = await run(process.argv.slice(2), packageVersion(), processIo());
