import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The directory of the console's built pages; undefined where they were not built. */
export function webPages(): string | undefined {
  const directory = fileURLToPath(new URL("../../../dist/web", import.meta.url));
  return existsSync(directory) ? directory : undefined;
}
