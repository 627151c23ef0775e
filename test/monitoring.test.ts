import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadPaths } from "../src/adapters/files/load-paths.ts";
import { exporters, type KnownMetric } from "../src/analysis/metrics/known-metrics.ts";
import { lintAlerts } from "../src/analysis/metrics/lint-alerts.ts";
import { parseDocuments } from "../src/core/yaml/parse-documents.ts";
import { ServerMetrics } from "../src/server/metrics/metrics.ts";
import { policyResultLabels } from "../src/services/admission/policy-result-counts.ts";

const monitoring = join(import.meta.dirname, "../deploy/monitoring");
const nothing = {
  clusters: () => [],
  ledgerBacklog: () => 0,
  policyResults: () => [],
};

/** `name type` of what /metrics says, ours only. */
async function served(): Promise<readonly string[]> {
  const text = await new ServerMetrics(nothing).text();
  return [...text.matchAll(/^# TYPE (castellan_\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`).sort();
}

test("the linter knows every metric that the server has, with its labels", async () => {
  const known = exporters.find(({ name }) => name === "Castellan")?.metrics ?? [];
  expect(known.map(({ name, type }: KnownMetric) => `${name} ${type}`).sort()).toEqual(await served());
  const text = await new ServerMetrics(nothing).text();
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
