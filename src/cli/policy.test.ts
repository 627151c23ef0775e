import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";
import { exitCodes } from "./exit-code.ts";

const folder = mkdtempSync(join(tmpdir(), "castellan-policy-"));
const at = (name: string) => join(folder, name);

const latest = `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: disallow-latest-tag
  annotations: {policies.kyverno.io/title: Disallow Latest Tag, policies.kyverno.io/severity: high}
spec:
  background: false
  rules:
  - name: tag
    match: {any: [{resources: {kinds: [Pod], namespaces: [prod-*]}}]}
    exclude: {any: [{clusterRoles: [cluster-admin]}]}
    preconditions: {all: [{key: "{{ request.operation }}", operator: NotEquals, value: DELETE}]}
    validate:
      failureAction: Enforce
      message: Use a tag other than latest.
      pattern: {spec: {containers: [{image: "!*:latest"}]}}
`;
const files: { readonly [name: string]: string } = {
  "good.yaml": latest,
  "typo.yaml": latest.replace("failureAction", "failureActoin").replace("disallow-latest-tag", "typo"),
  "never.yaml": latest.replace("kinds: [Pod]", "kinds: [Pods]").replace("disallow-latest-tag", "never"),
  "contrary.yaml": latest.replace('"!*:latest"', '"*:latest"').replace("disallow-latest-tag", "contrary"),
  "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n",
};

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("lint", () => {
  test.each<[string, keyof typeof exitCodes, RegExp]>([
    ["good.yaml", "clean", /No findings/],
    ["typo.yaml", "findings", /unknown field "failureActoin"/],
    ["never.yaml", "findings", /there is no kind Pods.*Fix: Write Pod\./s],
  ])("%s", async (name, code, text) => {
    const { code: actual, out } = await runCli(["policy", "lint", at(name)]);
    expect([actual, out]).toEqual([exitCodes[code], expect.stringMatching(text)]);
  });

  test("writes any format", async () => {
    const { out } = await runCli(["policy", "lint", folder, "-o", "sarif"]);
    expect(JSON.parse(out).runs[0].results.length).toBeGreaterThan(1);
  });
});

test("show lists rules with those that autogen makes", async () => {
  const { code, out } = await runCli(["policy", "show", at("good.yaml"), "-o", "json"]);
  expect(code).toBe(exitCodes.clean);
  expect(JSON.parse(out)).toMatchObject([
    {
      policy: "kyverno.io/ClusterPolicy/disallow-latest-tag",
      severity: "high",
      onFailure: ["enforce"],
      rules: [
        { name: "tag", kind: "validate", applies: expect.arrayContaining(["Pod"]) },
        { name: "autogen-tag", applies: expect.arrayContaining(["Deployment", "DaemonSet"]) },
        { name: "autogen-cronjob-tag", applies: ["CronJob"] },
      ],
    },
  ]);
});

test("explain says what a policy does in words", async () => {
  const { code, out } = await runCli(["policy", "explain", at("good.yaml")]);
  expect(code).toBe(exitCodes.clean);
  expect(out).toBe(`ClusterPolicy disallow-latest-tag ${at("good.yaml")}:1:1
  About           Disallow Latest Tag
  Severity        high
  Applies to      the whole cluster: new and changed objects at admission
  On failure      reported only (Audit, the default), unless a rule says
                  otherwise

  Rule tag
    Matches         Pod in namespace prod-*
    And, generated, the pod templates of DaemonSet, Deployment, Job, ReplicaSet,
                    ReplicationController, StatefulSet and CronJob
    But not         anything by someone with cluster role cluster-admin
    Only where      \`request.operation\` does not equal "DELETE"
    Requires        spec.containers[*].image must not match \`*:latest\`
    Else says       Use a tag other than latest.
    On failure      the request is refused (Enforce)

`);
});

test("overlap shows an object for each contradiction", async () => {
  const { code, out } = await runCli(["policy", "overlap", at("good.yaml"), at("contrary.yaml")]);
  expect(code).toBe(exitCodes.findings);
  expect(out).toContain("no object satisfies both disallow-latest-tag/tag and contrary/tag.");
  expect(out).toMatch(/disallow-latest-tag\/tag: fail; contrary\/tag: pass\n {4}apiVersion: v1\n {4}kind: Pod/);
});

test.each(["lint", "show", "explain", "overlap"])("%s of files without a policy is a wrong command line", async (command) => {
  const { code, err } = await runCli(["policy", command, at("pod.yaml")]);
  expect([code, err]).toEqual([exitCodes.usage, `castellan: no policy is in ${at("pod.yaml")}\n`]);
});

test.each(["lint", "show", "explain", "overlap", "convert"])("policy %s of a file that is not there says so", async (command) => {
  const { code, err } = await runCli(["policy", command, at("nosuch.yaml")]);
  expect([code, err]).toEqual([exitCodes.incomplete, `castellan: ${at("nosuch.yaml")}: there is no such file or directory\n`]);
});

test("nobody is told that nobody may, of a cluster that cannot be reached", async () => {
  for (const command of [
    ["rbac", "who-can", "get", "pods"],
    ["net", "list"],
  ]) {
    const { code, out, err } = await runCli([...command, "--cluster", "--context", "no-such-context"]);
    expect([code, out]).toEqual([exitCodes.incomplete, ""]);
    expect(err).toMatch(/^castellan: /);
  }
});
