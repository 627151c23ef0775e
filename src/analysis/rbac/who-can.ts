import type { RequestAttributes } from "../../core/request-attributes.ts";
import type { Identities } from "./identities.ts";
import type { Binding, BindingSubject, Role } from "./objects.ts";
import { type PolicyRule, ruleAllows } from "./policy-rule.ts";
import type { RbacWorld } from "./world.ts";

/** One way by which somebody is allowed. */
export interface Holder {
  readonly subject: BindingSubject;
  /** Of a group: those of its members that the identities name. */
  readonly members: readonly string[];
  /** Empty: in the whole cluster. */
  readonly namespace: string;
  readonly binding: Binding;
  readonly role: Role;
  readonly rule: PolicyRule;
}

/** Where a question is asked: cluster-wide rights only, those that count in one namespace, or those in any. */
export type Scope = { readonly namespace: string } | "anywhere";

/** Every holder, in the order of the bindings; and the bindings that could not be followed. */
export function holdersOf(
  world: RbacWorld,
  request: RequestAttributes,
  scope: Scope,
  identities: Identities,
): { readonly holders: readonly Holder[]; readonly unresolved: readonly string[] } {
  const { index } = world;
  const bindings = scope === "anywhere" ? [...index.bindings()] : [...index.bindingsFor(scope.namespace)];
  const holders: Holder[] = [];
  const unresolved: string[] = [];
  for (const binding of bindings) {
    const role = index.resolve(binding.roleRef, binding.namespace);
    if ("error" in role) {
      const name = binding.namespace === "" ? binding.name : `${binding.namespace}/${binding.name}`;
      unresolved.push(`${binding.kind} ${name}: ${binding.roleRef.kind} ${binding.roleRef.name} is not among the objects`);
      continue;
    }
    const rule = role.rules.find((r) => ruleAllows(r, request));
    if (rule === undefined) continue;
    for (const subject of binding.subjects) {
      const members = subject.kind === "Group" ? identities.members(subject.name) : [];
      holders.push({ subject, members, namespace: binding.namespace, binding, role, rule });
    }
  }
  return { holders, unresolved };
}
