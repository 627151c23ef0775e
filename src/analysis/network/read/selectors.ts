import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { compileLabelSelector, type Labels } from "../../../core/label-selector.ts";
import type { NamespaceScope, PodSelector } from "../rule.ts";
import type { ObjectField, Reader } from "./reader.ts";

export type LabelMatch = {
  readonly key: string;
  readonly everything: boolean;
  readonly matches: (labels: Labels) => boolean;
  readonly hint: PodSelector["hint"];
};

/** A LabelSelector; what the API server would refuse is reported and undefined. */
export function readLabelSelector(reader: Reader, field: ObjectField): LabelMatch | undefined {
  const compiled = compileLabelSelector(field.value);
  const known = reader.onlyKnown(field, ["matchLabels", "matchExpressions"]);
  if (!compiled.ok) {
    for (const { path, message } of compiled.problems) reader.problem([...field.path, ...path], message);
    return undefined;
  }
  if (!known) return undefined;
  const requirements = requirementsOf(field.value);
  return {
    key: JSON.stringify(requirements),
    everything: requirements.length === 0,
    matches: compiled.matches,
    hint: hintOf(requirements),
  };
}

type Requirement = readonly [label: string, operator: string, ...values: readonly string[]];

/** In one order and one spelling: `In [x]` is `=x`. */
function requirementsOf(selector: JsonObject): readonly Requirement[] {
  const labels = selector["matchLabels"];
  const expressions = selector["matchExpressions"];
  const all: Requirement[] = isObject(labels)
    ? Object.entries(labels).map(([label, value]): Requirement => [label, "In", String(value)])
    : [];
  for (const expression of isArray(expressions) ? expressions : []) {
    const values = member(expression, "values");
    const texts = isArray(values) ? [...new Set(values.map((v: JsonValue) => String(v)))].sort() : [];
    all.push([String(member(expression, "key")), String(member(expression, "operator")), ...texts]);
  }
  const unique = new Map(all.map((requirement) => [JSON.stringify(requirement), requirement]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, requirement]) => requirement);
}

function hintOf(requirements: readonly Requirement[]): PodSelector["hint"] {
  const found = requirements.find(([, operator]) => operator === "In");
  if (found === undefined) return undefined;
  const [label, , ...values] = found;
  return { label, values };
}

export function namespaceScope(match: LabelMatch): NamespaceScope {
  return match.everything ? { kind: "all" } : { kind: "matching", key: match.key, matches: match.matches };
}

/** Pods by labels, in some namespaces. */
export function podSelector(namespaces: NamespaceScope, pods: LabelMatch): PodSelector {
  return {
    key: `${scopeKey(namespaces)} ${pods.key}`,
    namespaces,
    hint: pods.hint,
    everyPod: pods.everything,
    matches: (pod) => pods.matches(pod.labels),
  };
}

export function scopeKey(scope: NamespaceScope): string {
  switch (scope.kind) {
    case "one":
      return `=${scope.name}`;
    case "all":
      return "*";
    case "matching":
      return scope.key;
  }
}

/** Selects every pod. */
export const everyLabel: LabelMatch = { key: "[]", everything: true, matches: () => true, hint: undefined };
