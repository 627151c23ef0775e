import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const repository = resolve(import.meta.dirname, "../..");

/** The conformance corpora that benches work on; undefined where they are absent. */
export function corpora(): string | undefined {
  const folder = process.env["CASTELLAN_CONFORMANCE"] ?? join(repository, "../shared/conformance");
  return existsSync(join(folder, "bench/objects.yaml")) ? resolve(folder) : undefined;
}

/** Our command line, as installed. */
export const castellan: readonly string[] = [process.execPath, join(repository, "bin/castellan.js")];
