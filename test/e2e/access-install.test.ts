import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "../cluster/start.ts";

const cluster = await startCluster();
const main = join(import.meta.dirname, "../../src/cli/main.ts");
const folder = mkdtempSync(join(tmpdir(), "castellan-install-"));

const base = `
${["prod-a", "prod-b", "dev"].map((name) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {tier: ${name === "dev" ? "dev" : "prod"}}}\n---`).join("\n")}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: scaler}
rules: [{apiGroups: [apps], resources: [deployments/scale], verbs: [get, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: node-reader}
rules: [{apiGroups: [""], resources: [nodes], verbs: [get]}]
`;

const rule = (name: string, more: string) => `
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: ${name}}
spec:
  requesters: {groups: [dev]}
  verbs: [get, patch]
  resources: [{apiGroups: [apps], resources: [deployments/scale]}]
  maxDuration: 1h
  approvals: [{from: ["group:oncall"]}]
${more}
`;

const scale = rule("scale", `  namespaces: [prod-a]\n  role: {kind: ClusterRole, name: scaler}`);
const selected = rule("selected", `  namespaceSelector: {matchLabels: {tier: prod}}\n  role: {kind: ClusterRole, name: scaler}`);
const everywhere = rule("nodes", "  role: {kind: ClusterRole, name: node-reader}");
const admin = rule("admin", `  namespaces: [dev]\n  role: {kind: ClusterRole, name: cluster-admin}`);
const everything = rule("everything", "  role: {kind: ClusterRole, name: cluster-admin}");
const broken = rule("broken", `  namespaces: [dev]\n  role: {kind: ClusterRole, name: nowhere}`);

const undoFile = join(folder, "castellan-undo.yaml");

function install(rules: string, ...flags: readonly string[]) {
  const ran = installKeepingUndo(rules, ...flags);
  rmSync(undoFile, { force: true });
  return ran;
}

function installKeepingUndo(rules: string, ...flags: readonly string[]) {
  if (!cluster.available) throw new Error("no cluster");
  const file = join(folder, "rules.yaml");
  writeFileSync(file, rules);
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "access", "install", "-f", file, ...flags], {
    cwd: folder,
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

function kubectl(...argv: readonly string[]): string {
  if (!cluster.available) throw new Error("no cluster");
  return execFileSync(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, ...argv], { encoding: "utf8", input: base });
}

function can(group: string, namespace: string, ...what: readonly string[]): boolean {
  if (!cluster.available) throw new Error("no cluster");
  const asked = ["auth", "can-i", ...what, "-n", namespace, "--as", "somebody", "--as-group", group];
  return spawnSync(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, ...asked], { encoding: "utf8" }).stdout.trim() === "yes";
}

const bindings = () =>
  kubectl(
    "get",
    "rolebindings,clusterrolebindings",
    "-A",
    "-l",
    "castellan.dev/access-rule",
    "-o",
    "jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{'\\n'}{end}",
  )
    .split("\n")
    .filter((line) => line !== "")
    .sort();

beforeAll(() => {
  if (cluster.available) kubectl("apply", "-f", "-");
});

afterAll(async () => {
  if (cluster.available) await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!cluster.available)("castellan access install", () => {
  test("shows what would be bound, and stores nothing", () => {
    const { status, out } = install(scale);
    expect([status, out]).toEqual([0, expect.stringContaining("Group castellan:grant:scale in namespace prod-a")]);
    expect(out).toContain("castellan access install ... --yes");
    expect(bindings()).toEqual([]);
  });

  test("binds the groups of grants where the rules say, and nobody else gains anything", () => {
    const { status, out, err } = install([scale, selected, everywhere].join("---"), "--yes");
    expect([status, err]).toEqual([0, expect.stringContaining("install again")]);
    expect(out).toContain("it agrees");
    expect(bindings()).toEqual([
      "ClusterRoleBinding//castellan-grant-nodes",
      "RoleBinding/prod-a/castellan-grant-scale",
      "RoleBinding/prod-a/castellan-grant-selected",
      "RoleBinding/prod-b/castellan-grant-selected",
    ]);
    expect(can("castellan:grant:scale", "prod-a", "patch", "deployments", "--subresource=scale")).toBe(true);
    expect(can("castellan:grant:scale", "prod-b", "patch", "deployments", "--subresource=scale")).toBe(false);
    expect(can("castellan:grant:scale", "prod-a", "delete", "pods")).toBe(false);
    expect(can("dev", "prod-a", "patch", "deployments", "--subresource=scale")).toBe(false);
  });

  test("once more there is nothing to do, and the undo file stays the way back to what was before", () => {
    const rules = [scale, everywhere].join("---");
    expect(installKeepingUndo(rules, "--yes")).toMatchObject({ status: 0, out: expect.stringContaining("2 objects as wanted") });
    const undo = readFileSync(undoFile, "utf8");
    // Of what was taken away, and of nothing that stayed as it was.
    expect(undo).toContain("castellan-grant-selected");
    expect(undo).not.toMatch(/castellan-grant-(scale|nodes)/);
    for (const flags of [["--yes"], []]) {
      expect(installKeepingUndo(rules, ...flags)).toEqual({
        status: 0,
        out: "Nothing to do: 2 objects as wanted already.\n",
        err: "",
      });
      expect(readFileSync(undoFile, "utf8")).toBe(undo);
    }
    // Somebody changed one of them: that one is put right, and no other.
    kubectl("label", "rolebinding", "castellan-grant-scale", "-n", "prod-a", "--overwrite", "app.kubernetes.io/managed-by=me");
    rmSync(undoFile);
    const { status, out } = installKeepingUndo(rules, "--yes");
    expect([status, out]).toEqual([0, expect.stringMatching(/updated RoleBinding .*castellan-grant-scale/)]);
    expect(out).toContain("1 object as wanted already");
    expect(readFileSync(undoFile, "utf8")).not.toContain("castellan-grant-nodes");
    rmSync(undoFile);
  });

  test("what no rule wants any more is taken away", () => {
    expect(install(scale, "--yes")).toMatchObject({ status: 0 });
    expect(bindings()).toEqual(["RoleBinding/prod-a/castellan-grant-scale"]);
  });

  test("T06: a grant that leads to the whole cluster is refused unless somebody says that it may", () => {
    const refused = install(everything, "--yes");
    expect([refused.status, refused.err]).toEqual([1, expect.stringContaining("--accept-risk everything")]);
    expect(bindings()).toEqual(["RoleBinding/prod-a/castellan-grant-scale"]);
    expect(install(everything, "--accept-risk", "everything")).toMatchObject({ status: 0 });
  });

  test("a role that does not exist is told, not bound", () => {
    const { status, err } = install(broken, "--yes");
    expect([status, err]).toEqual([1, expect.stringContaining("nowhere")]);
  });

  test("everything in one namespace is no path to the cluster by itself", () => {
    const { status, err } = install(admin);
    expect([status, err]).toEqual([0, ""]);
  });

  test("T56: the gateway's account may act as people in the ways that are constrained, and do nothing itself", () => {
    kubectl("create", "namespace", "castellan");
    kubectl("create", "serviceaccount", "gate", "-n", "castellan");
    const { status, err } = install(scale, "--gateway", "castellan/gate", "--yes");
    expect([status, err]).toEqual([0, ""]);
    const account = "system:serviceaccount:castellan:gate";
    const asGate = (...what: readonly string[]) => {
      if (!cluster.available) return false;
      const { stdout } = spawnSync(
        cluster.kubectl,
        ["--kubeconfig", cluster.kubeconfig, "auth", "can-i", ...what, "-A", "--as", account],
        { encoding: "utf8" },
      );
      return stdout.trim() === "yes";
    };
    expect([
      asGate("get", "secrets"),
      asGate("create", "pods"),
      asGate("impersonate", "users"),
      asGate("impersonate", "groups"),
    ]).toEqual([false, false, false, false]);
    expect(existsSync(join(folder, "castellan-undo.yaml"))).toBe(false);
  });
});
