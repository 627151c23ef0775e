import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { emptyReport, sampleReport, sampleSource } from "../../test/sample-report.ts";
import { artifactUri } from "./artifact-uri.ts";
import { buildReport, type Report } from "./report.ts";
import { sarif } from "./sarif.ts";

const options = { color: false, width: 80, explain: false };

/** OASIS's schema is draft 4; what it uses of it reads the same in draft 7. */
function compileSchema() {
  const path = createRequire(import.meta.url).resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
  const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  return new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true }).compile(schema);
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly locations: readonly { readonly physicalLocation?: { readonly artifactLocation: { readonly uri: string } } }[];
  readonly partialFingerprints: { readonly [name: string]: string };
}

interface Rule {
  readonly id: string;
  readonly help: { readonly text: string };
  readonly properties: { readonly "security-severity": string };
}

interface Run {
  readonly tool: { readonly driver: { readonly rules: readonly Rule[] } };
  readonly results: readonly Result[];
  readonly invocations: readonly {
    readonly executionSuccessful: boolean;
    readonly toolExecutionNotifications: readonly unknown[];
  }[];
}

const validate = compileSchema();
const { runs } = JSON.parse(sarif(sampleReport, options)) as { readonly runs: readonly [Run] };
const [run] = runs;
const { rules } = run.tool.driver;

describe("the official schema", () => {
  test.each<[string, Report]>([
    ["the sample report", sampleReport],
    ["an empty report", emptyReport],
    [
      "a report with passes",
      buildReport({ ...sampleSource, findings: sampleSource.findings.map((f) => ({ ...f, status: "pass" })) }),
    ],
  ])("accepts %s", (_, report) => {
    validate(JSON.parse(sarif(report, options)));
    expect(validate.errors ?? []).toEqual([]);
  });

  test("refuses a log with a wrong level, so it does look", () => {
    expect(validate({ version: "2.1.0", runs: [{ tool: { driver: { name: "x" } }, results: [{ level: "bad" }] }] })).toBe(false);
  });
});

describe("what code scanning needs", () => {
  test("every result names a rule by its index", () => {
    for (const r of run.results) expect(rules[r.ruleIndex]?.id).toBe(r.ruleId);
  });

  test("rules carry help and a severity in GitHub's bands, that of their worst finding", () => {
    const severities = rules.map((r) => [r.id.split("/").at(-1), r.properties["security-severity"]]);
    expect(severities).toContainEqual(["privileged", "9.5"]);
    for (const r of rules) expect(r.help.text).not.toBe("");
  });

  test("locations are relative URIs and every result has a fingerprint", () => {
    const uris = run.results.flatMap((r) => r.locations.map((l) => l.physicalLocation?.artifactLocation.uri));
    expect(uris).toContain("manifests/ray%20cluster.yaml");
    for (const r of run.results) expect(r.partialFingerprints["castellanFinding/v1"]).toMatch(/^[0-9a-f]{24}$/);
  });

  test("what could not be checked is a notification and makes the run unsuccessful", () => {
    expect(run.invocations[0]?.executionSuccessful).toBe(false);
    expect(run.invocations[0]?.toolExecutionNotifications).toHaveLength(3);
    expect(run.results.map((r) => r.ruleId)).not.toContain("kyverno.io/ClusterPolicy/limit-registries/lookup");
  });
});

test.each([
  ["manifests/a.yaml", "manifests/a.yaml"],
  ["./manifests/a.yaml", "manifests/a.yaml"],
  ["../a b#c.yaml", "../a%20b%23c.yaml"],
  ["dir\\a.yaml", "dir/a.yaml"],
  ["a:b.yaml", "./a:b.yaml"],
  ["/abs/a.yaml", "file:///abs/a.yaml"],
  ["C:\\abs\\a.yaml", "file:///C:/abs/a.yaml"],
  ["-", "stdin"],
])("%s becomes the URI %s", (file, uri) => expect(artifactUri(file)).toBe(uri));
