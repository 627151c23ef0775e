import { jsonEquals } from "../../core/json.ts";
import { compileLabelSelector } from "../../core/label-selector.ts";
import type { Role } from "./objects.ts";
import type { PolicyRule } from "./policy-rule.ts";

function sameRule(a: PolicyRule, b: PolicyRule): boolean {
  return jsonEquals({ ...a }, { ...b });
}

/** One sync of the controller for one role: the distinct rules of the roles its selectors match, by name, without itself. */
function aggregatedRules(role: Role, others: readonly Role[]): PolicyRule[] {
  const rules: PolicyRule[] = [];
  for (const selector of role.aggregationSelectors ?? []) {
    const compiled = compileLabelSelector(selector);
    if (!compiled.ok) continue;
    for (const other of others) {
      if (other.name === role.name || !compiled.matches(other.labels)) continue;
      for (const rule of other.rules) if (!rules.some((have) => sameRule(have, rule))) rules.push(rule);
    }
  }
  return rules;
}

/**
 * Fills the rules of aggregated ClusterRoles as kube-controller-manager's clusterrole-aggregation controller does,
 * to the fixpoint that its repeated syncs reach. Roles that are not aggregated come back as they are.
 */
export function aggregate(roles: readonly Role[]): Role[] {
  let current = [...roles].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  // Rules only grow along chains of aggregated roles, so there are at most as many rounds as roles.
  for (let round = 0; round <= roles.length; round++) {
    let changed = false;
    const clusterRoles = current.filter((role) => role.kind === "ClusterRole");
    current = current.map((role) => {
      if (role.kind !== "ClusterRole" || role.aggregationSelectors === undefined) return role;
      const rules = aggregatedRules(role, clusterRoles);
      if (rules.length === role.rules.length && rules.every((rule, i) => sameRule(rule, role.rules[i] ?? rule))) return role;
      changed = true;
      return { ...role, rules };
    });
    if (!changed) break;
  }
  return current;
}
