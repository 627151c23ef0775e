import { serviceAccountUser } from "../rbac-index.ts";
import type { RbacWorld, TokenSecret } from "../world.ts";
import { bindGrants, escalateOwn } from "./cluster-steps.ts";
import type { HeldRule, NamespacePlace, Place, Step } from "./graph.ts";
import { grantOf, grantsOf, namedGrants, right } from "./holdings.ts";

const rbac = "rbac.authorization.k8s.io";

/** Objects of which a controller makes pods as they are written. */
const podMakers = [
  "/pods",
  "/replicationcontrollers",
  "apps/deployments",
  "apps/daemonsets",
  "apps/statefulsets",
  "apps/replicasets",
  "batch/jobs",
  "batch/cronjobs",
  "kubeflow.org/notebooks",
  "kubeflow.org/pytorchjobs",
  "ray.io/rayclusters",
  "ray.io/rayjobs",
  "ray.io/rayservices",
  "serving.kserve.io/inferenceservices",
  "serving.knative.dev/services",
  "argoproj.io/workflows",
  "tekton.dev/taskruns",
  "tekton.dev/pipelineruns",
];

/** Controllers that apply what tenants write, with rights of their own. */
const deputies: readonly { readonly name: string; readonly resources: readonly string[]; readonly account: string }[] = [
  { name: "Flux", resources: ["kustomize.toolkit.fluxcd.io/kustomizations"], account: "kustomize-controller" },
  { name: "Flux", resources: ["helm.toolkit.fluxcd.io/helmreleases"], account: "helm-controller" },
  { name: "Argo CD", resources: ["argoproj.io/applications"], account: "argocd-application-controller" },
  { name: "Kubeflow", resources: ["kubeflow.org/profiles"], account: "profiles-controller-service-account" },
  { name: "Velero", resources: ["velero.io/restores"], account: "velero" },
];

/** What rights in one namespace lead to; in the whole cluster (`""`), to every namespace. */
export function namespaceSteps(world: RbacWorld, from: Place, namespace: string, held: readonly HeldRule[]): Step[] {
  const place = (what: NamespacePlace): Place => (namespace === "" ? { kind: "everywhere", what } : { kind: what, namespace });
  const where = namespace === "" ? "any namespace" : namespace;
  const steps: Step[] = [];
  const add = (to: Place, technique: string, says: string, grants: readonly HeldRule[] | HeldRule | undefined) => {
    if (grants !== undefined) steps.push({ from, to, technique, says, grants: "rule" in grants ? [grants] : grants });
  };
  add(place("own"), "everything", `may do everything in ${where}`, grantOf(held, right("*", "*/*")));
  if (steps.length > 0) return steps;
  add(place("run"), "create-pods", `creates pods in ${where}`, grantOf(held, right("create", ...podMakers)));
  add(
    place("run"),
    "change-pods",
    `changes what makes pods in ${where}`,
    grantOf(held, right("update,patch", ...podMakers.slice(1))),
  );
  add(place("enter"), "change-pods", `changes the image of pods in ${where}`, grantOf(held, right("update,patch", "/pods")));
  add(place("enter"), "exec", `runs commands in pods of ${where}`, grantOf(held, right("create", "/pods/exec", "/pods/attach")));
  add(
    place("enter"),
    "ephemeral-container",
    `adds containers to pods of ${where}`,
    grantOf(held, right("update,patch", "/pods/ephemeralcontainers")),
  );
  add(
    place("own"),
    "escalate",
    `writes any rule into a Role of ${where}`,
    grantsOf(held, right("escalate", `${rbac}/roles`), right("update,patch", `${rbac}/roles`)) ?? escalateOwn(held, "roles"),
  );
  const bind = bindGrants(held, "rolebindings", world.allPowerfulRoles.get(namespace));
  add(place("own"), "bind", `binds a role with every right to itself in ${where}`, bind);
  const account = (name: string): Place => ({ kind: "account", user: serviceAccountUser(namespace, name) });
  const every = place("accounts");
  for (const [technique, says, wanted] of [
    ["token-request", "issues tokens of service accounts", right("create", "/serviceaccounts/token")],
    ["impersonate", "impersonates service accounts", right("impersonate", "/serviceaccounts")],
  ] as const) {
    add(every, technique, `${says} of ${where}`, grantOf(held, wanted));
    if (namespace !== "")
      for (const [name, grant] of namedGrants(held, wanted)) add(account(name), technique, `${says}: ${name}`, grant);
  }
  add(
    every,
    "mint-token",
    `creates token secrets in ${where} and reads them`,
    grantsOf(held, right("create", "/secrets"), right("get,list,watch", "/secrets")),
  );
  for (const token of world.tokens.filter((t) => namespace === "" || t.namespace === namespace)) {
    add(
      { kind: "account", user: tokenUser(token) },
      "token-secret",
      `reads the token in Secret ${token.namespace}/${token.name}`,
      secretGrant(held, token.name),
    );
  }
  for (const deputy of deputies) {
    const grant = grantOf(held, right("create,update,patch", ...deputy.resources));
    for (const user of grant === undefined ? [] : (world.accountsByName.get(deputy.account) ?? [])) {
      add({ kind: "account", user }, "deputy", `has ${deputy.name}'s controller apply what it writes`, grant);
    }
  }
  const aws = right("update,patch", "/configmaps");
  if (world.awsAuth && (namespace === "" || namespace === "kube-system")) {
    const grant = grantOf(held, aws) ?? namedGrants(held, aws).find(([name]) => name === "aws-auth")?.[1];
    add({ kind: "cluster-admin" }, "aws-auth", "maps a cloud role to system:masters in ConfigMap kube-system/aws-auth", grant);
  }
  return steps;
}

function tokenUser({ namespace, serviceAccount }: TokenSecret): string {
  return serviceAccountUser(namespace, serviceAccount);
}

function secretGrant(held: readonly HeldRule[], secret: string): HeldRule | undefined {
  const read = right("get,list,watch", "/secrets");
  return grantOf(held, read) ?? namedGrants(held, read).find(([name]) => name === secret)?.[1];
}
