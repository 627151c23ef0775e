import { readFileSync } from "node:fs";

/** The version of this package; its `package.json` is three folders up from here, in src/, in dist/ and in the bundle. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
