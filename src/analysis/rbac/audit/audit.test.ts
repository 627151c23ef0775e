import { describe, expect, test } from "vitest";
import { bound, defaultsFrom, type RuleText, worldOf } from "../world.testing.ts";
import { auditRbac } from "./audit.ts";

const admin = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin, labels: {kubernetes.io/bootstrapping: rbac-defaults}}
rules:
- {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
`;
const adminBinding = (subjects: string) => `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: cluster-admin}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [${subjects}]
`;
const masters = "{kind: Group, name: system:masters}";
const defaults = defaultsFrom(`${admin}---\n${adminBinding(masters)}`);

function says(yaml: string, complete = false): string[] {
  return auditRbac(worldOf(yaml, { defaults, complete })).map(
    (f) => `${f.check.policy.slice(5)} ${f.check.rule} ${f.severity} ${f.resource.kind}`,
  );
}

const rule = (verbs: string, on: string, names?: string): RuleText => ({ verbs, on, ...(names === undefined ? {} : { names }) });
const agent = ["ServiceAccount=a/agent"];

describe("rights", () => {
  test.each<[string, readonly RuleText[], readonly string[]]>([
    ["secrets by list", [rule("list", "/secrets")], ["secrets cluster high ClusterRole"]],
    ["one secret by name", [rule("get", "/secrets", "api-key")], []],
    ["secrets of another group", [rule("get", "vault.example/secrets")], []],
    ["write secrets only", [rule("create", "/secrets")], []],
    ["pods/exec", [rule("create", "/pods/exec")], ["exec cluster high ClusterRole"]],
    ["*/exec", [rule("create", "/*/exec")], ["exec cluster high ClusterRole"]],
    ["pods/* is no subresource", [rule("create", "/pods/*")], []],
    ["reading exec", [rule("get", "/pods/exec")], []],
    ["nodes/proxy by get", [rule("get", "/nodes/proxy")], ["node-proxy cluster critical ClusterRole"]],
    ["nodes alone", [rule("get", "/nodes")], []],
    ["escalate", [rule("escalate", "rbac.authorization.k8s.io/clusterroles")], ["escalate cluster critical ClusterRole"]],
    ["bind", [rule("bind", "rbac.authorization.k8s.io/clusterroles")], ["bind cluster critical ClusterRole"]],
    ["bind of a named role", [rule("bind", "rbac.authorization.k8s.io/clusterroles", "view")], []],
    ["impersonate", [rule("impersonate", "/users")], ["impersonate cluster critical ClusterRole"]],
    ["tokens", [rule("create", "/serviceaccounts/token")], ["token-request cluster critical ClusterRole"]],
    ["approval without the signer", [rule("update", "certificates.k8s.io/certificatesigningrequests/approval")], []],
    [
      "approval with the signer",
      [rule("update", "certificates.k8s.io/certificatesigningrequests/approval"), rule("approve", "certificates.k8s.io/signers")],
      ["approve-certificates cluster critical ClusterRole"],
    ],
    [
      "approval with one signer by name",
      [
        rule("update", "certificates.k8s.io/certificatesigningrequests/approval"),
        rule("approve", "certificates.k8s.io/signers", "example.com/mine"),
      ],
      [],
    ],
    [
      "approval with the signer of users by name",
      [
        rule("update", "certificates.k8s.io/certificatesigningrequests/approval"),
        rule("approve", "certificates.k8s.io/signers", "kubernetes.io/kube-apiserver-client"),
      ],
      ["approve-certificates cluster critical ClusterRole"],
    ],
    [
      "signing for users by name",
      [
        rule("update", "certificates.k8s.io/certificatesigningrequests/status"),
        rule("sign", "certificates.k8s.io/signers", "kubernetes.io/kube-apiserver-client"),
      ],
      ["sign-certificates cluster critical ClusterRole"],
    ],
    ["masters by name", [rule("impersonate", "/groups", "system:masters")], ["impersonate cluster critical ClusterRole"]],
    ["a group by name", [rule("impersonate", "/groups", "readers")], []],
    [
      "cluster-admin by name",
      [rule("bind", "rbac.authorization.k8s.io/clusterroles", "cluster-admin")],
      ["bind cluster critical ClusterRole"],
    ],
    [
      "escalate one role",
      [rule("escalate", "rbac.authorization.k8s.io/clusterroles", "mine")],
      ["escalate cluster critical ClusterRole"],
    ],
    ["the kubelet of one node", [rule("get", "/nodes/proxy", "node-1")], ["node-proxy cluster critical ClusterRole"]],
    ["pods/portforward", [rule("create", "/pods/portforward")], ["port-forward cluster medium ClusterRole"]],
    ["reading portforward", [rule("get", "/pods/portforward")], []],
    [
      "secrets read and made",
      [rule("create,get", "/secrets")],
      ["secrets cluster high ClusterRole", "secrets-write cluster high ClusterRole"],
    ],
    ["evict without nodes", [rule("create", "/pods/eviction")], []],
    ["pods deleted and nodes, too", [rule("delete", "/pods,/nodes")], ["steal-pods cluster medium ClusterRole"]],
    ["evict and taint", [rule("create", "/pods/eviction"), rule("patch", "/nodes")], ["steal-pods cluster medium ClusterRole"]],
    ["everything comes alone", [rule("*", "*/*")], ["cluster-admin cluster critical ClusterRole"]],
    ["reading pods", [rule("get,list,watch", "/pods")], []],
  ])("%s", (_, rules, want) => expect(says(bound("r", rules, agent))).toEqual(want));

  test.each<[string, RuleText, readonly string[]]>([
    ["users", rule("impersonate", "/users"), []],
    ["service accounts", rule("impersonate", "/serviceaccounts"), ["impersonate namespace high Role"]],
    ["escalate cluster roles", rule("escalate", "rbac.authorization.k8s.io/clusterroles"), []],
    ["escalate roles", rule("escalate", "rbac.authorization.k8s.io/roles"), ["escalate namespace high Role"]],
    ["bind cluster roles", rule("bind", "rbac.authorization.k8s.io/clusterroles"), ["bind namespace high Role"]],
    ["the kubelet", rule("get", "/nodes/proxy"), []],
  ])("what belongs to no namespace is not given in one: %s", (_, text, want) => {
    expect(says(bound("r", [text], agent, "a"))).toEqual(want);
  });

  test("in one namespace a right is less, and creating pods is none", () => {
    expect(says(bound("r", [rule("list", "/secrets"), rule("create", "/pods")], agent, "a"))).toEqual([
      "secrets namespace medium Role",
    ]);
  });

  test("a role that nobody holds has no rights", () => {
    expect(says(bound("r", [rule("list", "/secrets")], []))).toEqual([]);
  });

  test("a default role is judged at the binding that hands it out", () => {
    const binding = `${adminBinding("{kind: User, name: eve}")}`.replace("name: cluster-admin}\nroleRef", "name: mine}\nroleRef");
    expect(says(binding)).toEqual(["cluster-admin cluster critical ClusterRoleBinding"]);
  });

  test("parts that come from two roles", () => {
    const one = bound("one", [rule("update", "certificates.k8s.io/certificatesigningrequests/approval")], agent);
    const two = bound("two", [rule("approve", "certificates.k8s.io/signers")], agent);
    expect(says(one + two)).toEqual(["approve-certificates combined critical ClusterRoleBinding"]);
    expect(says(one + bound("two", [rule("approve", "certificates.k8s.io/signers")], ["User=other"]))).toEqual([]);
  });

  test("the evidence names rule and bindings", () => {
    const [finding] = auditRbac(worldOf(bound("r", [rule("get", "/pods"), rule("list", "/secrets")], agent), { defaults }));
    expect(finding).toMatchObject({
      path: ["rules", 1],
      message: "ServiceAccount a/agent may read secrets in the whole cluster: list on secrets (core).",
      evidence: { rules: ["list on secrets (core)"], bindings: ["ClusterRoleBinding r"] },
    });
  });
});

describe("certificates", () => {
  const request = (signer: string, user: string, condition: string) => `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: csr}
