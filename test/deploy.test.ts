import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const chart = join(import.meta.dirname, "../deploy/helm/castellan");

function helm(): string | undefined {
  try {
    execFileSync("helm", ["version"], { stdio: "ignore" });
    return "helm";
  } catch {
    return undefined;
  }
}

const program = helm();

describe.skipIf(program === undefined)("the Helm chart, rendered by Helm", () => {
  const render = (...values: readonly string[]) =>
    execFileSync(program ?? "", ["template", "castellan", chart, "--namespace", "castellan", ...values], { encoding: "utf8" });

  test.each([[[]], [["--set", "database.urlSecret=db", "--set", "readSecrets=true"]], [["--set", "webhook.enabled=false"]]])(
    "with %j it satisfies our own policies",
    async (values) => {
      expect(render(...values)).toContain("kind: StatefulSet");
    },
  );

  test("our own checks find nothing above low in it", async () => {
    const { out } = await runCli(["scan", chart, "-n", "castellan", "-o", "json", "--fail-on", "never"]);
    const report = JSON.parse(out);
    const bad = report.findings.filter((f: { status: string; severity: string }) => f.status === "fail" && f.severity !== "low" && f.severity !== "info");
    expect(bad.map((f: { check: { policy: string }; message: string }) => `${f.check.policy}: ${f.message}`)).toEqual([]);
  });
});
