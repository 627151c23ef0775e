import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { type KubernetesObject, nameOf } from "../../core/kubernetes.ts";

/** The service account that we have in clusters that are governed from elsewhere. */
export const accountName = "castellan";

/** On all that we make there, and on nothing else. */
export const madeBy = { "app.kubernetes.io/managed-by": "castellan-cluster-add" } as const;

export interface AccountOptions {
  readonly namespace: string;
  /** Whether it is judged at admission there. */
  readonly webhook: boolean;
}

/**
 * What is made in a cluster that is governed from elsewhere, in the order of making: the roles are those of the server's own
 * installation (`manifests`); beside them the account may renew its own token, and hold the Lease by which replicas agree.
 */
export function accountObjects(manifests: readonly KubernetesObject[], options: AccountOptions): readonly KubernetesObject[] {
  const { namespace, webhook } = options;
  const ofKind = (kind: string) => manifests.filter((object) => object.kind === kind);
  const inNamespace = { namespace, labels };
  const subjects = [{ kind: "ServiceAccount", name: accountName, namespace }];
  const roles = ofKind("ClusterRole").map((role) => made(role, { rules: rulesOf(role, webhook) }));
  const bindings = ofKind("ClusterRoleBinding").map((binding) =>
    made(binding, { roleRef: binding["roleRef"] ?? null, subjects }),
  );
  const own = "castellan-account";
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { ...madeBy, "pod-security.kubernetes.io/enforce": "restricted" } },
    },
    // No pod there works as this account.
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: accountName, ...inNamespace },
      automountServiceAccountToken: false,
    },
    ...roles,
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: own, ...inNamespace },
      rules: ownRules,
    },
    ...bindings,
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: own, ...inNamespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: own },
      subjects,
    },
    // Empty, so that the account need not create any, and could stop no cluster by one of another name.
    ...(webhook ? webhookKinds.flatMap(ofKind).map((configuration) => made(configuration, {})) : []),
  ];
}

export const webhookKinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];

/** Of itself alone. */
const ownRules: JsonObject[] = [
  { apiGroups: [""], resources: ["serviceaccounts/token"], resourceNames: [accountName], verbs: ["create"] },
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames: ["castellan"], verbs: ["get", "patch"] },
];

const labels = { "app.kubernetes.io/name": "castellan", ...madeBy };

function made(object: KubernetesObject, rest: JsonObject): KubernetesObject {
  const { apiVersion, kind } = object;
  return { apiVersion, kind, metadata: { name: nameOf(object), labels }, ...rest };
}

function rulesOf(role: KubernetesObject, webhook: boolean): JsonValue[] {
  const rules = role["rules"];
  const all = isArray(rules) ? rules : [];
  return all.filter((rule) => webhook || !writesWebhooks(rule));
}

function writesWebhooks(rule: JsonValue): boolean {
  const resources = member(rule, "resources");
  return isObject(rule) && isArray(resources) && resources.includes("validatingwebhookconfigurations");
}
