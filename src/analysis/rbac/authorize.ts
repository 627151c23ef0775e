import type { RequestAttributes } from "../../core/request-attributes.ts";
import type { Binding, BindingSubject, Role } from "./objects.ts";
import { type PolicyRule, ruleAllows } from "./policy-rule.ts";
import type { AppliedBinding, RbacIndex } from "./rbac-index.ts";

/** The members of this group are never asked. */
export const superUsers = "system:masters";

/** The rule that decided, and how the user came by it. */
export interface Grant extends AppliedBinding {
  readonly role: Role;
  readonly rule: PolicyRule;
}

export type Authorization =
  | { readonly decision: "allow"; readonly reason: string; readonly grant: Grant | undefined }
  /** RBAC never denies; `reason` names the roles that could not be read. */
  | { readonly decision: "no-opinion"; readonly reason: string };

interface Visitor {
  rule(rule: PolicyRule, applied: AppliedBinding, role: Role): boolean;
  error(message: string): void;
}

/** Shows the visitor every rule that applies to a user in a namespace, until it answers false. */
function visitRules(index: RbacIndex, user: string, groups: readonly string[], namespace: string, visitor: Visitor): void {
  for (const applied of index.appliedTo(user, groups, namespace)) {
    const role = index.resolve(applied.binding.roleRef, applied.binding.namespace);
    if ("error" in role) visitor.error(role.error);
    else for (const rule of role.rules) if (!visitor.rule(rule, applied, role)) return;
  }
}

/** Several errors as Go's aggregate prints them: duplicates once, in brackets where there are many. */
function aggregateErrors(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length > 1 ? `[${distinct.join(", ")}]` : (distinct[0] ?? "");
}

function describeSubject(subject: BindingSubject, bindingNamespace: string): string {
  if (subject.kind !== "ServiceAccount") return `${subject.kind} ${JSON.stringify(subject.name)}`;
  const namespace = subject.namespace === "" ? bindingNamespace : subject.namespace;
  return `${subject.kind} ${JSON.stringify(`${subject.name}/${namespace}`)}`;
}

function describeBinding(binding: Binding, subject: BindingSubject): string {
  const name = binding.kind === "RoleBinding" ? `${binding.name}/${binding.namespace}` : binding.name;
  const to = describeSubject(subject, binding.namespace);
  return `${binding.kind} ${JSON.stringify(name)} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${to}`;
}

/** Decides one request from RBAC alone, exactly as kube-apiserver's RBAC authorizer (1.36). */
export function authorizeByRules(index: RbacIndex, request: RequestAttributes): Authorization {
  const errors: string[] = [];
  let grant: Grant | undefined;
  visitRules(index, request.user, request.groups, request.namespace, {
    rule(rule, applied, role) {
      if (!ruleAllows(rule, request)) return true;
      grant = { ...applied, role, rule };
      return false;
    },
    error: (message) => errors.push(message),
  });
  if (grant !== undefined)
    return { decision: "allow", reason: `RBAC: allowed by ${describeBinding(grant.binding, grant.subject)}`, grant };
  return { decision: "no-opinion", reason: errors.length === 0 ? "" : `RBAC: ${aggregateErrors(errors)}` };
}

/** Decides one request as the API server's chain does for a person: superusers first, then RBAC. */
export function authorize(index: RbacIndex, request: RequestAttributes): Authorization {
  if (request.groups.includes(superUsers)) return { decision: "allow", reason: `member of ${superUsers}`, grant: undefined };
  return authorizeByRules(index, request);
}

/** Every rule that applies to a user in a namespace, with the errors met on the way. */
export function rulesFor(
  index: RbacIndex,
  user: string,
  groups: readonly string[],
  namespace: string,
): { readonly rules: readonly PolicyRule[]; readonly error: string } {
  const rules: PolicyRule[] = [];
  const errors: string[] = [];
  visitRules(index, user, groups, namespace, {
    rule: (rule) => rules.push(rule) > 0,
    error: (message) => errors.push(message),
  });
  return { rules, error: aggregateErrors(errors) };
}

/** The subjects that a request is allowed to, the superusers first, as bindings name them; and the errors met on the way. */
export function whoCan(
  index: RbacIndex,
  request: RequestAttributes,
): { readonly subjects: readonly BindingSubject[]; readonly bindings: readonly Binding[]; readonly error: string } {
  const subjects: BindingSubject[] = [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: superUsers, namespace: "" }];
  const bindings: Binding[] = [];
  const errors: string[] = [];
  for (const binding of index.bindingsFor(request.namespace)) {
    const role = index.resolve(binding.roleRef, binding.namespace);
    if ("error" in role) errors.push(role.error);
    else if (role.rules.some((rule) => ruleAllows(rule, request))) {
      bindings.push(binding);
      subjects.push(...binding.subjects);
    }
  }
  return { subjects, bindings, error: aggregateErrors(errors) };
}
