import { enableCompileCache } from "node:module";
import process from "node:process";
import { packageVersion } from "../adapters/files/package-version.ts";
import { processIo } from "./io.ts";

// A reader that has seen enough (`castellan scan | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

enableCompileCache();
const { run } = await import("./run.ts");
process.exitCode = await run(process.argv.slice(2), packageVersion(), processIo());
