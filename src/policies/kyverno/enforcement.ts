import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { compileLabelSelector, type LabelPredicate, type Labels } from "../../core/label-selector.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import type { Enforcement } from "../policy.ts";
import type { DocumentReport } from "./report.ts";

export type EnforcementOf = (namespace: string, namespaceLabels: Labels) => Enforcement;

interface Override {
  readonly enforcement: Enforcement;
  applies(namespace: string, namespaceLabels: Labels): boolean;
}

/** `Audit` and `Enforce`, or their old lower-case forms; undefined for anything else. */
export function parseFailureAction(value: JsonValue | undefined): Enforcement | undefined {
  if (value === "Enforce" || value === "enforce") return "enforce";
  return value === "Audit" || value === "audit" ? "audit" : undefined;
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

function compileSelector(spec: JsonValue | undefined, path: JsonPath, report: DocumentReport): LabelPredicate | undefined {
  if (!isObject(spec)) return undefined;
  const compiled = compileLabelSelector(spec, { wildcards: true });
  if (compiled.ok) return compiled.matches;
  for (const problem of compiled.problems) report.error("KYV_BAD_SELECTOR", [...path, ...problem.path], problem.message);
  return () => false;
}

function compileOverride(spec: JsonValue, path: JsonPath, report: DocumentReport): Override | undefined {
  const action = member(spec, "action");
  const enforcement = parseFailureAction(action);
  if (enforcement === undefined) {
    report.error("KYV_BAD_RULE", [...path, "action"], `${JSON.stringify(action ?? null)} is not one of Audit, Enforce`);
    return undefined;
  }
  const namespaces = isArray(member(spec, "namespaces")) ? listOf(member(spec, "namespaces")) : undefined;
  const patterns = namespaces?.map((n) => asString(n) ?? "");
  const selects = compileSelector(member(spec, "namespaceSelector"), [...path, "namespaceSelector"], report);
  return {
    enforcement,
    applies: (namespace, labels) =>
      (patterns === undefined || patterns.some((p) => matchWildcard(p, namespace))) && (selects?.(labels) ?? true),
  };
}

function compileOverrides(spec: JsonValue | undefined, path: JsonPath, report: DocumentReport): readonly Override[] {
  return listOf(spec)
    .map((entry, i) => compileOverride(entry, [...path, i], report))
    .filter((override) => override !== undefined);
}

/** Reports a value that is neither form of the two actions. */
function checkedAction(value: JsonValue | undefined, path: JsonPath, report: DocumentReport): Enforcement | undefined {
  if (value === undefined || value === null) return undefined;
  const enforcement = parseFailureAction(value);
  if (enforcement === undefined) report.error("KYV_BAD_RULE", path, `${JSON.stringify(value)} is not one of Audit, Enforce`);
  return enforcement;
}

/** What the policy says for all of its rules: overrides by namespace, then its action, then Audit. */
export function compilePolicyEnforcement(spec: JsonObject, report: DocumentReport): EnforcementOf {
  const field = "validationFailureActionOverrides";
  const overrides = compileOverrides(spec[field], ["spec", field], report);
  const action = checkedAction(spec["validationFailureAction"], ["spec", "validationFailureAction"], report) ?? "audit";
  return (namespace, labels) => overrides.find((o) => o.applies(namespace, labels))?.enforcement ?? action;
}

/** The action that verifyImages entries set: Enforce if one of them enforces. */
function verifyImagesAction(entries: JsonValue | undefined, path: JsonPath, report: DocumentReport): Enforcement | undefined {
  const actions = listOf(entries)
    .map((entry, i) => checkedAction(member(entry, "failureAction"), [...path, i, "failureAction"], report))
    .filter((action) => action !== undefined);
  return actions.includes("enforce") ? "enforce" : actions[0];
}

/** What a rule says for itself, or else its policy. */
export function compileRuleEnforcement(
  rule: JsonObject,
  path: JsonPath,
  ofPolicy: EnforcementOf,
  report: DocumentReport,
): EnforcementOf {
  const validate = rule["validate"];
  const own = isObject(validate)
    ? checkedAction(validate["failureAction"], [...path, "validate", "failureAction"], report)
    : verifyImagesAction(rule["verifyImages"], [...path, "verifyImages"], report);
  const field = "failureActionOverrides";
  const overrides = compileOverrides(member(validate, field), [...path, "validate", field], report);
  if (overrides.length === 0 && own === undefined) return ofPolicy;
  return (namespace, labels) =>
    overrides.find((o) => o.applies(namespace, labels))?.enforcement ?? own ?? ofPolicy(namespace, labels);
}
