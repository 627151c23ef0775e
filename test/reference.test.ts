import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorsReference } from "../scripts/errors-reference.ts";
import { exitCodes } from "../src/cli/exit-code.ts";

const reference = (name: string) => readFileSync(join(import.meta.dirname, "../docs/reference", name), "utf8");

test("docs/reference/errors.md is current; else run `npm run docs`", () => {
  expect(reference("errors.md")).toBe(errorsReference());
});

test("docs/reference/exit-codes.md names every exit code", () => {
  const rows = [...reference("exit-codes.md").matchAll(/^\| (\d) \| `(\w+)` \|/gm)].map((m) => [m[2], Number(m[1])]);
  expect(Object.fromEntries(rows)).toEqual(exitCodes);
});
