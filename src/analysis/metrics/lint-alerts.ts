import type { Finding, Severity } from "../../core/finding.ts";
import { identified } from "../../core/fingerprint.ts";
import { asString, isArray, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { isKubernetesObject, type ResourceRef, resourceRef } from "../../core/kubernetes.ts";
import { nearestName } from "../../core/nearest-name.ts";
import { compileRegex } from "../../core/regex.ts";
import type { SourceDocument } from "../../core/source.ts";
import { exporters, type KnownMetric, scrapeLabels } from "./known-metrics.ts";
import { type LabelMatcher, type VectorSelector, vectorSelectors } from "./vector-selectors.ts";

export interface AlertLint {
  readonly findings: readonly Finding[];
  /** Alerting and recording rules that were read. */
  readonly rules: number;
}

/** An expression of a rule, where it stands. */
interface Expression {
  readonly name: string;
  readonly text: string;
  readonly path: JsonPath;
}

interface Problem {
  readonly rule: "metric" | "label" | "value" | "syntax";
  readonly severity: Severity;
  readonly message: string;
  readonly advice: string;
}

/** Alerts that can never fire: of PrometheusRules and of Prometheus' own rule files. Metrics of other exporters are taken as right. */
export function lintAlerts(documents: readonly SourceDocument[]): AlertLint {
  const findings: Finding[] = [];
  let rules = 0;
  for (const document of documents) {
    for (const expression of expressionsOf(document.value)) {
      rules++;
      for (const problem of problemsOf(expression)) findings.push(toFinding(document, expression, problem));
    }
  }
  return { findings, rules };
}

/** Whether a document holds Prometheus rules. */
export function hasAlerts({ value }: SourceDocument): boolean {
  return groupsPath(value) !== undefined;
}

function groupsPath(value: JsonValue): JsonPath | undefined {
  if (isKubernetesObject(value)) return value.kind === "PrometheusRule" ? ["spec", "groups"] : undefined;
  const groups = member(value, "groups");
  const isRuleFile = isArray(groups) && groups.some((group) => isArray(member(group, "rules")));
  return isRuleFile ? ["groups"] : undefined;
}

function expressionsOf(value: JsonValue): readonly Expression[] {
  const base = groupsPath(value);
  if (base === undefined) return [];
  const groups = member(base.length === 1 ? value : member(value, "spec"), "groups");
  return list(groups).flatMap((group, g) =>
    list(member(group, "rules")).flatMap((rule, r): Expression[] => {
      const text = asString(member(rule, "expr"));
      const name = asString(member(rule, "alert")) ?? asString(member(rule, "record")) ?? "";
      return text === undefined ? [] : [{ name, text, path: [...base, g, "rules", r, "expr"] }];
    }),
  );
}

const list = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

function problemsOf({ text }: Expression): readonly Problem[] {
  const selectors = vectorSelectors(text);
  if (selectors === undefined) {
    return [
      { rule: "syntax", severity: "medium", message: "The expression is no PromQL.", advice: "Check its brackets and quotes." },
    ];
  }
  return selectors.flatMap((selector) => problemsOfSelector(selector));
}

function problemsOfSelector(selector: VectorSelector): readonly Problem[] {
  const exporter = exporters.find(({ prefix }) => selector.metric.startsWith(prefix));
  if (exporter === undefined || selector.metric.includes(":")) return [];
  const metric = exporter.metrics.find((known) => seriesOf(known).includes(selector.metric));
  const severity: Severity = selector.optional ? "low" : "medium";
  const never = selector.optional ? "this part of the alert never matches" : "the alert can never fire";
  if (metric === undefined) {
    const near = nearestName(selector.metric, exporter.metrics.flatMap(seriesOf));
    return [
      {
        rule: "metric",
        severity,
        message: `${exporter.name} has no metric ${selector.metric}: ${never}.`,
        advice: near === undefined ? `Look at what ${exporter.name} serves at /metrics.` : `Write ${near}.`,
      },
    ];
  }
  return selector.matchers.flatMap((matcher) => {
    const found = problemOfMatcher(matcher, metric, exporter.name, never);
    return found === undefined ? [] : [{ ...found, severity }];
  });
}

function seriesOf({ name, type }: KnownMetric): readonly string[] {
  return type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

function problemOfMatcher(
  matcher: LabelMatcher,
  metric: KnownMetric,
  exporter: string,
  never: string,
): Omit<Problem, "severity"> | undefined {
  const { label, operator, value } = matcher;
  const known = metric.labels[label];
  const written = `${label}${operator}"${value}"`;
  if (known === undefined) {
    const isScraped = scrapeLabels.has(label) || /^(?:le|quantile|exported_.*|otel_.*|__.*__)$/.test(label);
    // A label that is not there has an empty value.
    if (isScraped || fits(matcher, "") !== false) return undefined;
    const own = Object.keys(metric.labels);
    const near = own.find((name) => name.endsWith(`_${label}`)) ?? nearestName(label, own);
    return {
      rule: "label",
      message: `${exporter}'s ${metric.name} has no label ${label}, so ${written} matches nothing: ${never}.`,
      advice: near === undefined ? `Its labels are ${own.join(", ")}.` : `Write ${near}${operator}"${value}".`,
    };
  }
  if (known === "any" || known.some((one) => fits(matcher, one) !== false)) return undefined;
  return {
    rule: "value",
    message: `The label ${label} of ${metric.name} is one of ${known.join(", ")}, so ${written} matches nothing: ${never}.`,
    advice: `Name one of ${known.join(", ")}.`,
  };
}

/** Whether a matcher takes a value; undefined where its expression cannot be read. */
function fits({ operator, value }: LabelMatcher, text: string): boolean | undefined {
  if (operator === "=") return text === value;
  if (operator === "!=") return text !== value;
  const regex = compileRegex(`^(?s:${value})$`);
  if (!regex.ok) return undefined;
  return regex.value.test(text) === (operator === "=~");
}

function toFinding(document: SourceDocument, { name, text, path }: Expression, problem: Problem): Finding {
  const location = document.locate(path);
  return identified({
    check: { policy: "metrics/dead-alert", rule: problem.rule, title: "Alerts that can never fire", category: "Metrics" },
    status: "fail",
    severity: problem.severity,
    resource: refOf(document),
    path,
    ...(location === undefined ? {} : { location }),
    message: problem.message,
    evidence: { alert: name, expression: text },
    fix: { description: problem.advice },
    controls: [],
  });
}

/** A rule file of Prometheus' own has no name but the file's. */
function refOf({ value, file }: SourceDocument): ResourceRef {
  return isKubernetesObject(value)
    ? resourceRef(value)
    : { group: "", version: "", kind: "PrometheusRules", namespace: "", name: file };
}
