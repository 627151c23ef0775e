import { toPointer } from "../../../core/json.ts";
import { nearestName } from "../../../core/nearest-name.ts";
import { describeObject, describeSubject } from "../describe.ts";
import type { Binding, BindingSubject, Role } from "../objects.ts";
import { serviceAccountUser } from "../rbac-index.ts";
import type { AuditContext } from "./context.ts";
import { type AuditIssue, describePlaces } from "./issue.ts";
import { rightsOf } from "./rights.ts";

/** Subjects that stand for everybody. `strangers`: without any credentials. */
const everybody = new Map<string, "strangers" | "users" | "accounts">([
  ["User system:anonymous", "strangers"],
  ["Group system:unauthenticated", "strangers"],
  ["Group system:authenticated", "users"],
  ["Group system:serviceaccounts", "accounts"],
]);

/** What is wrong with bindings themselves, whatever their role grants. */
export function bindingIssues(context: AuditContext): AuditIssue[] {
  const { world, system, includeSystem } = context;
  return [...world.index.bindings()].flatMap((binding) => {
    const { document } = binding;
    if (document === undefined || (!includeSystem && system.isUnchangedBinding(binding))) return [];
    const role = world.index.resolve(binding.roleRef, binding.namespace);
    const target = { context, binding, document };
    if ("error" in role) return missingRole(target);
    return binding.subjects.flatMap((subject, i) => [
      ...everybodyIssue(target, role, subject, i),
      ...defaultAccountIssue(target, role, subject, i),
      ...missingSubject(target, subject, i),
    ]);
  });
}

interface Target {
  readonly context: AuditContext;
  readonly binding: Binding;
  readonly document: AuditIssue["document"];
}

/** Of files, nobody knows what else the cluster holds: only a name that is nearly right is told. */
function missingRole({ context: { world }, binding, document }: Target): AuditIssue[] {
  const { kind, name } = binding.roleRef;
  const names = [...world.index.roles()].filter(
    (r) => r.kind === kind && (r.kind === "ClusterRole" || r.namespace === binding.namespace),
  );
  const meant = nearestName(name, new Set(names.map((r) => r.name)));
  if (!world.complete && meant === undefined) return [];
  return [
    {
      check: "missing-role",
      rule: world.complete ? "missing" : "misspelt",
      document,
      path: ["roleRef", "name"],
      status: world.complete ? "fail" : "warn",
      message: `There is no ${kind} ${name}: the binding grants nothing.${meant === undefined ? "" : ` ${meant} is near.`}`,
      evidence: { roleRef: `${kind} ${name}` },
      fix: {
        description: "A roleRef cannot be changed: delete the binding, or create it anew with the role that was meant.",
        ...(meant === undefined ? {} : { patch: [{ op: "replace" as const, path: "/roleRef/name", value: meant }] }),
      },
    },
  ];
}

function everybodyIssue(
  { binding, document, context }: Target,
  role: Role,
  subject: BindingSubject,
  index: number,
): AuditIssue[] {
  const who = everybody.get(`${subject.kind} ${subject.name}`);
  if (who === undefined || role.rules.length === 0) return [];
  const [worst] = rightsOf(role, binding.namespace === "");
  // What everybody who logged in may ask about themselves is granted by Kubernetes, too.
  if (who !== "strangers" && worst === undefined) return [];
  if (who === "strangers" && context.system.isOwnRole(role) && role.rules.every((rule) => rule.nonResourceURLs.length > 0))
    return [];
  const people = {
    strangers: "Whoever reaches the API server",
    users: "Everybody who logs in, every service account included,",
    accounts: "Every service account",
  };
  return [
    {
      check: "anonymous",
      rule: who,
      document,
      path: ["subjects", index],
      status: "fail",
      severity: worst === undefined ? "high" : "critical",
      message: `${people[who]} holds ${describeObject(role)} ${describePlaces([binding])}.`,
      evidence: { rights: rightsOf(role, binding.namespace === "").map((r) => r.id) },
      fix: removeSubject(binding, index),
    },
  ];
}

function defaultAccountIssue({ binding, document }: Target, role: Role, subject: BindingSubject, index: number): AuditIssue[] {
  if (subject.kind !== "ServiceAccount" || subject.name !== "default" || role.rules.length === 0) return [];
  const [worst] = rightsOf(role, binding.namespace === "");
  return [
    {
      check: "default-service-account",
      rule: "bound",
      document,
      path: ["subjects", index],
      status: "fail",
      severity: worst?.severity === "critical" || worst?.severity === "high" ? "high" : "medium",
      message: `${describeSubject(subject, binding.namespace)}, as which every pod there runs that names no other, holds ${describeObject(role)} ${describePlaces([binding])}.`,
      evidence: { role: describeObject(role) },
      fix: { description: "Give the workload that needs the rights a service account of its own." },
    },
  ];
}

/** Only a whole cluster shows that an account is not there; default is made by a controller. */
function missingSubject({ context: { world }, binding, document }: Target, subject: BindingSubject, index: number): AuditIssue[] {
  if (!world.complete || subject.kind !== "ServiceAccount" || subject.name === "default") return [];
  const namespace = subject.namespace === "" ? binding.namespace : subject.namespace;
  if (world.serviceAccounts.has(serviceAccountUser(namespace, subject.name))) return [];
  return [
    {
      check: "missing-subject",
      rule: "service-account",
      document,
      path: ["subjects", index],
      status: "fail",
      message: `There is no ${describeSubject(subject, binding.namespace)}.`,
      fix: removeSubject(binding, index),
    },
  ];
}

function removeSubject(binding: Binding, index: number) {
  return binding.subjects.length === 1
    ? { description: "Delete the binding." }
    : { description: "Remove the subject.", patch: [{ op: "remove" as const, path: toPointer(["subjects", index]) }] };
}