spec: {signerName: kubernetes.io/${signer}, username: "${user}", request: ""}
status: {conditions: [{type: ${condition}, status: "True"}]}
`;
  const account = "system:serviceaccount:a:builder";
  test.each<[string, string, readonly string[]]>([
    [
      "of a workload",
      request("kube-apiserver-client", account, "Approved"),
      ["issued-certificate workload high CertificateSigningRequest"],
    ],
    ["of a person", request("kube-apiserver-client", "ada", "Approved"), []],
    ["of a kubelet", request("kube-apiserver-client-kubelet", "system:bootstrap:abc", "Approved"), []],
    ["denied", request("kube-apiserver-client", account, "Denied"), []],
    ["not judged yet", request("kube-apiserver-client", account, "Pending"), []],
    [
      "of the legacy signer",
      request("legacy-unknown", "ada", "Pending"),
      ["issued-certificate legacy-signer medium CertificateSigningRequest"],
    ],
  ])("%s", (_, yaml, want) => expect(says(yaml)).toEqual(want));
});

describe("wildcards", () => {
  test.each<[string, RuleText, string, readonly string[]]>([
    ["verbs", rule("*", "example.com/things"), "", ["wildcard verbs low ClusterRole"]],
    ["resources of one's own group", rule("get", "example.com/*"), "", ["wildcard resources low ClusterRole"]],
    ["built-in resources", rule("create", "apps/*"), "a", ["wildcard resources medium Role"]],
    ["groups", rule("delete", "*/things"), "", ["wildcard groups high ClusterRole"]],
  ])("%s", (_, text, namespace, want) => {
    expect(says(bound("r", [text], agent, namespace)).filter((s) => s.startsWith("wildcard"))).toEqual(want);
  });
});

describe("bindings", () => {
  const toRole = (role: string, subject: string) => `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: a}
