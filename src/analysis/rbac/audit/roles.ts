import { covers } from "../covers.ts";
import { describeObject, describeRule } from "../describe.ts";
import type { Binding, Role } from "../objects.ts";
import { subjectKey } from "../rbac-index.ts";
import type { AuditContext } from "./context.ts";
import type { AuditIssue } from "./issue.ts";

/** Roles that nobody holds, roles that are the same, and default roles that were changed. */
export function roleIssues(context: AuditContext): AuditIssue[] {
  return [...unboundIssues(context), ...duplicateIssues(context), ...changedIssues(context)];
}

/** A ClusterRole of manifests may be there for others to bind; only a whole cluster shows that nobody does. */
function unboundIssues({ world, system, held }: AuditContext): AuditIssue[] {
  const referred = new Set([...world.index.bindings()].map((b) => describeObject(roleOf(b.roleRef, b.namespace))));
  return [...world.index.roles()].flatMap((role) => {
    const { document } = role;
    if (document === undefined || held.has(role) || system.isOwnRole(role) || referred.has(describeObject(role))) return [];
    if (role.kind === "ClusterRole" && (!world.complete || isAggregated(role))) return [];
    return [
      {
        check: "unbound-role",
        rule: "unbound",
        document,
        path: ["metadata", "name"],
        status: "warn",
        message: `No binding ${world.complete ? "" : "among these objects "}refers to the role${role.namespace === "" ? "" : ` in namespace ${role.namespace}`}: it grants nothing.`,
        fix: { description: "Bind it in the namespace where it is needed, or delete it." },
      } satisfies AuditIssue,
    ];
  });
}

function roleOf(
  ref: { readonly kind: string; readonly name: string },
  namespace: string,
): Pick<Role, "kind" | "namespace" | "name"> {
  return ref.kind === "ClusterRole"
    ? { kind: "ClusterRole", namespace: "", name: ref.name }
    : { kind: "Role", namespace, name: ref.name };
}

function isAggregated({ labels }: Role): boolean {
  return Object.entries(labels).some(
    ([key, value]) => key.startsWith("rbac.authorization.k8s.io/aggregate-to-") && value === "true",
  );
}

/** Roles of one namespace that grant the same, found by a key that does not depend on order, then proven both ways. */
function duplicateIssues({ world, system, held }: AuditContext): AuditIssue[] {
  const groups = Map.groupBy(
    [...world.index.roles()].filter((r) => r.rules.length > 0 && r.aggregationSelectors === undefined && !isAggregated(r)),
    (role) => `${role.kind}/${role.namespace}/${normalForm(role)}`,
  );
  return [...groups.values()].flatMap((roles) => {
    const own = roles.filter((role) => role.document !== undefined && !system.isOwnRole(role));
    if (roles.length < 2 || own.length === 0) return [];
    // The one that is held stays.
    const [kept] = [...roles].sort((a, b) => Number(held.has(b)) - Number(held.has(a)));
    return own.flatMap((role) => {
      if (kept === undefined || role === kept || role.document === undefined) return [];
      // Two components that each bring a role of their own are no copy of each other.
      if (held.has(role) && !sharesSubject(held.get(role) ?? [], held.get(kept) ?? [])) return [];
      if (!covers(role.rules, kept.rules) || !covers(kept.rules, role.rules)) return [];
      return [
        {
          check: "duplicate-role",
          rule: "equal",
          document: role.document,
          path: ["metadata", "name"],
          status: "warn",
          message: `The role grants exactly what ${describeObject(kept)} grants.`,
          evidence: { same: describeObject(kept), rules: role.rules.map(describeRule) },
          fix: { description: `Bind ${describeObject(kept)} instead, and delete this one.` },
        } satisfies AuditIssue,
      ];
    });
  });
}

function sharesSubject(a: readonly Binding[], b: readonly Binding[]): boolean {
  const keys = (bindings: readonly Binding[]) =>
    bindings.flatMap((binding) => binding.subjects.map((s) => subjectKey(s, binding.namespace)));
  const known = new Set(keys(a));
  return keys(b).some((key) => known.has(key));
}

function normalForm(role: Role): string {
  const sorted = (list: readonly string[]) => [...new Set(list)].sort();
  return JSON.stringify(
    role.rules
      .map((r) => JSON.stringify([r.verbs, r.apiGroups, r.resources, r.resourceNames, r.nonResourceURLs].map(sorted)))
      .sort(),
  );
}

const shownRules = 5;

function changedIssues({ world, system }: AuditContext): AuditIssue[] {
  const roles = [...world.index.roles()].flatMap((role) => {
    const added = system.addedRules(role) ?? [];
    if (role.document === undefined || added.length === 0) return [];
    const shown = added.slice(0, shownRules).map(describeRule);
    return [
      {
        check: "changed-default",
        rule: "role",
        document: role.document,
        path: ["rules"],
        // Another minor version may have given it.
        status: "warn",
        severity: "low",
        message: `The role has more than Kubernetes 1.36 gives it: ${shown.join("; ")}${added.length > shownRules ? ` and ${added.length - shownRules} more` : ""}.`,
        evidence: { added: added.map(describeRule) },
        fix: { description: "Put the rules into a role of their own." },
      } satisfies AuditIssue,
    ];
  });
  const bindings = [...world.index.bindings()].flatMap((binding) => {
    const added = system.addedSubjects(binding) ?? [];
    const { document } = binding;
    if (document === undefined) return [];
    return added.map(
      (index): AuditIssue => ({
        check: "changed-default",
        rule: "binding",
        document,
        path: ["subjects", index],
        status: "fail",
        message: `Kubernetes does not bind ${binding.subjects[index]?.kind} ${binding.subjects[index]?.name} here.`,
        fix: { description: "Put the subject into a binding of its own." },
      }),
    );
  });
  return [...roles, ...bindings];
}
