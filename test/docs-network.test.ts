import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const text = readFileSync(join(import.meta.dirname, "../docs/network.md"), "utf8");

/** Every block that shows a command and what it answers; `...` stands for lines that are left out. */
const shown = [...text.matchAll(/```text\n\$ castellan (.+)\n([\s\S]*?)\n```/g)].map(([, line = "", output = ""]) => ({
  line,
  output,
}));

describe("docs/network.md shows what the commands answer", () => {
  test("it shows some", () => expect(shown.length).toBeGreaterThan(10));

  test.each(shown)("$line", async ({ line, output }) => {
    const { out } = await runCli(line.split(" "));
    const lines = out
      .trimEnd()
      .split("\n")
      .map((l) => l.trimEnd());
    const parts = output.split("\n...").map((part) => part.replace(/^\n/, ""));
    const answer = lines.join("\n").replaceAll("\r", "");
    expect(answer.startsWith(parts[0] ?? "")).toBe(true);
    if (parts.length === 1) expect(answer).toBe(output);
  });
});
