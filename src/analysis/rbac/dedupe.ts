import { CoverCandidates } from "./cover-candidates.ts";
import { covers } from "./covers.ts";
import { describeObject } from "./describe.ts";
import { isEquivalent, sameRights } from "./diff.ts";
import { Identities } from "./identities.ts";
import type { Binding, Role } from "./objects.ts";
import { RbacIndex, subjectKey } from "./rbac-index.ts";
import type { RbacWorld } from "./world.ts";

export type Redundancy =
  /** The roles grant the same; bindings of `second` can refer to `first`. */
  | { readonly kind: "equal-roles"; readonly first: Role; readonly second: Role }
  /** Every right of `second` is one of `first`. */
  | { readonly kind: "subsumed-role"; readonly first: Role; readonly second: Role }
  /** Without the binding everybody may do what they may do with it. */
  | { readonly kind: "redundant-binding"; readonly binding: Binding; readonly because: readonly Binding[] };

export interface Dedupe {
  readonly found: readonly Redundancy[];
  /** What to delete, and what to write in its place. */
  readonly removed: readonly (Role | Binding)[];
  readonly added: readonly Binding[];
  /** Decisions before and after are the same for every subject: found by comparing all rights. */
  readonly proven: boolean;
}

/** Equal and subsumed roles, redundant bindings, and one proposal that changes no decision. */
export function dedupe(world: RbacWorld): Dedupe {
  const own = (object: Role | Binding) => object.document !== undefined;
  const roles = [...world.index.roles()].filter((r) => own(r) && r.aggregationSelectors === undefined && r.rules.length > 0);
  const equal = equalRoles(roles);
  const after = copyOf(world.index);
  const removed: (Role | Binding)[] = [];
  const added: Binding[] = [];
  for (const { first, second } of equal) {
    const aggregated = Object.keys(second.labels).some((l) => l.startsWith("rbac.authorization.k8s.io/aggregate-to-"));
    if (aggregated) continue;
    for (const binding of [...after.bindings()].filter((b) => refersTo(b, second))) {
      const moved = { ...binding, roleRef: { ...binding.roleRef, kind: first.kind, name: first.name } };
      after.putBinding(moved);
      removed.push(binding);
      added.push(moved);
    }
    after.removeRole(second.kind, second.namespace, second.name);
    removed.push(second);
  }
  const redundant: Redundancy[] = [];
  for (const binding of [...after.bindings()].filter(own)) {
    const because = coveringBindings(after, binding);
    if (because === undefined) continue;
    redundant.push({ kind: "redundant-binding", binding, because });
    after.removeBinding(binding.kind, binding.namespace, binding.name);
    const written = added.indexOf(binding);
    if (written >= 0) added.splice(written, 1);
    else removed.push(binding);
  }
  return {
    found: [...equal, ...subsumedRoles(roles, equal), ...redundant],
    removed,
    added,
    proven: isEquivalent(world, { ...world, index: after }, new Identities()),
  };
}

/** Of roles of one namespace that grant the same, each later one with the first. */
function equalRoles(roles: readonly Role[]): (Redundancy & { readonly kind: "equal-roles" })[] {
  return [...scopes(roles)].flatMap((scope) => {
    const kept = new CoverCandidates();
    return scope.flatMap((role) => {
      const first = kept.of(role.rules).find((k) => sameRights(k.rules, role.rules));
      if (first !== undefined) return [{ kind: "equal-roles" as const, first, second: role }];
      kept.add(role);
      return [];
    });
  });
}

function subsumedRoles(roles: readonly Role[], equal: readonly { readonly second: Role }[]): Redundancy[] {
  const gone = new Set(equal.map((e) => e.second));
  return [...scopes(roles.filter((r) => !gone.has(r)))].flatMap((scope) => {
    const candidates = new CoverCandidates();
    for (const role of scope) candidates.add(role);
    return scope.flatMap((second): Redundancy[] => {
      const first = candidates.of(second.rules).find((other) => other !== second && covers(other.rules, second.rules));
      return first === undefined ? [] : [{ kind: "subsumed-role", first, second }];
    });
  });
}

function scopes(roles: readonly Role[]): Iterable<readonly Role[]> {
  return Map.groupBy(roles, (role) => `${role.kind}/${role.namespace}`).values();
}

/** The bindings that give each subject of a binding all that it gives; undefined where something would be lost. */
function coveringBindings(index: RbacIndex, binding: Binding): readonly Binding[] | undefined {
  const role = index.resolve(binding.roleRef, binding.namespace);
  if ("error" in role || binding.subjects.length === 0) return undefined;
  const others = [...index.bindingsFor(binding.namespace)].filter((other) => other !== binding);
  const used = new Set<Binding>();
  for (const subject of binding.subjects) {
    const key = subjectKey(subject, binding.namespace);
    if (key === undefined) continue;
    const own = others.filter((other) => other.subjects.some((s) => subjectKey(s, other.namespace) === key));
    const rules = own.flatMap((other) => {
      const held = index.resolve(other.roleRef, other.namespace);
      return "error" in held ? [] : held.rules;
    });
    if (!covers(rules, role.rules)) return undefined;
    for (const other of own) used.add(other);
  }
  return used.size === 0 ? undefined : [...used];
}

function refersTo({ roleRef, namespace }: Binding, role: Role): boolean {
  return (
    roleRef.kind === role.kind && roleRef.name === role.name && (role.kind === "ClusterRole" || role.namespace === namespace)
  );
}

function copyOf(index: RbacIndex): RbacIndex {
  const copy = new RbacIndex();
  for (const role of index.roles()) copy.putRole(role);
  for (const binding of index.bindings()) copy.putBinding(binding);
  return copy;
}

export function describeRedundancy(found: Redundancy): string {
  switch (found.kind) {
    case "equal-roles":
      return `${describeObject(found.second)} grants exactly what ${describeObject(found.first)} grants`;
    case "subsumed-role":
      return `${describeObject(found.first)} grants all that ${describeObject(found.second)} grants`;
    case "redundant-binding":
      return `${describeObject(found.binding)} gives nothing beyond ${found.because.map(describeObject).join(", ")}`;
  }
}
