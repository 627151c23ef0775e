import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { isArray, member } from "../src/core/json.ts";
import { parseDocuments } from "../src/core/yaml/parse-documents.ts";

const root = join(import.meta.dirname, "..");
const platform = "examples/ai-platform";

interface Row {
  readonly number: string;
  /** `Kind namespace/name`, `Kind name`, or `Kind` of an object without a name. */
  readonly object: string;
  readonly check: string;
  readonly waitsFor: string;
}

interface ReportedFinding {
  readonly check: { readonly policy: string; readonly rule: string };
  readonly status: string;
  readonly resource: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly location?: { readonly file: string; readonly start: { readonly line: number } };
}

function expectedRows(): Row[] {
  const text = readFileSync(join(root, platform, "EXPECTED.md"), "utf8");
  return text.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    if (!/^\d+$/.test(cells[1] ?? "")) return [];
    return [
      { number: cells[1] ?? "", object: cells[3] ?? "", check: (cells[4] ?? "").replaceAll("`", ""), waitsFor: cells[5] ?? "" },
    ];
  });
}

/** Runs the command as a user would; findings are exit code 1, a policy that cannot be run 2, which are no failures here. */
async function castellan(...args: string[]): Promise<string> {
  const run = promisify(execFile)(process.execPath, ["bin/castellan.js", ...args], { cwd: root, maxBuffer: 64 << 20 });
  const { stdout } = await run.catch((error: { code?: number; stdout?: string; stderr?: string }) => {
    if (![1, 2].includes(error.code ?? 0) || error.stdout === undefined)
      throw new Error(`castellan ${args.join(" ")}: ${error.stderr}`);
    return { stdout: error.stdout };
  });
  return stdout;
}

async function findingsOf(folder: string): Promise<ReportedFinding[]> {
  const scan = async (...more: string[]) => {
    const report = JSON.parse(await castellan("scan", `${platform}/${folder}`, "--output", "json", ...more)) as {
      findings: ReportedFinding[];
    };
    return report.findings;
  };
  return [
    ...(await scan()),
    ...(await scan("--policies", `${platform}/${folder}/policies/kyverno.yaml`, "--checks", "policies")),
    ...(await scan("--policies", `${platform}/${folder}/policies/gatekeeper.yaml`, "--checks", "policies")),
  ];
}

function isAbout({ resource }: ReportedFinding, object: string): boolean {
  const name = resource.namespace === "" ? resource.name : `${resource.namespace}/${resource.name}`;
  return [`${resource.kind} ${name}`.trim(), `${resource.kind} ${resource.name}`.trim()].includes(object);
}

function says(findings: readonly ReportedFinding[], row: Row): ReportedFinding[] {
  return findings.filter((f) => isAbout(f, row.object) && `${f.check.policy} ${f.check.rule}` === row.check);
}

describe("the sample AI platform", () => {
  const rows = expectedRows();
  let written: ReportedFinding[] = [];
  let corrected: ReportedFinding[] = [];

  beforeAll(async () => {
    written = await findingsOf("as-written");
    corrected = await findingsOf("corrected");
  });

  test("the table has rows", () => expect(rows.length).toBeGreaterThan(40));

  test.each(rows.filter((row) => row.waitsFor === ""))("row $number: $check about $object", (row) => {
    const found = says(written, row);
    expect(found.length).toBeGreaterThan(0);
    for (const finding of found) expect(finding.location?.start.line).toBeGreaterThan(0);
    expect(says(corrected, row)).toEqual([]);
  });

  test.each(rows.filter((row) => row.waitsFor !== ""))("row $number waits for $waitsFor", (row) => {
    const policy = row.check.split(" ")[0] ?? "";
    expect(written.filter((f) => isAbout(f, row.object) && f.check.policy === policy)).toEqual([]);
  });

  test("the corrected platform has no failure", () => {
    expect(corrected.filter((f) => f.status === "fail" || f.status === "error")).toEqual([]);
  });

  test("the violations query of the texts works on the policy report", async () => {
    const text = await castellan("scan", `${platform}/as-written`, "--output", "policy-report");
    const { documents } = parseDocuments(text, "report.yaml");
    // .items[] | select(.results[].result == "fail") | {policy: .metadata.name, violations: [.results[].result]}
    const violations = documents.map(({ value }) => {
      const results = member(value, "results");
      if (!isArray(results)) throw new Error("results is not a list");
      return results.map((result) => member(result, "result"));
    });
    expect(violations.filter((results) => results.includes("fail")).length).toBeGreaterThan(5);
  });
});
