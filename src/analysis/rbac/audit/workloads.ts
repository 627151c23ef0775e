import type { CapabilityId } from "../capabilities.ts";
import { describeObject } from "../describe.ts";
import type { Binding, Role } from "../objects.ts";
import { serviceAccountUser } from "../rbac-index.ts";
import type { RunningPod, ServiceAccount } from "../world.ts";
import type { AuditContext } from "./context.ts";
import type { AuditIssue } from "./issue.ts";
import { phrase, rightsOf } from "./rights.ts";

/** API groups whose objects run what their users or models write. */
const aiGroups = new Set(["kubeflow.org", "serving.kserve.io", "ray.io", "kagent.dev", "trainer.kubeflow.org", "jupyter.org"]);

/** With these, code in the pod becomes somebody else. */
const reaching = new Set<CapabilityId>([
  "cluster-admin",
  "escalate",
  "bind",
  "impersonate",
  "secrets",
  "token-request",
  "exec",
  "create-pods",
  "node-proxy",
  "approve-certificates",
  "sign-certificates",
  "webhooks",
]);

/** Service accounts whose tokens stand in pods: those with which everything can be had, and those of AI workloads. */
export function workloadIssues({ world, system, includeSystem }: AuditContext): AuditIssue[] {
  const byAccount = Map.groupBy(
    world.pods.filter((pod) => pod.mountsToken),
    (pod) => serviceAccountUser(pod.namespace, pod.serviceAccount),
  );
  return [...byAccount].flatMap(([user, pods]) => {
    const account = world.serviceAccounts.get(user);
    const [pod] = pods;
    if (account === undefined || pod === undefined) return [];
    const held = world.index.appliedAnywhere(user, []).flatMap(({ binding }) => {
      const role = world.index.resolve(binding.roleRef, binding.namespace);
      return "error" in role || (!includeSystem && system.isUnchangedBinding(binding)) ? [] : [{ binding, role }];
    });
    const ai = pods.find((p) => aiGroups.has(p.group));
    return ai === undefined ? powerful(account, pod, held) : aiWorkload(account, ai, held);
  });
}

interface HeldRole {
  readonly binding: Binding;
  readonly role: Role;
}

function powerful({ document }: ServiceAccount, pod: RunningPod, held: readonly HeldRole[]): AuditIssue[] {
  const powers = held.flatMap(({ binding, role }) =>
    rightsOf(role, binding.namespace === "").flatMap(({ id, severity }) =>
      severity === "critical" ? { id, binding, role } : [],
    ),
  );
  const power = powers.find((p) => p.id === "cluster-admin") ?? powers[0];
  if (power === undefined) return [];
  const administrator = power.id === "cluster-admin";
  return [
    {
      check: "mounted-token",
      rule: administrator ? "administrator" : "powerful",
      document,
      path: ["metadata", "name"],
      status: "warn",
      message: `${pod.kind} ${pod.namespace}/${pod.name} mounts the token of this account, which may ${administrator ? "do everything" : phrase(power.id)}.`,
      evidence: { binding: describeObject(power.binding), role: describeObject(power.role) },
      fix: {
        description: "Where the pod does not call the API, set automountServiceAccountToken: false; else give it fewer rights.",
        patch: [{ op: "add", path: "/automountServiceAccountToken", value: false }],
      },
    },
  ];
}

function aiWorkload({ document }: ServiceAccount, pod: RunningPod, held: readonly HeldRole[]): AuditIssue[] {
  const rights = held.flatMap(({ binding, role }) => {
    const ids = rightsOf(role, binding.namespace === "").map((r) => r.id);
    // Creating pods in one namespace says nothing elsewhere, but here it runs as every other account.
    return ids.filter((id) => reaching.has(id)).map((id) => ({ id, binding }));
  });
  const [first] = rights;
  if (first === undefined) return [];
  return [
    {
      check: "ai-workload-account",
      rule: "escalates",
      document,
      path: ["metadata", "name"],
      status: "fail",
      message: `${pod.kind} ${pod.namespace}/${pod.name} runs as this account, which holds ${[...new Set(rights.map((r) => r.id))].join(", ")}.`,
      evidence: { bindings: [...new Set(rights.map((r) => describeObject(r.binding)))] },
      fix: { description: "Run it as an account of its own that holds no more than it uses." },
    },
  ];
}
