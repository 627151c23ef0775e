import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiTypes } from "../scripts/api-types.ts";
import { cliReference } from "../scripts/cli-reference.ts";
import { errorsReference } from "../scripts/errors-reference.ts";
import { linterReference } from "../scripts/linter-reference.ts";
import { rbacReference } from "../scripts/rbac-reference.ts";
import { exitCodes } from "../src/cli/exit-code.ts";
import { formatters } from "../src/report/index.ts";

const reference = (name: string) => readFileSync(join(import.meta.dirname, "../docs/reference", name), "utf8");

test("docs/reference/errors.md is current; else run `npm run docs`", () => {
  expect(reference("errors.md")).toBe(errorsReference());
});

test("docs/reference/linter.md is current; else run `npm run docs`", () => {
  expect(reference("linter.md")).toBe(linterReference());
});

test("docs/reference/rbac-checks.md is current; else run `npm run docs`", () => {
  expect(reference("rbac-checks.md")).toBe(rbacReference());
});

test("docs/reference/cli.md is current; else run `npm run docs`", async () => {
  expect(reference("cli.md")).toBe(await cliReference());
});

test("web/src/api/schema.gen.ts is current; else run `npm run docs`", async () => {
  expect(readFileSync(join(import.meta.dirname, "../web/src/api/schema.gen.ts"), "utf8")).toBe(await apiTypes());
});

test("docs/reference/exit-codes.md names every exit code", () => {
  const rows = [...reference("exit-codes.md").matchAll(/^\| (\d) \| `(\w+)` \|/gm)].map((m) => [m[2], Number(m[1])]);
  expect(Object.fromEntries(rows)).toEqual(exitCodes);
});

test("docs/reference/reports.md names every format", () => {
  for (const name of Object.keys(formatters)) expect(reference("reports.md")).toContain(`\`${name}\``);
});
