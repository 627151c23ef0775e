import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const packs = join(import.meta.dirname, "../packs");
const namesIn = (folder: string) => readdirSync(join(packs, folder)).sort();

test.each(namesIn(""))("every policy of the pack %s has cases, and they hold", async (pack) => {
  expect(namesIn(`${pack}/cases`)).toEqual(namesIn(`${pack}/policies`));
  const { code, out } = await runCli(["test", join(packs, pack)]);
  expect(out).toMatch(/\n[1-9]\d* passed, 0 failed\n$/);
  expect(code).toBe(0);
});
