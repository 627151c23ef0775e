import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { compileLabelSelector, type Labels } from "../../../core/label-selector.ts";
import type { Requirement } from "../model.ts";
import type { NamespaceScope, PodSelector } from "../rule.ts";
import { nameLabel } from "../world/cluster-objects.ts";
import type { ObjectField, Reader } from "./reader.ts";

export type LabelMatch = {
  readonly key: string;
  readonly everything: boolean;
  readonly matches: (labels: Labels) => boolean;
  readonly hint: PodSelector["hint"];
  readonly requirements: readonly Requirement[];
  /** Written with matchLabels alone. */
  readonly byLabelsOnly: boolean;
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
    key: requirements.map(({ label, operator, values }) => `${label} ${operator} ${values.join()}`).join(";"),
    everything: requirements.length === 0,
    matches: compiled.matches,
    hint: hintOf(requirements),
    requirements,
    byLabelsOnly: !isArray(field.value["matchExpressions"]) || field.value["matchExpressions"].length === 0,
  };
}

/** In one order and one spelling: `In [x]` is `=x`. */
function requirementsOf(selector: JsonObject): readonly Requirement[] {
  const labels = selector["matchLabels"];
  const expressions = selector["matchExpressions"];
  const all: Requirement[] = isObject(labels)
    ? Object.entries(labels).map(([label, value]) => ({ label, operator: "In", values: [String(value)] }))
    : [];
  for (const expression of isArray(expressions) ? expressions : []) {
    const values = member(expression, "values");
    const texts = isArray(values) ? [...new Set(values.map((v: JsonValue) => String(v)))].sort() : [];
    const operator = member(expression, "operator");
    if (operator !== "In" && operator !== "NotIn" && operator !== "Exists" && operator !== "DoesNotExist") continue;
    all.push({ label: String(member(expression, "key")), operator, values: texts });
  }
  if (all.length < 2) return all;
  const unique = new Map(all.map((requirement) => [JSON.stringify(requirement), requirement]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, requirement]) => requirement);
}

function hintOf(requirements: readonly Requirement[]): PodSelector["hint"] {
  return requirements.find(({ operator }) => operator === "In");
}

export function namespaceScope(match: LabelMatch): NamespaceScope {
  return match.everything ? { kind: "all" } : { kind: "matching", key: match.key, matches: match.matches };
}

/** Pods by labels, in some namespaces. */
export function podSelector(namespaces: NamespaceScope, pods: LabelMatch, namespaceMatch?: LabelMatch): PodSelector {
  return {
    asks: {
      namespace:
        namespaces.kind === "one"
          ? [{ label: nameLabel, operator: "In", values: [namespaces.name] }]
          : (namespaceMatch?.requirements ?? []),
      pods: pods.requirements,
      byLabelsOnly: pods.byLabelsOnly && namespaceMatch?.byLabelsOnly !== false,
    },
    key: `${scopeKey(namespaces)} ${pods.key}`,
    namespaces,
    hint: pods.hint,
    everyPod: pods.everything,
    matches: (pod) => pods.matches(pod.labels),
  };
}

function scopeKey(scope: NamespaceScope): string {
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
export const everyLabel: LabelMatch = {
  key: "[]",
  everything: true,
  matches: () => true,
  hint: undefined,
  requirements: [],
  byLabelsOnly: true,
};
