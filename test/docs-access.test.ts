import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readNotificationsDocument } from "../src/adapters/notify/notifications-document.ts";
import { member } from "../src/core/json.ts";
import { parseDocuments } from "../src/core/yaml/parse-documents.ts";
import { compileAccess } from "../src/services/access/access-documents.ts";
import { runCli } from "./run-cli.ts";

const guide = readFileSync(join(import.meta.dirname, "../docs/guide/access.md"), "utf8");
const documents = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(
  ([, text = ""]) => parseDocuments(text, "access.md").documents,
);

test("the rules and guardrails of the guide are what we take", () => {
  const ours = documents.filter(({ value }) => member(value, "kind") !== "Notifications");
  const compiled = compileAccess(ours);
  expect(compiled.diagnostics).toEqual([]);
  expect(compiled.rules.map(({ name }) => name)).toEqual(["production-changes", "outage"]);
  expect(compiled.guardrails).toHaveLength(1);
});

test("the notifications of the guide are what we take", () => {
  const read = documents
    .filter(({ value }) => member(value, "kind") === "Notifications")
    .map(({ value }) => readNotificationsDocument(value));
  expect(read).toMatchObject([{ ok: true }]);
});

test("the commands of the guide are there, with their options", async () => {
  const lines = [
    ...guide.matchAll(/castellan ((?:request|approve|deny|revoke|access|audit|login|kubeconfig|serve)\b[^`|\n&]*)/g),
  ].map(([, line = ""]) => line);
  expect(lines.length).toBeGreaterThan(15);
  for (const line of lines) {
    const words = line.split(" ").filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith("-"));
    const path =
      ["request", "access", "audit"].includes(words[0] ?? "") && words[1] !== undefined ? words.slice(0, 2) : words.slice(0, 1);
    const { out, code } = await runCli([...path, "--help"]);
    expect([line, code]).toEqual([line, 0]);
    const before = line.split(" -- ")[0] ?? "";
    for (const [option] of before.matchAll(/(?<= )--[a-z-]+/g))
      expect([line, out]).toEqual([line, expect.stringContaining(option)]);
  }
});
