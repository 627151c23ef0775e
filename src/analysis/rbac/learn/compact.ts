import { jsonEquals } from "../../../core/json.ts";
import { atomsOf } from "../covers.ts";
import { formatRule, type PolicyRule } from "../policy-rule.ts";

const sorted = (words: Iterable<string>) => [...new Set(words)].sort(compareText);

/** By code unit, as Go compares what is not beyond the basic plane. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The same rights in fewer rules: verbs of one resource together, then names of one resource and resources of one group,
 * where all else is equal. Ordered by group, then by text.
 */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>();
  for (const atom of rules.flatMap(atomsOf)) {
    const key = JSON.stringify([atom.apiGroups, atom.resources, atom.resourceNames, atom.nonResourceURLs]);
    const known = byTarget.get(key);
    byTarget.set(key, known === undefined ? atom : { ...known, verbs: sorted([...known.verbs, ...atom.verbs]) });
  }
  const merged: PolicyRule[] = [];
  for (const rule of byTarget.values()) {
    const at = merged.findIndex((other) => mergeable(other, rule));
    const other = merged[at];
    if (other === undefined) merged.push(rule);
    else merged[at] = merge(other, rule);
  }
  return merged.sort(
    (a, b) => compareText(a.apiGroups.join(","), b.apiGroups.join(",")) || compareText(formatRule(a), formatRule(b)),
  );
}

/** Two rules that differ in their names only, both having some, or in their resources only. URLs stay apart. */
function mergeable(a: PolicyRule, b: PolicyRule): boolean {
  if (a.nonResourceURLs.length > 0 || b.nonResourceURLs.length > 0) return false;
  const named = a.resourceNames.length > 0 && b.resourceNames.length > 0;
  return (
    (named && jsonEquals({ ...a, resourceNames: [] }, { ...b, resourceNames: [] })) ||
    jsonEquals({ ...a, resources: [] }, { ...b, resources: [] })
  );
}

function merge(a: PolicyRule, b: PolicyRule): PolicyRule {
  return jsonEquals([...a.resources], [...b.resources])
    ? { ...a, resourceNames: sorted([...a.resourceNames, ...b.resourceNames]) }
    : { ...a, resources: sorted([...a.resources, ...b.resources]) };
}
