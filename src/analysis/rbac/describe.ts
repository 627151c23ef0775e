import type { BindingSubject } from "./objects.ts";
import type { PolicyRule } from "./policy-rule.ts";

/** `Role team-a/reader`, `ClusterRoleBinding admins` */
export function describeObject({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** `ServiceAccount team-a/default`, `Group nlp@example.com` */
export function describeSubject(subject: BindingSubject, bindingNamespace: string): string {
  if (subject.kind !== "ServiceAccount") return `${subject.kind} ${subject.name}`;
  const namespace = subject.namespace === "" ? bindingNamespace : subject.namespace;
  return `ServiceAccount ${namespace === "" ? "?" : namespace}/${subject.name}`;
}

/** `get, list on secrets, pods/log (core)`: one rule as people read it. */
export function describeRule(rule: PolicyRule): string {
  const verbs = rule.verbs.join(", ");
  if (rule.nonResourceURLs.length > 0) return `${verbs} on ${rule.nonResourceURLs.join(", ")}`;
  const groups = rule.apiGroups.map((g) => (g === "" ? "core" : g)).join(", ");
  const names = rule.resourceNames.length > 0 ? ` named ${rule.resourceNames.join(", ")}` : "";
  return `${verbs} on ${rule.resources.join(", ")} (${groups})${names}`;
}