roleRef: {kind: Role, name: ${role}}
subjects: [${subject}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: a}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
`;

  test.each<[string, string, boolean, readonly string[]]>([
    ["a user", toRole("reader", "{kind: User, name: ada}"), false, []],
    ["anonymous", toRole("reader", "{kind: User, name: system:anonymous}"), false, ["anonymous strangers high RoleBinding"]],
    ["everybody, harmless", toRole("reader", "{kind: Group, name: system:authenticated}"), false, []],
    [
      "a default account",
      toRole("reader", "{kind: ServiceAccount, name: default}"),
      false,
      ["default-service-account bound medium RoleBinding"],
    ],
    [
      "a misspelt role",
      toRole("raeder", "{kind: User, name: ada}"),
      false,
      ["missing-role misspelt medium RoleBinding", "unbound-role unbound low Role"],
    ],
    ["a role that files may not show", toRole("elsewhere", "{kind: User, name: ada}"), false, ["unbound-role unbound low Role"]],
    [
      "a role that is not in the cluster",
      toRole("elsewhere", "{kind: User, name: ada}"),
      true,
      ["missing-role missing medium RoleBinding", "unbound-role unbound low Role"],
    ],
    [
      "an account that is not in the cluster",
      toRole("reader", "{kind: ServiceAccount, name: gone}"),
      true,
      ["missing-subject service-account low RoleBinding"],
    ],
    ["an account that files may not show", toRole("reader", "{kind: ServiceAccount, name: gone}"), false, []],
  ])("%s", (_, yaml, complete, want) => expect(says(yaml, complete)).toEqual(want));

  test("everybody, with a dangerous right", () => {
    expect(says(bound("r", [rule("list", "/secrets")], ["Group=system:authenticated"]))).toContain(
      "anonymous users critical ClusterRoleBinding",
    );
  });
});

describe("roles", () => {
  const copy = (subjects: string[]) =>
    bound("one", [rule("get,list", "/configmaps")], ["User=ada"], "a") +
    bound("two", [rule("list,get", "/configmaps")], subjects, "a");

  test.each<[string, string[], readonly string[]]>([
    ["an unused copy", [], ["duplicate-role equal low Role"]],
    ["two roles of the same person", ["User=ada"], ["duplicate-role equal low Role"]],
    ["two people with a role each", ["User=eve"], []],
  ])("%s", (_, subjects, want) => expect(says(copy(subjects)).filter((s) => s.startsWith("duplicate"))).toEqual(want));

  test("Kubernetes' own are quiet until they are changed", () => {
    expect(says(`${admin}---\n${adminBinding(masters)}`, true)).toEqual([]);
    expect(says(`${admin}---\n${adminBinding(`${masters}, {kind: User, name: eve}`)}`, true)).toEqual([
      "cluster-admin cluster critical ClusterRoleBinding",
      "changed-default binding medium ClusterRoleBinding",
    ]);
    expect(says(`${admin}- {nonResourceURLs: ["/debug"], verbs: [get]}\n---\n${adminBinding(masters)}`, true)).toEqual([
      "changed-default role low ClusterRole",
    ]);
  });
});

describe("workloads", () => {
  const pod = (more: string) => `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: agent, namespace: a}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: a}
spec: {serviceAccountName: agent, ${more}containers: []}
`;

  test("an administrator's token in a pod", () => {
    const rights = bound("r", [rule("*", "*/*")], agent);
    expect(says(rights + pod(""))).toContain("mounted-token administrator low ServiceAccount");
    expect(says(rights + pod("automountServiceAccountToken: false, "))).not.toContain(
      "mounted-token administrator low ServiceAccount",
    );
  });
});
