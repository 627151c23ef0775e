import type { HeldRule, Place, Step } from "./graph.ts";
import { grantOf, grantsOf, namedGrants, right } from "./holdings.ts";

const rbac = "rbac.authorization.k8s.io";
const certificates = "certificates.k8s.io";
const clientSigner = "kubernetes.io/kube-apiserver-client";

interface Technique {
  readonly technique: string;
  readonly to: Place;
  readonly says: string;
  readonly grants: (held: readonly HeldRule[]) => readonly HeldRule[] | undefined;
}

const admin: Place = { kind: "cluster-admin" };
const nodes: Place = { kind: "nodes" };

/** Techniques that need rights in the whole cluster. */
const techniques: readonly Technique[] = [
  { technique: "everything", to: admin, says: "may do everything", grants: (held) => grantsOf(held, right("*", "*/*")) },
  {
    technique: "escalate",
    to: admin,
    says: "writes any rule into a ClusterRole",
    grants: (held) =>
      grantsOf(held, right("escalate", `${rbac}/clusterroles`), right("update,patch", `${rbac}/clusterroles`)) ??
      escalateOwn(held, "clusterroles"),
  },
  {
    technique: "bind",
    to: admin,
    says: "binds cluster-admin to itself",
    grants: (held) => bindGrants(held, "clusterrolebindings"),
  },
  {
    technique: "impersonate-masters",
    to: admin,
    says: "impersonates a member of system:masters",
    grants: (held) => {
      const group =
        grantOf(held, right("impersonate", "/groups")) ??
        namedGrants(held, right("impersonate", "/groups")).find(([name]) => name === "system:masters")?.[1];
      // A group is impersonated together with a user.
      const user =
        grantOf(held, right("impersonate", "/users", "/serviceaccounts")) ??
        namedGrants(held, right("impersonate", "/users", "/serviceaccounts"))[0]?.[1];
      return group === undefined || user === undefined ? undefined : [group, user];
    },
  },
  {
    technique: "approve-certificate",
    to: admin,
    says: "requests a client certificate of an administrator and approves it",
    grants: (held) => {
      const approval = grantsOf(
        held,
        right("create", `${certificates}/certificatesigningrequests`),
        right("update,patch", `${certificates}/certificatesigningrequests/approval`),
      );
      const signers = right("approve", `${certificates}/signers`);
      const signer =
        grantOf(held, signers) ??
        namedGrants(held, signers).find(([name]) => name === clientSigner || name === "kubernetes.io/*")?.[1];
      return approval === undefined || signer === undefined ? undefined : [...approval, signer];
    },
  },
  {
    technique: "mutating-webhook",
    to: admin,
    says: "changes every object on its way by a mutating webhook",
    grants: (held) =>
      grantsOf(
        held,
        right(
          "create,update,patch",
          "admissionregistration.k8s.io/mutatingwebhookconfigurations",
          "admissionregistration.k8s.io/mutatingadmissionpolicies",
        ),
      ),
  },
  {
    technique: "kubelet",
    to: nodes,
    says: "runs commands in every pod through the kubelet",
    grants: (held) => grantsOf(held, right("get,create", "/nodes/proxy")),
  },
  {
    technique: "host-path-volume",
    to: nodes,
    says: "mounts a node's file system through a persistent volume",
    grants: (held) =>
      grantsOf(
        held,
        right("create", "/persistentvolumes"),
        right("create", "/persistentvolumeclaims"),
        right("create", "/pods", "apps/deployments", "batch/jobs"),
      ),
  },
  {
    technique: "read-secrets",
    to: { kind: "secrets" },
    says: "reads the secrets of every namespace",
    grants: (held) => grantsOf(held, right("get,list,watch", "/secrets")),
  },
];

/** The rules by which somebody rewrites a role that they hold, named in them. */
export function escalateOwn(held: readonly HeldRule[], roles: "clusterroles" | "roles"): readonly HeldRule[] | undefined {
  const both = [right("escalate", `${rbac}/${roles}`), right("update,patch", `${rbac}/${roles}`)] as const;
  const kind = roles === "roles" ? "Role" : "ClusterRole";
  for (const { role } of held) {
    if (role.kind !== kind) continue;
    const grants = both.flatMap(
      (wanted) => grantOf(held, wanted) ?? namedGrants(held, wanted).find(([name]) => name === role.name)?.[1] ?? [],
    );
    if (grants.length === both.length) return grants;
  }
  return undefined;
}

/** The rules by which somebody binds a role with every right; `roles` are those of the namespace that have it. */
export function bindGrants(
  held: readonly HeldRule[],
  bindings: "clusterrolebindings" | "rolebindings",
  roles: readonly string[] = [],
): readonly HeldRule[] | undefined {
  const write = grantOf(held, right("create", `${rbac}/${bindings}`));
  const cluster = right("bind", `${rbac}/clusterroles`);
  const local = right("bind", `${rbac}/roles`);
  const bind =
    grantOf(held, cluster) ??
    namedGrants(held, cluster).find(([name]) => name === "cluster-admin")?.[1] ??
    (roles.length > 0 ? grantOf(held, local) : undefined) ??
    namedGrants(held, local).find(([name]) => roles.includes(name))?.[1];
  return write === undefined || bind === undefined ? undefined : [write, bind];
}

export function clusterSteps(from: Place, held: readonly HeldRule[]): Step[] {
  const steps: Step[] = [];
  for (const { technique, to, says, grants } of techniques) {
    const found = grants(held);
    if (found === undefined) continue;
    steps.push({ from, to, technique, says, grants: found });
    // Whoever may do everything needs no other way.
    if (technique === "everything") break;
  }
  return steps;
}
