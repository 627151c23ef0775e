import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "../cluster/start.ts";

const cluster = await startCluster();
const main = join(import.meta.dirname, "../../src/cli/main.ts");
const folder = mkdtempSync(join(tmpdir(), "castellan-rbac-"));
const at = (name: string) => join(folder, name);

const start = `
apiVersion: v1
kind: Namespace
metadata: {name: team-a}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: team-a}
rules: [{apiGroups: [""], resources: [pods, secrets], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: team-a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: developers}]
`;

const proposal = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: team-a}
rules: [{apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bob-views}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: bob}]
`;

describe.skipIf(!cluster.available)("rights of a live cluster", () => {
  const kubeconfig = cluster.available ? cluster.kubeconfig : "";
  const kubectl = (args: readonly string[], input?: string) => {
    if (!cluster.available) throw new Error("no cluster");
    return spawnSync(cluster.kubectl, ["--kubeconfig", kubeconfig, ...args], {
      encoding: "utf8",
      ...(input === undefined ? {} : { input }),
    });
  };
  const rbac = (...argv: readonly string[]) =>
    spawnSync(process.execPath, [main, "rbac", ...argv], { encoding: "utf8", env: { ...process.env, KUBECONFIG: kubeconfig } });

  beforeAll(() => {
    writeFileSync(at("proposal.yaml"), proposal);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    if (cluster.available) await cluster.stop();
  });

  test("what Kubernetes gives to itself is no finding", () => {
    const { status, stdout } = rbac("audit", "--cluster");
    expect(stdout).toContain("No findings");
    expect(status).toBe(0);
    expect(rbac("audit", "--cluster", "--include-system").status).toBe(1);
  });

  test("can-i answers as the server does", () => {
    if (!cluster.available) return;
    execFileSync(cluster.kubectl, ["--kubeconfig", kubeconfig, "apply", "-f", "-"], { input: start });
    const questions = [
      ["get", "pods"],
      ["get", "pods/log"],
      ["delete", "pods"],
      ["list", "secrets"],
      ["get", "po/x"],
      ["create", "deploy"],
      ["get", "/healthz"],
      ["get", "/metrics"],
      ["create", "selfsubjectaccessreviews.authorization.k8s.io"],
    ] as const;
    const who = ["--as", "alice", "--as-group", "developers"] as const;
    const ours = questions.map(
      ([verb, what]) => rbac("can-i", verb, what, ...who, "-n", "team-a", "--cluster").stdout.split("\n")[0],
    );
    const theirs = questions.map(([verb, what]) => kubectl(["auth", "can-i", verb, what, ...who, "-n", "team-a"]).stdout.trim());
    expect(ours).toEqual(theirs);
    expect(ours).toContain("yes");
    expect(ours).toContain("no");
  }, 120_000);

  test("apply previews, applies and puts back", () => {
    const roles = () =>
      kubectl(["get", "roles,clusterrolebindings", "-n", "team-a", "-o", "jsonpath={.items[*].metadata.name} {.items[0].rules}"])
        .stdout;
    const before = roles();
    const preview = rbac("apply", at("proposal.yaml"));
    expect(preview.stdout).toContain(
      "Group developers in namespace team-a\n  + get, list on pods/log (core)\n  - get, list on secrets (core)\n",
    );
    expect(preview.stdout).toContain("it agrees");
    expect(preview.status).toBe(0);
    expect(roles()).toBe(before);

    const undo = at("undo.yaml");
    const applied = rbac("apply", at("proposal.yaml"), "--dry-run=none", "--undo-file", undo);
    expect(applied.stderr).toBe("");
    expect(roles()).not.toBe(before);
    expect(
      kubectl(["auth", "can-i", "list", "secrets", "-n", "team-a", "--as", "alice", "--as-group", "developers"]).stdout.trim(),
    ).toBe("no");
    expect(readFileSync(undo, "utf8")).toContain("bob-views");
    // An undo file that is there may be the only way back.
    expect(rbac("apply", at("proposal.yaml"), "--dry-run=none", "--undo-file", undo).status).toBe(3);

    expect(rbac("apply", undo, "--dry-run=none").status).toBe(0);
    expect(roles()).toBe(before);
  }, 60_000);

  test("whoever may not grant it is refused, and told", () => {
    const { status, stderr } = rbac("apply", at("proposal.yaml"), "--context", "alice");
    expect(status).toBe(2);
    expect(stderr).not.toBe("");
  });
});
