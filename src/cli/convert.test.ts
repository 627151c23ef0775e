import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";
import { exitCodes } from "./exit-code.ts";

const folder = mkdtempSync(join(tmpdir(), "castellan-convert-"));
const at = (name: string) => join(folder, name);
const policy = (name: string, rule: string) =>
  `{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ${name}}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [ConfigMap]}}]}, ${rule}}]}}\n`;
const files: { readonly [name: string]: string } = {
  "team.yaml": policy("team", 'validate: {message: whose is it, pattern: {metadata: {labels: {team: "?*"}}}}'),
  "generate.yaml": policy("generate", "generate: {kind: ConfigMap, apiVersion: v1, name: c, namespace: d, data: {}}"),
  "kyverno-test.yaml":
    "{apiVersion: cli.kyverno.io/v1alpha1, kind: Test, metadata: {name: t}, policies: [team.yaml], resources: [objects.yaml], results: [{policy: team, rule: r, resources: [a], kind: ConfigMap, result: fail}]}\n",
  "objects.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
};

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const convert = (...args: readonly string[]) =>
  runCli(["policy", "convert", ...args.map((a) => (a.endsWith(".yaml") ? at(a) : a))]);

test("says what was proven, and on what", async () => {
  const { code: status, out: stdout } = await convert("team.yaml", "--objects", "objects.yaml");
  expect(status).toBe(exitCodes.clean);
  expect(stdout.replaceAll(/\s+/g, " ")).toMatch(
    /team converted ValidatingPolicy team the same on \d+ requests, \d+ of them stopped or changed \(1 objects of its tests, \d+ at its boundaries, 1 of yours\) 1 of 1 policies converted, with proof/,
  );
});

test("writes what was proven only", async () => {
  const { code: status, out: stdout, err: stderr } = await convert("team.yaml", "generate.yaml", "-o", "yaml");
  expect(status).toBe(exitCodes.findings);
  expect(stdout.match(/^kind: .*/gm)).toEqual(["kind: ValidatingPolicy"]);
  expect(stdout).toContain("has(object.metadata.labels.team) && object.metadata.labels.team != ''");
  expect(stderr).toContain("the rule has generate");
});

test("for the API server", async () => {
  const { out: stdout } = await convert("team.yaml", "--to", "kubernetes", "-o", "yaml");
  expect(stdout.match(/^kind: .*/gm)).toEqual(["kind: ValidatingAdmissionPolicy", "kind: ValidatingAdmissionPolicyBinding"]);
});

test("of nothing is a slip", async () => {
  const { code: status, err: stderr } = await convert("objects.yaml");
  expect([status, stderr]).toEqual([exitCodes.usage, expect.stringContaining("no ClusterPolicy or Policy")]);
});
