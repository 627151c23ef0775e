import { covers, missingFrom } from "./covers.ts";
import { describeObject, describeRule, describeSubject } from "./describe.ts";
import type { Identities } from "./identities.ts";
import { compactRules } from "./learn/compact.ts";
import type { PolicyRule } from "./policy-rule.ts";
import { subjectKey } from "./rbac-index.ts";
import type { RbacWorld } from "./world.ts";

/** What one subject gains and loses in one namespace, or in the whole cluster (empty). */
export interface RightsChange {
  readonly subject: string;
  /** Members of a group that the identities name. */
  readonly members: readonly string[];
  readonly namespace: string;
  readonly gains: readonly PolicyRule[];
  readonly loses: readonly PolicyRule[];
}

export interface RbacDiff {
  readonly changes: readonly RightsChange[];
  /** Bindings of either side whose role is not among the objects: what they give is not known. */
  readonly unresolved: readonly string[];
}

interface Rights {
  readonly subject: string;
  readonly group: string | undefined;
  readonly byNamespace: Map<string, PolicyRule[]>;
}

/** Who gains and loses what, by the rules that decide: renamed roles and moved bindings are no change. */
export function diffRbac(before: RbacWorld, after: RbacWorld, identities: Identities): RbacDiff {
  const unresolved: string[] = [];
  const old = rightsOf(before, unresolved);
  const now = rightsOf(after, unresolved);
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  const changes = keys.flatMap((key) => {
    const [a, b] = [old.get(key), now.get(key)];
    const { subject, group } = a ?? b ?? { subject: key, group: undefined };
    const namespaces = [...new Set([...(a?.byNamespace.keys() ?? []), ...(b?.byNamespace.keys() ?? [])])].sort();
    return namespaces.flatMap((namespace): RightsChange[] => {
      const gains = compactRules(missingFrom(effective(a, namespace), b?.byNamespace.get(namespace) ?? []));
      const loses = compactRules(missingFrom(effective(b, namespace), a?.byNamespace.get(namespace) ?? []));
      if (gains.length === 0 && loses.length === 0) return [];
      return [{ subject, members: group === undefined ? [] : identities.members(group), namespace, gains, loses }];
    });
  });
  return { changes, unresolved: [...new Set(unresolved)] };
}

/** What counts in a namespace: its own rules and those of the whole cluster. */
function effective(rights: Rights | undefined, namespace: string): readonly PolicyRule[] {
  if (rights === undefined) return [];
  const clusterWide = rights.byNamespace.get("") ?? [];
  return namespace === "" ? clusterWide : [...clusterWide, ...(rights.byNamespace.get(namespace) ?? [])];
}

function rightsOf({ index }: RbacWorld, unresolved: string[]): ReadonlyMap<string, Rights> {
  const found = new Map<string, Rights>();
  for (const binding of index.bindings()) {
    const role = index.resolve(binding.roleRef, binding.namespace);
    if ("error" in role) {
      unresolved.push(`${describeObject(binding)}: there is no ${binding.roleRef.kind} ${binding.roleRef.name}`);
      continue;
    }
    for (const subject of binding.subjects) {
      const key = subjectKey(subject, binding.namespace);
      if (key === undefined) continue;
      const rights = found.get(key) ?? {
        subject: describeSubject(subject, binding.namespace),
        group: subject.kind === "Group" ? subject.name : undefined,
        byNamespace: new Map<string, PolicyRule[]>(),
      };
      found.set(key, rights);
      rights.byNamespace.set(binding.namespace, [...(rights.byNamespace.get(binding.namespace) ?? []), ...role.rules]);
    }
  }
  return found;
}

/** Whether two sets of rights decide alike for every subject that bindings name. */
export function isEquivalent(before: RbacWorld, after: RbacWorld, identities: Identities): boolean {
  return diffRbac(before, after, identities).changes.length === 0;
}

/** `may now list on secrets (core)`, one line for each rule. */
export function describeChange({ subject, members, namespace, gains, loses }: RightsChange): readonly string[] {
  const where = namespace === "" ? "in the whole cluster" : `in namespace ${namespace}`;
  const known = members.length === 0 ? "" : ` (${members.join(", ")})`;
  return [
    `${subject}${known} ${where}`,
    ...gains.map((rule) => `  + ${describeRule(rule)}`),
    ...loses.map((rule) => `  - ${describeRule(rule)}`),
  ];
}

/** Whether the same rules, in whatever form. */
export function sameRights(a: readonly PolicyRule[], b: readonly PolicyRule[]): boolean {
  return covers(a, b) && covers(b, a);
}
