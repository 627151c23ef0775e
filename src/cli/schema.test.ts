import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";
import { exitCodes } from "./exit-code.ts";

const folder = mkdtempSync(join(tmpdir(), "castellan-schema-"));
const at = (name: string) => join(folder, name);
const gadget = (size: string) => `{apiVersion: example.com/v1, kind: Gadget, metadata: {name: g}, spec: {size: ${size}}}\n`;
const files: { readonly [name: string]: string } = {
  "crd.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: {size: {type: integer}}
            x-kubernetes-validations:
            - {rule: self.size > 0, message: sizes are positive}
            - {rule: self.size >= oldSelf.size, message: sizes only grow}
`,
  "good.yaml": gadget("2"),
  "bad.yaml": gadget("-1"),
  "larger.yaml": gadget("3"),
};

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const scan = (...args: readonly string[]) =>
  runCli(["scan", "--checks", "resources", ...args.map((a) => (a.endsWith(".yaml") ? at(a) : a))]);

test.each<[string, readonly string[], number, string]>([
  ["a good object", ["good.yaml", "--schema", "--crds", "crd.yaml"], exitCodes.clean, ""],
  ["a bad object", ["bad.yaml", "--schema", "--crds", "crd.yaml"], exitCodes.findings, "sizes are positive"],
  ["a change", ["good.yaml", "--schema", "--crds", "crd.yaml", "--old", "larger.yaml"], exitCodes.findings, "sizes only grow"],
  ["a definition among the objects", ["bad.yaml", "crd.yaml", "--schema"], exitCodes.findings, "sizes are positive"],
  ["no definition", ["good.yaml", "--schema"], exitCodes.clean, "SCHEMA_UNKNOWN"],
  ["nobody asked for it", ["bad.yaml", "crd.yaml"], exitCodes.clean, ""],
])("%s", async (_, args, code, text) => {
  const { code: status, out: stdout, err: stderr } = await scan(...args);
  expect([status, stderr]).toEqual([code, ""]);
  expect(stdout.replaceAll(/\s+/g, " ")).toContain(text);
});

test("definitions without the check are a slip", async () => {
  const { code: status, err: stderr } = await scan("good.yaml", "--crds", "crd.yaml");
  expect([status, stderr]).toEqual([exitCodes.usage, expect.stringContaining("--crds and --old belong to --schema")]);
});
