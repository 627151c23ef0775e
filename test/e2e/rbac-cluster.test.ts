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

const carolReads = `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: carol-reads, namespace: team-b, labels: {team: b}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: carol}]
`;

const role = (name: string, rules: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: ${name}, namespace: team-b}
rules: [${rules}]
`;

const binding = (name: string, to: string, user: string) =>
  carolReads.replace("carol-reads", name).replace("name: reader", `name: ${to}`).replace("name: carol}", `name: ${user}}`);

/** Two roles that grant the same, and two that scanners take for more than they are. */
const teamB = [
  "apiVersion: v1\nkind: Namespace\nmetadata: {name: team-b}\n",
  role("reader", "{apiGroups: [''], resources: [pods], verbs: [get, list]}"),
  role("reader-too", "{apiGroups: [''], resources: [pods], verbs: [list]}, {apiGroups: [''], resources: [pods], verbs: [get]}"),
  carolReads,
  binding("dave-reads", "reader-too", "dave"),
  role("impersonator", "{apiGroups: [''], resources: [users, groups], verbs: [impersonate]}"),
  binding("impersonator", "impersonator", "alice"),
  role("binder", "{apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [create]}"),
  binding("binder", "binder", "bob"),
].join("---\n");

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
    // Once more there is nothing to do, and the way back stays the way back.
    const kept = readFileSync(undo, "utf8");
    for (const flags of [["--dry-run=none"], []]) {
      const again = rbac("apply", at("proposal.yaml"), ...flags, "--undo-file", undo);
      expect([again.status, again.stdout, again.stderr]).toEqual([
        0,
        expect.stringMatching(/^Nothing to do: \d objects? as wanted already\.\n$/),
        "",
      ]);
    }
    expect(readFileSync(undo, "utf8")).toBe(kept);
    // An undo file that is there may be the only way back.
    expect(rbac("apply", undo, "--dry-run=none", "--undo-file", undo).status).toBe(3);

    // The way back is a change like another: previewed, asked, and with a way back of its own.
    const back = rbac("apply", undo, "--dry-run=none", "--undo-file", at("redo.yaml"));
    expect(back.stderr).toBe("");
    expect(back.stdout).toContain("  - get, list on pods/log (core)\n");
    expect(back.stdout).toContain("deleted ClusterRoleBinding bob-views");
    expect(roles()).toBe(before);
  }, 60_000);

  const names = () =>
    kubectl(["get", "roles,rolebindings", "-n", "team-b", "-o", "name"])
      .stdout.trim()
      .split("\n")
      .filter((n) => n !== "");
  const may = (verb: string, what: string, user: string) =>
    kubectl(["auth", "can-i", verb, what, "-n", "team-b", "--as", user]).stdout.trim();

  test("a deletion is previewed, made, verified, and put back", () => {
    kubectl(["apply", "-f", "-"], teamB);
    const before = names();
    writeFileSync(
      at("delete.yaml"),
      `apiVersion: castellan.dev/v1alpha1
