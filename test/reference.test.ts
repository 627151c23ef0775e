import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { accessDocumentsReference } from "../scripts/access-documents-reference.ts";
import { accessThreatsReference, proofs, threats } from "../scripts/access-threats-reference.ts";
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

test("docs/reference/access-documents.md is current; else run `npm run docs`", () => {
  expect(reference("access-documents.md")).toBe(accessDocumentsReference());
});

test("docs/reference/access-threats.md is current; else run `npm run docs`", () => {
  expect(reference("access-threats.md")).toBe(accessThreatsReference());
});

test("every threat to access is shown to be met, or has a reason", () => {
  const found = proofs();
  const all = threats.flatMap((area) => area.threats);
  expect(all.map(({ id }) => id).sort()).toEqual(Array.from({ length: 69 }, (_, i) => `T${String(i + 1).padStart(2, "0")}`));
  expect(all.filter(({ id, reason }) => reason === undefined && !found.has(id)).map(({ id }) => id)).toEqual([]);
});

test("tests that the threats name are there", () => {
  const named = threats.flatMap((area) => area.threats).flatMap(({ tests = [] }) => tests);
  const missing = named.filter(([file, title]) => !readFileSync(join(import.meta.dirname, "..", file), "utf8").includes(title));
  expect(missing).toEqual([]);
});
