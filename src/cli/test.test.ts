import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./run.ts";

const directory = mkdtempSync(join(tmpdir(), "castellan-test-"));
const file = (name: string) => join(directory, name);

beforeAll(() => {
  mkdirSync(file("empty"));
  writeFileSync(
    file("policy.yaml"),
    "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: names}, spec: {rules: [{name: check, match: {any: [{resources: {kinds: [Service]}}]}, validate: {message: bad name, pattern: {metadata: {name: good}}}}]}}",
  );
  writeFileSync(
    file("services.yaml"),
    "{apiVersion: v1, kind: Service, metadata: {name: good}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: bad}}\n",
  );
  writeFileSync(
    file("kyverno-test.yaml"),
    "{apiVersion: cli.kyverno.io/v1alpha1, kind: Test, metadata: {name: t}, policies: [policy.yaml], resources: [services.yaml], results: [{policy: names, rule: check, kind: Service, resources: [good], result: pass}, {policy: names, rule: check, kind: Service, resources: [bad], result: pass}]}",
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

async function castellan(...argv: readonly string[]) {
  let out = "";
  let err = "";
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    env: {},
    outColumns: undefined,
    errIsTerminal: false,
    now: () => 0,
  };
  const code = await run(["test", ...argv], "0.0.0", io);
  return { code, out: out.replaceAll(directory, "DIR"), err };
}

describe("castellan test", () => {
  test("shows every row and fails with 1", async () => {
    const { code, out } = await castellan(directory);
    expect(code).toBe(1);
    expect(out).toBe(`t  DIR/kyverno-test.yaml
  pass  names/check  v1/Service default/good
  FAIL  names/check  v1/Service default/bad
        want pass, got fail (DIR/kyverno-test.yaml:1:213)
        validation error: bad name. rule check failed at path /metadata/name/

1 passed, 1 failed
`);
  });

  test("names our own cases", async () => {
    const own = mkdtempSync(join(tmpdir(), "castellan-cases-"));
    const name = "a service has another name";
    copyFileSync(file("policy.yaml"), join(own, "policy.yaml"));
    writeFileSync(
      join(own, "cases.yaml"),
      `[{name: ${name}, policy: policy.yaml, resource: {apiVersion: v1, kind: Service, metadata: {name: s}}, expect: {allowed: false}}]`,
    );
    const { out } = await castellan(join(own, "cases.yaml"));
    const { out: data } = await castellan(join(own, "cases.yaml"), "-o", "json");
    rmSync(own, { recursive: true });
    expect(out).toContain(`  pass  ${name}  `);
    expect(JSON.parse(data).tests[0].results[0].case).toBe(name);
  });

  test("shows only failures where they are asked for", async () => {
    const { out } = await castellan(directory, "--fail-only");
    expect(out).not.toContain("pass  ");
    expect(out).toContain("FAIL  names/check");
  });

  test("passes with 0 what is selected", async () => {
    expect(await castellan(directory, "-t", "resource=good")).toMatchObject({
      code: 0,
      out: expect.stringContaining("1 passed, 0 failed"),
    });
  });

  test("writes JSON", async () => {
    const { out } = await castellan(directory, "-o", "json");
    expect(JSON.parse(out)).toMatchObject({
      summary: { passed: 1, failed: 1, skipped: 0, problems: 0 },
      tests: [{ name: "t", results: [{ outcome: "pass" }, { outcome: "fail", expected: "pass", actual: "fail", line: 1 }] }],
    });
  });

  test("writes JUnit to a file", async () => {
    const { out } = await castellan(directory, "-o", "junit", "--output-file", file("out.xml"));
    expect(out).toBe("");
    const xml = readFileSync(file("out.xml"), "utf8");
    expect(xml).toContain('<testsuite name="t"');
    expect(xml).toContain('tests="2" failures="1" errors="0" skipped="0"');
    expect(xml).toContain('<failure message="want pass, got fail: validation error: bad name.');
  });

  test("is not complete (2) when a file cannot be read", async () => {
    writeFileSync(file("broken.yaml"), "{kind: Test, policies: [nope.yaml], resources: [services.yaml], results: []}");
    const { code, out } = await castellan(file("broken.yaml"));
    expect(code).toBe(2);
    expect(out).toContain("nope.yaml: there is no such file or directory");
  });

  test.each([
    ["a folder that is not there", [file("nosuch")], "nosuch: there is no such file or directory"],
    ["a folder without tests", [file("empty")], "castellan: "],
    ["a selection that is none", [directory, "-t", "color=red"], '"color=red" is no selection'],
  ])("takes %s for a wrong command line (3)", async (_, argv, message) => {
    const { code, err } = await castellan(...argv);
    expect(code).toBe(3);
    expect(err).toContain(message);
  });
});