kind: RbacProposal
delete:
- {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: carol-reads, namespace: team-b}}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: gone, namespace: team-b}}
`,
    );
    const preview = rbac("apply", at("delete.yaml"));
    expect(preview.stdout).toContain("User carol in namespace team-b\n  - get, list on pods (core)\n");
    expect(preview.stdout).toContain("would delete RoleBinding team-b/carol-reads");
    expect(preview.stdout).toContain("Nothing was stored.");
    expect(names()).toEqual(before);

    const applied = rbac("apply", at("delete.yaml"), "--dry-run=none", "--undo-file", at("undelete.yaml"), "-o", "json");
    expect(applied.status).toBe(0);
    expect(JSON.parse(applied.stdout)).toMatchObject({
      dryRun: false,
      verifiedBefore: { asked: 2, left: 0, disagreements: [] },
      done: [{ action: "delete" }],
      unchanged: 1,
      verifiedAfter: { asked: 2, left: 0, disagreements: [] },
    });
    expect(may("list", "pods", "carol")).toBe("no");
    expect(rbac("apply", at("undelete.yaml"), "--dry-run=none", "--undo-file", at("again.yaml")).status).toBe(0);
    expect(may("list", "pods", "carol")).toBe("yes");
    expect(names()).toEqual(before);
  }, 60_000);

  test("what dedupe proposes takes nobody's rights", () => {
    const before = names();
    expect(rbac("dedupe", "--cluster", "--proposal", at("dedupe.yaml")).stdout).toContain("Proven");
    const applied = rbac("apply", at("dedupe.yaml"), "--dry-run=none", "--undo-file", at("undedupe.yaml"));
    expect(applied.stderr).toBe("");
    expect(applied.stdout).toContain("Nobody gains or loses a right.");
    expect(applied.stdout).toContain("deleted and created anew RoleBinding team-b/dave-reads");
    expect(names()).not.toContain("role.rbac.authorization.k8s.io/reader-too");
    for (const user of ["carol", "dave"]) expect(may("list", "pods", user)).toBe("yes");
    expect(rbac("apply", at("undedupe.yaml"), "--dry-run=none", "--undo-file", at("rededupe.yaml")).status).toBe(0);
    expect(names()).toEqual(before);
    for (const user of ["carol", "dave"]) expect(may("list", "pods", user)).toBe("yes");
  }, 60_000);

  test("what least-privilege learns takes the place of what was too much", () => {
    const event = {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "Metadata",
      stage: "ResponseComplete",
      verb: "get",
      user: { username: "dave", groups: ["system:authenticated"] },
      objectRef: { resource: "pods", namespace: "team-b", apiVersion: "v1", name: "p" },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z",
    };
    writeFileSync(at("audit.log"), `${JSON.stringify(event)}\n`);
    const learned = rbac(
      "least-privilege",
      "--audit-log",
      at("audit.log"),
      "--subject",
      "dave",
      "--cluster",
      "--proposal",
      at("learned.yaml"),
    );
    expect(learned.stdout).toContain("Replayed: 0 new denials.");
    const applied = rbac("apply", at("learned.yaml"), "--dry-run=none", "--undo-file", at("unlearn.yaml"));
    expect(applied.stderr).toBe("");
    expect(applied.stdout).toContain("User dave in namespace team-b\n  - list on pods (core)\n");
    expect([may("get", "pods", "dave"), may("list", "pods", "dave")]).toEqual(["yes", "no"]);
  }, 60_000);

  test("what two labels of other scanners claim, the server refuses", () => {
    const refused = (user: string, args: readonly string[], input?: string) => {
      const { status, stderr } = kubectl(["--context", user, ...args], input);
      expect(status).not.toBe(0);
      return stderr;
    };
    // A Role that names users: impersonation has no namespace.
    expect(refused("alice", ["get", "pods", "-n", "team-b", "--as", "carol"])).toContain("cannot impersonate");
    // Creating role bindings without the verb bind.
    const grab = carolReads
      .replaceAll("carol", "bob")
      .replace("kind: Role, name: reader", "kind: ClusterRole, name: cluster-admin");
    expect(refused("bob", ["create", "-n", "team-b", "-f", "-"], grab)).toContain("not currently held");
  });

  test("what may not be read is told, and never passes", () => {
    for (const command of [["audit"], ["paths"], ["dedupe"], ["can-i", "get", "pods", "--as", "carol"]]) {
      const { status, stdout, stderr } = rbac(...command, "--cluster", "--context", "bob");
      expect(status).toBe(2);
      expect(stdout + stderr).toContain("clusterroles");
    }
  }, 60_000);

  test("whoever may not grant it is refused, and told", () => {
    const { status, stderr } = rbac("apply", at("proposal.yaml"), "--context", "alice");
    expect(status).toBe(2);
    expect(stderr).not.toBe("");
  });
});
