import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { exporters, type KnownMetric } from "../../src/analysis/metrics/known-metrics.ts";
import { lintAlerts } from "../../src/analysis/metrics/lint-alerts.ts";
import { isArray, type JsonValue, member } from "../../src/core/json.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { ServerMetrics } from "../../src/server/metrics/metrics.ts";
import { policyResultLabels } from "../../src/services/admission/policy-result-counts.ts";

const monitoring = join(import.meta.dirname, "../../deploy/monitoring");
const cases = join(import.meta.dirname, "alert-cases.yaml");
const nothing = {
  clusters: () => [],
  ledgerBacklog: () => 0,
  policyResults: () => [],
};

const wholeText = async (metrics: ServerMetrics): Promise<string> => [...(await metrics.text())].join("");

/** `name type` of what /metrics says, ours only. */
async function served(): Promise<readonly string[]> {
  const text = await wholeText(new ServerMetrics(nothing));
  return [...text.matchAll(/^# TYPE (castellan_\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`).sort();
}

test("the linter knows every metric that the server has, with its labels", async () => {
  const known = exporters.find(({ name }) => name === "Castellan")?.metrics ?? [];
  expect(known.map(({ name, type }: KnownMetric) => `${name} ${type}`).sort()).toEqual(await served());
  const text = await wholeText(new ServerMetrics(nothing));
  const outcomes = [...text.matchAll(/^castellan_admission_reviews_total\{stage="(\w+)",outcome="(\w+)"\}/gm)].map(
    (m) => `${m[1]} ${m[2]}`,
  );
  const reviews = known.find(({ name }) => name === "castellan_admission_reviews_total")?.labels ?? {};
  const [stages, results] = [reviews["stage"] ?? [], reviews["outcome"] ?? []];
  expect(outcomes.sort()).toEqual([...stages].flatMap((stage) => [...results].map((outcome) => `${stage} ${outcome}`)).sort());
});

test("Kyverno's counter has all labels of Kyverno's, and result", () => {
  const kyverno = exporters.flatMap(({ metrics }) => metrics).find(({ name }) => name === "kyverno_policy_results_total");
  expect([...policyResultLabels].sort()).toEqual([...Object.keys(kyverno?.labels ?? {}), "result"].sort());
});

test("our own alerts can fire", async () => {
  const { documents } = await loadPaths([join(monitoring, "alerts.yaml")]);
  const { findings, rules } = lintAlerts(documents);
  expect(rules).toBeGreaterThan(8);
  expect(findings).toEqual([]);
});

test("the dashboard shows metrics that exist", async () => {
  const dashboard = JSON.parse(await readFile(join(monitoring, "dashboard.json"), "utf8"));
  const expressions: string[] = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
    panel.targets.map(({ expr }) => expr),
  );
  expect(expressions.length).toBeGreaterThan(8);
  const rules = expressions.map((expr) => ({ record: "x", expr: expr.replaceAll("$__rate_interval", "5m") }));
  const { findings } = lintAlerts(parseDocuments(JSON.stringify({ groups: [{ rules }] }), "dashboard.json").documents);
  expect(findings).toEqual([]);
});

test("what alerts count is there from the start: a counter that appears with its first event has not risen", async () => {
  const text = await wholeText(new ServerMetrics(nothing));
  for (const series of ['castellan_ledger_records_total{written="false"} 0', 'castellan_troubles_total{part="watch"} 0'])
    expect(text).toContain(series);
});

const itemsOf = (value: JsonValue | undefined) => (isArray(value) ? value : []);

const promtool = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "promtool")));

describe.runIf(promtool)("Prometheus itself", () => {
  test("takes the rules, and each alert fires and is quiet as its cases say", async () => {
    const { documents } = await loadPaths([join(monitoring, "alerts.yaml"), cases]);
    const [rules, table] = documents.map(({ value }) => value);
    const groups = member(member(rules, "spec"), "groups");
    const folder = mkdtempSync(join(tmpdir(), "castellan-alerts-"));
    try {
      writeFileSync(join(folder, "rules.yaml"), JSON.stringify({ groups }));
      copyFileSync(cases, join(folder, "cases.yaml"));
      expect(execFileSync("promtool", ["check", "rules", "rules.yaml"], { cwd: folder, encoding: "utf8" })).toContain("SUCCESS");
      expect(execFileSync("promtool", ["test", "rules", "cases.yaml"], { cwd: folder, encoding: "utf8" })).toContain("SUCCESS");
    } finally {
      rmSync(folder, { recursive: true });
    }
    const tried = itemsOf(member(table, "tests")).flatMap((t) => itemsOf(member(t, "alert_rule_test")));
    const names = (fires: boolean) =>
      tried.filter((t) => itemsOf(member(t, "exp_alerts")).length > 0 === fires).map((t) => member(t, "alertname"));
    const alerts = itemsOf(groups).flatMap((group) => itemsOf(member(group, "rules")).map((rule) => member(rule, "alert")));
    expect(new Set(names(true))).toEqual(new Set(alerts));
    expect(new Set(names(false))).toEqual(new Set(alerts));
  });

  test("reads what /metrics answers", async () => {
    const input = await wholeText(new ServerMetrics(nothing));
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    // It also says what it thinks of the names that prom-client gives to Node's own metrics; 3: nothing but that.
    expect([0, 3]).toContain(status);
    const ours = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.startsWith("nodejs_"));
    expect(ours).toEqual([]);
  });
});
