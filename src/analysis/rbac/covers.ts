import { emptyRule, type PolicyRule, urlHolds } from "./policy-rule.ts";

/** Splits a rule into atoms: at most one verb, group, resource and name each. */
export function atomsOf(rule: PolicyRule): PolicyRule[] {
  const names = rule.resourceNames.length > 0 ? rule.resourceNames.map((name) => [name]) : [[]];
  const resourceAtoms = rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.flatMap((verb) =>
        names.map((resourceNames) => ({ ...emptyRule, apiGroups: [group], resources: [resource], verbs: [verb], resourceNames })),
      ),
    ),
  );
  const urlAtoms = rule.nonResourceURLs.flatMap((url) =>
    rule.verbs.map((verb) => ({ ...emptyRule, nonResourceURLs: [url], verbs: [verb] })),
  );
  return [...resourceAtoms, ...urlAtoms];
}

function holdsAll(owned: readonly string[], asked: readonly string[]): boolean {
  return asked.every((word) => owned.includes(word));
}

function resourcesCover(owned: readonly string[], asked: readonly string[]): boolean {
  if (owned.includes("*")) return true;
  return asked.every((resource) => {
    if (owned.includes(resource)) return true;
    const slash = resource.indexOf("/");
    return slash >= 0 && owned.includes(`*${resource.slice(slash)}`);
  });
}

/** Whether one rule covers an atom whole: the escalation check never joins two owner rules for one atom. */
function ruleCovers(owner: PolicyRule, atom: PolicyRule): boolean {
  return (
    (owner.verbs.includes("*") || holdsAll(owner.verbs, atom.verbs)) &&
    (owner.apiGroups.includes("*") || holdsAll(owner.apiGroups, atom.apiGroups)) &&
    resourcesCover(owner.resources, atom.resources) &&
    (owner.resourceNames.length === 0 || (atom.resourceNames.length > 0 && holdsAll(owner.resourceNames, atom.resourceNames))) &&
    atom.nonResourceURLs.every((url) => owner.nonResourceURLs.some((owned) => urlHolds(owned, url)))
  );
}

/**
 * The atoms of `asked` that no rule of `owned` covers; empty means covered.
 * Source: k8s.io/component-helpers auth/rbac/validation, which guards writes to roles and bindings.
 */
export function missingFrom(owned: readonly PolicyRule[], asked: readonly PolicyRule[]): PolicyRule[] {
  return asked.flatMap(atomsOf).filter((atom) => !owned.some((owner) => ruleCovers(owner, atom)));
}

export function covers(owned: readonly PolicyRule[], asked: readonly PolicyRule[]): boolean {
  return asked.every((rule) => atomsOf(rule).every((atom) => owned.some((owner) => ruleCovers(owner, atom))));
}
