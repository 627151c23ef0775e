import { describe, expect, test } from "vitest";
import { Identities } from "../identities.ts";
import { bound, type RuleText, worldOf } from "../world.testing.ts";
import { escalationPaths, parsePlace } from "./paths.ts";

const rule = (verbs: string, on: string, names?: string): RuleText => ({ verbs, on, ...(names === undefined ? {} : { names }) });
const rbac = "rbac.authorization.k8s.io";

/** A service account `b/boss` that is the administrator, and a pod that runs as it. */
const boss = `${bound("boss", [rule("*", "*/*")], ["ServiceAccount=b/boss"])}---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: b}
spec: {serviceAccountName: boss, containers: []}
`;

function ways(yaml: string, to = "cluster-admin", from = "a/me"): string[] {
  const { paths } = escalationPaths(worldOf(yaml), new Identities(), { from: parsePlace(from), to: parsePlace(to) });
  return paths.flatMap((path) => path.hops.map((hop) => `${hop.techniques.join("+")} > ${hop.to}`));
}

const me = ["ServiceAccount=a/me"];
const takes = (...techniques: string[]) => [`${techniques.join("+")} > ServiceAccount b/boss`, "everything > cluster-admin"];

describe("escalationPaths", () => {
  test.each<[string, readonly RuleText[], string, readonly string[]]>([
    ["escalate and write", [rule("escalate,patch", `${rbac}/clusterroles`)], "", ["escalate > cluster-admin"]],
    ["escalate without write", [rule("escalate", `${rbac}/clusterroles`)], "", []],
    [
      "bind and create",
      [rule("bind", `${rbac}/clusterroles`), rule("create", `${rbac}/clusterrolebindings`)],
      "",
      ["bind > cluster-admin"],
    ],
    [
      "bind of cluster-admin by name",
      [rule("bind", `${rbac}/clusterroles`, "cluster-admin"), rule("create", `${rbac}/clusterrolebindings`)],
      "",
      ["bind > cluster-admin"],
    ],
    [
      "bind of a harmless role",
      [rule("bind", `${rbac}/clusterroles`, "view"), rule("create", `${rbac}/clusterrolebindings`)],
      "",
      [],
    ],
    [
      "create bindings without bind: the API server refuses what one does not hold",
      [rule("create", `${rbac}/clusterrolebindings`)],
      "",
      [],
    ],
    ["impersonate groups and users", [rule("impersonate", "/users,/groups")], "", ["impersonate-masters > cluster-admin"]],
    ["impersonate one group", [rule("impersonate", "/users"), rule("impersonate", "/groups", "dev")], "", []],
    [
      "webhooks",
      [rule("patch", "admissionregistration.k8s.io/mutatingwebhookconfigurations")],
      "",
      ["mutating-webhook > cluster-admin"],
    ],
    [
      "validating webhooks see, but change nothing",
      [rule("patch", "admissionregistration.k8s.io/validatingwebhookconfigurations")],
      "",
      [],
    ],
    [
      "approval of a client certificate",
      [
        rule("create", "certificates.k8s.io/certificatesigningrequests"),
        rule("update", "certificates.k8s.io/certificatesigningrequests/approval"),
        rule("approve", "certificates.k8s.io/signers", "kubernetes.io/kube-apiserver-client"),
      ],
      "",
      ["approve-certificate > cluster-admin"],
    ],
    [
      "approval by another signer",
      [
        rule("create", "certificates.k8s.io/certificatesigningrequests"),
        rule("update", "certificates.k8s.io/certificatesigningrequests/approval"),
        rule("approve", "certificates.k8s.io/signers", "example.com/own"),
      ],
      "",
      [],
    ],
    ["tokens", [rule("create", "/serviceaccounts/token")], "b", takes("token-request", "account")],
    ["tokens by name", [rule("create", "/serviceaccounts/token", "boss")], "b", takes("token-request")],
    ["tokens of another", [rule("create", "/serviceaccounts/token", "clerk")], "b", []],
    ["tokens in another namespace", [rule("create", "/serviceaccounts/token")], "a", []],
    ["minted token secrets", [rule("create,get", "/secrets")], "b", takes("mint-token", "account")],
    ["reading secrets without tokens in them", [rule("list", "/secrets")], "b", []],
    ["pods", [rule("create", "/pods")], "b", takes("create-pods", "run-as")],
    ["a notebook is a pod", [rule("create", "kubeflow.org/notebooks")], "b", takes("create-pods", "run-as")],
    ["pods in every namespace", [rule("create", "batch/jobs")], "", takes("create-pods", "namespace", "run-as")],
    ["exec", [rule("create", "/pods/exec")], "b", takes("exec", "token-in-pod")],
    ["pods/* is not exec", [rule("create", "/pods/*")], "b", []],
    ["ephemeral containers", [rule("patch", "/pods/ephemeralcontainers")], "b", takes("ephemeral-container", "token-in-pod")],
    [
      "kubelet",
      [rule("get", "/nodes/proxy")],
      "",
      ["kubelet > a node", "token-on-node > ServiceAccount b/boss", "everything > cluster-admin"],
    ],
    ["the whole namespace", [rule("*", "*/*")], "b", takes("everything", "run", "run-as")],
  ])("%s", (_, rules, namespace, want) => expect(ways(boss + bound("mine", rules, me, namespace))).toEqual(want));

  test("a token secret is read by whoever reads secrets", () => {
    const secret = `---
apiVersion: v1
kind: Secret
metadata: {name: t, namespace: b, annotations: {kubernetes.io/service-account.name: boss}}
type: kubernetes.io/service-account-token
`;
    expect(ways(boss + secret + bound("mine", [rule("get", "/secrets", "t")], me, "b"))).toEqual(takes("token-secret"));
    expect(ways(boss + secret + bound("mine", [rule("get", "/secrets", "other")], me, "b"))).toEqual([]);
  });

  test("a controller that applies what tenants write", () => {
    const flux = `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: kustomize-controller, namespace: flux-system}
`;
    const rights = bound("flux", [rule("*", "*/*")], ["ServiceAccount=flux-system/kustomize-controller"]);
    const mine = bound("mine", [rule("create", "kustomize.toolkit.fluxcd.io/kustomizations")], me, "a");
    const want = ["deputy > ServiceAccount flux-system/kustomize-controller", "everything > cluster-admin"];
    expect(ways(rights + flux + mine)).toEqual(want);
    expect(ways(rights + mine)).toEqual([]);
  });

  test("a privileged pod where no label forbids it", () => {
    const mine = bound("mine", [rule("create", "/pods")], me, "a");
    const namespace = (level: string) => `---
apiVersion: v1
kind: Namespace
metadata: {name: a, labels: {pod-security.kubernetes.io/enforce: ${level}}}
`;
    expect(ways(mine + namespace("privileged"), "node")).toEqual(["create-pods+privileged-pod > a node"]);
    expect(ways(mine + namespace("baseline"), "node")).toEqual([]);
  });

  test("the keys of a control plane that the cluster shows", () => {
    const mine = bound("mine", [rule("create", "/pods")], me, "a");
    const node = (label: string) => `---
apiVersion: v1
kind: Node
metadata: {name: cp-1, labels: {${label}: ""}}
`;
    expect(ways(mine + node("node-role.kubernetes.io/control-plane"))).toEqual([
      "create-pods+privileged-pod+control-plane-keys > cluster-admin",
    ]);
    expect(ways(mine + node("node-role.kubernetes.io/worker"))).toEqual([]);
  });

  test("the map of cloud roles", () => {
    const map = `---
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
`;
    const mine = (names: string, namespace: string) => bound("mine", [rule("patch", "/configmaps", names)], me, namespace);
    expect(ways(map + mine("aws-auth", "kube-system"))).toEqual(["aws-auth > cluster-admin"]);
    expect(ways(map + mine("coredns", "kube-system"))).toEqual([]);
    expect(ways(map + mine("aws-auth", "a"))).toEqual([]);
    expect(ways(mine("aws-auth", "kube-system"))).toEqual([]);
  });

  test("a role that its holder may rewrite", () => {
    const rewrite = (name: string, namespace = "") =>
      bound(
        "mine",
        [rule("escalate,update", `rbac.authorization.k8s.io/${namespace === "" ? "clusterroles" : "roles"}`, name)],
        me,
        namespace,
      );
    expect(ways(rewrite("mine"))).toEqual(["escalate > cluster-admin"]);
    expect(ways(rewrite("another"))).toEqual([]);
    expect(ways(boss + rewrite("mine", "b"))).toEqual(takes("escalate", "run", "run-as"));
    expect(ways(boss + rewrite("another", "b"))).toEqual([]);
  });

  test("rights of a group are its members'", () => {
    const world = worldOf(bound("mine", [rule("impersonate", "/users,/groups")], ["Group=dev"]));
    const from = (identities: Identities, who: string) =>
      escalationPaths(world, identities, { from: parsePlace(who), to: parsePlace("cluster-admin") }).paths.length;
    expect(from(new Identities(), "group:dev")).toBe(1);
    expect(from(new Identities(), "ada")).toBe(0);
    expect(from(new Identities(new Map([["ada", ["dev"]]])), "ada")).toBe(1);
  });

  test("the binding to cut", () => {
    const two = ["ServiceAccount=a/me", "ServiceAccount=a/you"];
    const yaml =
      boss +
      bound("shared", [rule("create", "/serviceaccounts/token", "boss")], two, "b") +
      bound("other", [rule("create", "/pods/exec")], ["User=eve"], "b");
    const { already, paths, cuts } = escalationPaths(worldOf(yaml), new Identities(), {
      from: undefined,
      to: { kind: "cluster-admin" },
    });
    expect(already).toEqual(["ServiceAccount b/boss"]);
    expect(paths.map((p) => p.from)).toEqual(["User eve", "ServiceAccount a/me", "ServiceAccount a/you"]);
    expect(cuts.slice(0, 2)).toEqual([
      { binding: "ClusterRoleBinding boss", breaks: 4 },
      { binding: "RoleBinding b/shared", breaks: 2 },
    ]);
  });
});
