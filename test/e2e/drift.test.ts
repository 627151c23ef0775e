import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "../cluster/start.ts";

const cluster = await startCluster();
const main = join(import.meta.dirname, "../../src/cli/main.ts");

const declared = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: data-science}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: default}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: gpus, namespace: default}
spec: {hard: {requests.nvidia.com/gpu: "4"}}
`;

describe.skipIf(!cluster.available)("drift of a live cluster", () => {
  const directory = mkdtempSync(join(tmpdir(), "castellan-drift-"));
  const file = join(directory, "platform.yaml");
  const undo = join(directory, "undo.yaml");
  const kubeconfig = cluster.available ? cluster.kubeconfig : "";
  const kubectl = (args: readonly string[], input = "") =>
    cluster.available ? execFileSync(cluster.kubectl, ["--kubeconfig", kubeconfig, ...args], { input, encoding: "utf8" }) : "";
  const drift = (...args: readonly string[]) =>
    spawnSync(process.execPath, [main, "drift", file, "--kubeconfig", kubeconfig, "--undo", undo, "--data", directory, ...args], {
      encoding: "utf8",
    });

  beforeAll(() => {
    writeFileSync(file, declared);
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    if (cluster.available) await cluster.stop();
  });

  test("what is missing is told and put there", () => {
    const found = drift();
    expect(found.status).toBe(1);
    expect(found.stdout).toContain("4 declared objects compared: 4 differences");
    expect(drift("--heal").stdout).toContain("Nothing was changed");
    expect(drift("--heal", "--yes").status).toBe(0);
    const clean = drift();
    expect([clean.status, clean.stdout]).toEqual([0, "4 declared objects compared: 0 differences\n"]);
  });

  test("what was changed, taken out or added is told field by field, healed, and can be undone", () => {
    kubectl(["patch", "role", "reader", "--type=json", "-p", '[{"op":"replace","path":"/rules/0/verbs","value":["*"]}]']);
    kubectl(["delete", "networkpolicy", "default-deny"]);
    kubectl(["create", "rolebinding", "backdoor", "--clusterrole=admin", "--user=mallory"]);
    kubectl(["label", "resourcequota", "gpus", "team=nlp"]);
    const found = drift();
    expect(found.status).toBe(1);
    expect(found.stdout).toContain('Role default/reader is not as declared\n  replace rules[0].verbs[0]: "get"');
    expect(found.stdout).toContain("NetworkPolicy default/default-deny is missing");
    expect(found.stdout).toContain("RoleBinding default/backdoor was not declared");
    // A field that nobody declared belongs to whoever set it.
    expect(found.stdout).not.toContain("gpus");
    expect(drift("--heal", "--yes", "--at-most", "2").status).toBe(3);
    expect(drift("--heal", "--yes").status).toBe(0);
    expect(kubectl(["get", "role", "reader", "-o", "jsonpath={.rules[0].verbs}"])).toBe('["get","list"]');
    expect(kubectl(["get", "rolebindings", "-o", "name"])).not.toContain("backdoor");
    expect(readFileSync(undo, "utf8")).toContain("backdoor");
    expect(drift().status).toBe(0);
  });
});
