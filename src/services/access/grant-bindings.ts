import type { AccessRuleSpec } from "../../access/rules/access-rule-kind.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { compileSelectorField } from "../../core/label-selector-field.ts";
import { compileWildcard, containsWildcard } from "../../core/wildcard.ts";

export interface NamedRule {
  readonly name: string;
  readonly spec: AccessRuleSpec;
}

export interface NamespaceLabels {
  readonly name: string;
  readonly labels: { readonly [key: string]: string };
}

export interface GrantBindings {
  readonly bindings: readonly KubernetesObject[];
  /** What nobody might expect: rules that bind nothing, and those whose namespaces may become more. */
  readonly notes: readonly string[];
}

const group = "rbac.authorization.k8s.io";
/** On all that `access install` makes, so that it finds what it made before. */
export const ruleLabel = "castellan.dev/access-rule";

/**
 * What binds the group of each rule's grants to the role that the rule names: in the rule's namespaces, or in the whole cluster
 * where the rule names none. Nobody is in these groups but while a grant is used, through the gateway.
 */
export function grantBindings(
  rules: readonly NamedRule[],
  cluster: string,
  namespaces: readonly NamespaceLabels[],
): GrantBindings {
  const notes: string[] = [];
  const bindings = rules.flatMap(({ name, spec }) => {
    const { role, clusters } = spec;
    if (role === undefined) return [];
    if (clusters !== undefined && !clusters.some((pattern) => compileWildcard(pattern)(cluster))) return [];
    if (spec.namespaces === undefined && spec.namespaceSelector === undefined) {
      if (role.kind === "ClusterRole") return [binding(name, role, "")];
      notes.push(`${name} names the Role ${role.name} and no namespaces: it is bound nowhere`);
      return [];
    }
    const open = spec.namespaceSelector !== undefined || spec.namespaces?.some(containsWildcard) === true;
    const chosen = chosenNamespaces(spec, namespaces);
    if (open)
      notes.push(`${name} is bound in the namespaces of now (${chosen.join(", ") || "none"}): install again when there are more`);
    const missing = chosen.filter((wanted) => !namespaces.some((known) => known.name === wanted));
    if (missing.length > 0) notes.push(`${name}: there is no namespace ${missing.join(", ")}`);
    return chosen.filter((wanted) => !missing.includes(wanted)).map((namespace) => binding(name, role, namespace));
  });
  return { bindings, notes };
}

function chosenNamespaces(spec: AccessRuleSpec, namespaces: readonly NamespaceLabels[]): readonly string[] {
  const patterns = spec.namespaces?.map(compileWildcard);
  const exact = spec.namespaces?.filter((pattern) => !containsWildcard(pattern)) ?? [];
  const selector = compileSelectorField(spec.namespaceSelector, ["namespaceSelector"], () => undefined);
  const living = namespaces.filter(
    ({ name, labels }) =>
      (patterns === undefined || patterns.some((matches) => matches(name))) && (selector === undefined || selector(labels)),
  );
  // One that is named and not there is told of; with a selector nobody knows its labels.
  const named = spec.namespaceSelector === undefined ? exact : [];
  return [...new Set([...named, ...living.map(({ name }) => name)])].sort();
}

function binding(rule: string, role: NonNullable<AccessRuleSpec["role"]>, namespace: string): KubernetesObject {
  const place = namespace === "" ? {} : { namespace };
  return {
    apiVersion: `${group}/v1`,
    kind: namespace === "" ? "ClusterRoleBinding" : "RoleBinding",
    metadata: {
      name: `castellan-grant-${rule}`,
      ...place,
      labels: { "app.kubernetes.io/managed-by": "castellan", [ruleLabel]: rule },
    },
    roleRef: { apiGroup: group, kind: role.kind, name: role.name },
    subjects: [{ kind: "Group", apiGroup: group, name: `castellan:grant:${rule}` }],
  };
}
