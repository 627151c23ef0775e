import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../test/run-cli.ts";
import type { Finding } from "../core/finding.ts";
import { exitCodes } from "./exit-code.ts";

const folder = mkdtempSync(join(tmpdir(), "castellan-scan-"));
const at = (name: string) => join(folder, name);

const files: { readonly [name: string]: string } = {
  "good/pod.yaml": `apiVersion: v1
kind: Pod
metadata: {name: good, namespace: a, labels: {team: nlp}}
spec: {containers: [{name: c, image: registry.local/a:1}]}
`,
  "bad/pod.yaml": `apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: a}
spec: {containers: [{name: c, image: registry.local/a:1}]}
`,
  "broken/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: [}\n",
  "secret/secret.yaml":
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: a}\nstringData: {password: hunter2-hunter2}\n",
  "policy.yaml": `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-team, annotations: {policies.kyverno.io/severity: high}}
spec:
  rules:
  - name: team
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate: {failureAction: Enforce, message: The label team is required., pattern: {metadata: {labels: {team: "?*"}}}}
`,
  "quoting.yaml": `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: quoting}
spec:
  rules:
  - name: quote
    match: {any: [{resources: {kinds: [Secret]}}]}
    validate: {message: "the password is {{ request.object.stringData.password }}", deny: {conditions: {all: [{key: a, operator: Equals, value: a}]}}}
`,
};

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(at(name), ".."), { recursive: true });
    writeFileSync(at(name), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const scan = (...argv: readonly string[]) => runCli(["scan", "--checks", "policies", "--policies", at("policy.yaml"), ...argv]);

describe("exit codes", () => {
  test.each<[string, readonly string[], keyof typeof exitCodes]>([
    ["clean", [at("good")], "clean"],
    ["a finding", [at("bad")], "findings"],
    ["a finding under --fail-on", [at("bad"), "--fail-on", "critical"], "clean"],
    ["a finding, never failing", [at("bad"), "--fail-on", "never"], "clean"],
    ["a broken file", [at("broken")], "incomplete"],
    ["a broken file, never failing", [at("broken"), "--fail-on", "never"], "incomplete"],
    ["a broken file beside a finding", [at("bad"), at("broken")], "incomplete"],
    ["a file that is not there", [at("nowhere")], "incomplete"],
  ])("%s", async (_, argv, code) => expect((await scan(...argv)).code).toBe(exitCodes[code]));

  test("policies that are none are not a clean scan", async () => {
    const { code, out } = await runCli(["scan", at("good"), "--checks", "policies", "--policies", at("good")]);
    expect(code).toBe(exitCodes.incomplete);
    expect(out).toContain("POLICIES_NONE");
    expect(out.replaceAll(/\s+/g, "")).toContain(`thereisnopolicythatcanrunin${at("good")}`);
  });

  test.each<[string, readonly string[], RegExp]>([
    ["nothing to scan", ["scan"], /name what to scan/],
    ["standard input twice", ["scan", "-", "--policies", "-"], /standard input can be read once/],
    ["an unknown option", ["scan", "--colour", "x"], /unknown option '--colour'/],
    ["an unknown format", ["scan", "x", "-o", "pdf"], /Allowed choices are table, json/],
    ["an unknown check", ["scan", "x", "--checks", "magic"], /"magic" is not one of policies, resources/],
    ["an unknown command", ["scam"], /Did you mean scan\?/],
    ["a baseline that is none", ["scan", "x", "--baseline", at("good/pod.yaml")], /this is no castellan.dev\/v1alpha1 Baseline/],
  ])("%s is a wrong command line", async (_, argv, message) => {
    const { code, err } = await runCli(argv);
    expect(code).toBe(exitCodes.usage);
    expect(err).toMatch(message);
  });
});

describe("the report", () => {
  test("names the object, the place and what to do", async () => {
    const { out } = await scan(at("bad"));
    expect(out).toContain(`Pod a/bad v1\n${at("bad/pod.yaml")}\n  HIGH      3:11     require-team team\n`);
    expect(out).toContain("The label team is required.");
    expect(out).toContain("1 finding (1 high)");
  });

  test("a broken file does not stop the rest", async () => {
    const { out } = await scan(at("broken"), at("bad"));
    expect(out).toContain("Pod a/bad v1");
    expect(out).toMatch(/ERROR {5}YAML_SYNTAX: .*\n.*pod\.yaml:3:\d+/s);
  });

  test("passes are findings only on request", async () => {
    const report = async (...argv: string[]) => JSON.parse((await scan(at("good"), "-o", "json", ...argv)).out);
    expect((await report()).findings).toEqual([]);
    expect((await report()).summary.results.pass).toBe(1);
    expect((await report("--passes")).findings).toMatchObject([{ status: "pass" }]);
  });

  test("findings below --severity are left out and do not fail", async () => {
    const { code, out } = await scan(at("bad"), "--severity", "critical");
    expect(code).toBe(exitCodes.clean);
    expect(out).toContain("No findings");
  });

  test("goes to a file, the verdict to the terminal", async () => {
    const { out } = await scan(at("bad"), "-o", "sarif", "--output-file", at("out.sarif"));
    expect(out).toContain(`The report is in ${at("out.sarif")}`);
    expect(JSON.parse(readFileSync(at("out.sarif"), "utf8")).version).toBe("2.1.0");
  });

  test("a file that cannot be written is said so", async () => {
    const { code, err } = await scan(at("bad"), "--output-file", at("no/such/folder.json"));
    expect([code, err]).toEqual([exitCodes.usage, expect.stringMatching(/^castellan: cannot write .*folder\.json/)]);
  });

  test("colours only on a terminal, and not with NO_COLOR", async () => {
    const argv = ["scan", "--policies", at("policy.yaml"), at("bad")];
    const csi = String.fromCharCode(27);
    expect((await runCli(argv, { outColumns: 80 })).out).toContain(csi);
    expect((await runCli(argv)).out).not.toContain(csi);
    expect((await runCli(argv, { outColumns: 80, env: { NO_COLOR: "1" } })).out).not.toContain(csi);
    expect((await runCli(argv, { env: { FORCE_COLOR: "1" } })).out).toContain(csi);
  });

  test("progress only where standard error is a terminal", async () => {
    let now = 0;
    const clock = { now: () => (now += 1000) };
    expect((await runCli(["scan", at("bad")], { ...clock, errIsTerminal: true })).err).toContain("checking 1 of 1 objects");
    expect((await runCli(["scan", at("bad")], clock)).err).toBe("");
  });

  test("no format shows a secret that a policy quotes", async () => {
    for (const format of ["table", "json", "yaml", "sarif", "junit", "html", "markdown", "github", "policy-report"]) {
      const { out } = await runCli(["scan", at("secret"), "--policies", at("quoting.yaml"), "-o", format, "--explain"]);
      expect(out).toContain("the password is");
      expect(out).not.toContain("hunter2");
    }
  });
});

describe("the linter", () => {
  const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}
`;
  const widget = (name: string) => `apiVersion: shop.example/v1\nkind: Widget\nmetadata: {name: ${name}, namespace: a}\n`;
  const notesOn = async (text: string): Promise<readonly string[]> => {
    writeFileSync(at("widgets.yaml"), text);
    const { out } = await runCli(["scan", at("widgets.yaml"), "-o", "json"]);
    return JSON.parse(out).notes;
  };

  test("says once which kinds it has no schema for", async () => {
    const [note, ...more] = await notesOn([widget("a"), widget("b"), files["good/pod.yaml"]].join("---\n"));
    expect([note, more]).toEqual([
      "fields not checked: no schema for shop.example/v1 Widget (2 objects); add its CustomResourceDefinition to the scan",
      [],
    ]);
    expect(await notesOn([widget("a"), crd].join("---\n"))).toEqual([]);
  });

  test("leaves PodSecurityPolicies to Pod Security where that judges, too", async () => {
    writeFileSync(at("psp.yaml"), "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: p}\nspec: {}\n");
    const policiesOf = async (...argv: readonly string[]) => {
      const { out } = await runCli(["scan", at("psp.yaml"), "-o", "json", ...argv]);
      return JSON.parse(out).findings.map((f: Finding) => f.check.policy);
    };
    expect(await policiesOf()).toEqual(["pod-security/baseline"]);
    expect(await policiesOf("--checks", "resources")).toEqual(["lint/api-version"]);
  });
});

describe("a baseline", () => {
  test("accepts what is there and reports what is new", async () => {
    const baseline = at("baseline.yaml");
    expect((await scan(at("bad"), "--write-baseline", baseline)).code).toBe(exitCodes.clean);
    expect((await scan(at("broken"), "--write-baseline", at("unread.yaml"))).code).toBe(exitCodes.incomplete);
    expect(readFileSync(baseline, "utf8")).toContain("resource: v1/Pod a/bad");
    const again = await scan(at("bad"), "--baseline", baseline);
    expect([again.code, again.out]).toEqual([exitCodes.clean, expect.stringContaining("1 accepted by the baseline")]);
    writeFileSync(at("bad/new.yaml"), files["bad/pod.yaml"]?.replace("bad", "new") ?? "");
    const later = await scan(at("bad"), "--baseline", baseline);
    rmSync(at("bad/new.yaml"));
    expect([later.code, later.out]).toEqual([exitCodes.findings, expect.stringContaining("Pod a/new v1")]);
  });
});

test("a file that may not be read is reported, and the rest is scanned", { skip: process.getuid?.() === 0 }, async () => {
  writeFileSync(at("bad/closed.yaml"), "x: 1");
  chmodSync(at("bad/closed.yaml"), 0);
  const { code, out } = await scan(at("bad"));
  rmSync(at("bad/closed.yaml"));
  expect([code, out]).toEqual([exitCodes.incomplete, expect.stringContaining("FILE_UNREADABLE")]);
});
