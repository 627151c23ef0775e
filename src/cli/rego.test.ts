import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";

let folder = "";
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "castellan-rego-"));
  mkdirSync(at("p"));
  writeFileSync(
    at("p/main.rego"),
    'package main\n\ndeny contains msg if {\n\tinput.kind == "Pod"\n\tnot input.metadata.labels.owner\n\tmsg := "no owner"\n}\n',
  );
  writeFileSync(at("broken.rego"), "package main\np if { y > 1 }\n");
  writeFileSync(at("deep.rego"), `package main\ndeny contains "deep" if ${"1 + ".repeat(30_000)}1 > 2\n`);
  writeFileSync(at("pod.yaml"), "{apiVersion: v1, kind: Pod, metadata: {name: web}}");
  writeFileSync(at("service.yaml"), "{apiVersion: v1, kind: Service, metadata: {name: web}}");
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("castellan rego", () => {
  test.each<[string, readonly string[], number, string]>([
    ["eval", ["eval", "1 + 1"], 0, "2\n"],
    ["eval of a rule", ["eval", "data.main.deny", "-d", "p", "-i", "pod.yaml"], 0, '[\n  "no owner"\n]\n'],
    ["eval of variables", ["eval", "x := 1"], 0, '[\n  {\n    "x": 1\n  }\n]\n'],
    ["eval of nothing", ["eval", "data.nothing"], 0, "undefined\n"],
    ["check", ["check", "p"], 0, "1 module is fine\n"],
    ["check of what is broken", ["check", "broken.rego"], 2, "var y is unsafe"],
    ["check of what is nested too deep", ["check", "deep.rego"], 2, "expressions are nested too deep"],
    ["eval of what is nested too deep", ["eval", "data.main.deny", "-d", "deep.rego"], 2, "expressions are nested too deep"],
    ["eval of a broken query", ["eval", "1 +"], 2, "REGO_PARSE"],
    ["parse", ["parse", "p/main.rego"], 0, '"package"'],
    [
      "explain",
      ["eval", "data.main.deny", "-d", "p", "-i", "service.yaml", "--explain"],
      0,
      'data.main.deny does not hold: line 4: input.kind == "Pod"',
    ],
    ["profile", ["eval", "data.main.deny", "-d", "p", "-i", "pod.yaml", "--profile"], 0, " us  data.main.deny"],
  ])("%s", async (_, argv, code, said) => {
    const paths = argv.map((arg) => (/^(?:p|.*\.(?:rego|yaml))$/.test(arg) ? at(arg) : arg));
    const result = await runCli(["rego", ...paths]);
    expect(result.code).toBe(code);
    expect(result.out + result.err).toContain(said);
  });

  test("plain Rego is a policy of scans", async () => {
    const { code, out } = await runCli(["scan", at("pod.yaml"), "--policies", at("p"), "--checks", "policies"]);
    expect(out).toContain("no owner");
    expect(code).toBe(1);
  });

  test("plain Rego that cannot be compiled does not pass", async () => {
    const { code, out } = await runCli(["scan", at("pod.yaml"), "--policies", at("deep.rego"), "--checks", "policies"]);
    expect(out).toContain("expressions are nested too deep");
    expect(code).toBe(2);
  });
});
