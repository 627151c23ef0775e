import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "../cluster/start.ts";

const cluster = await startCluster();
const main = join(import.meta.dirname, "../../src/cli/main.ts");

const manifest = `
apiVersion: v1
kind: Namespace
metadata: {name: team-a}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-b, labels: {pod-security.kubernetes.io/enforce: privileged}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team-a}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true, containers: [{name: c, image: x}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team-b}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true, containers: [{name: c, image: x}]}}}
`;

interface ReportedFinding {
  readonly check: { readonly policy: string; readonly rule: string };
  readonly resource: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly path: readonly (string | number)[];
}

describe.skipIf(!cluster.available)("scanning a live cluster", () => {
  const kubeconfig = cluster.available ? cluster.kubeconfig : "";

  beforeAll(() => {
    if (cluster.available) execFileSync(cluster.kubectl, ["--kubeconfig", kubeconfig, "apply", "-f", "-"], { input: manifest });
  });
  afterAll(async () => {
    if (cluster.available) await cluster.stop();
  });

  function scan(...argv: readonly string[]) {
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    return spawnSync(process.execPath, [main, "scan", "--cluster", ...argv], { encoding: "utf8", env });
  }

  function findings(...argv: readonly string[]): readonly ReportedFinding[] {
    return JSON.parse(scan("-o", "json", ...argv).stdout).findings;
  }

  const podSecurity = (found: readonly ReportedFinding[]) => found.filter((f) => f.check.policy.startsWith("pod-security/"));

  test("finds what runs, at its field, and lets namespaces say what they allow", () => {
    const { status, stdout } = scan("--checks", "policies");
    expect(status).toBe(1);
    expect(stdout).toContain(
      "Deployment team-a/web apps/v1\n  CRITICAL           pod-security/baseline hostNamespaces\n            spec.template.spec.hostNetwork\n",
    );
    expect(podSecurity(findings("-n", "team-b"))).toEqual([]);
  });

  test("-n looks at one namespace alone", () => {
    const found = findings("-n", "team-a");
    expect(found.length).toBeGreaterThan(0);
    // Cluster-wide objects are in every namespace's view.
    expect(new Set(found.map((f) => f.resource.namespace).filter((n) => n !== ""))).toEqual(new Set(["team-a"]));
  });

  test("a user who may not read says so, and passes nothing", () => {
    const { status, stdout } = scan("--context", "alice");
    expect(status).toBe(2);
    expect(stdout).toContain("CLUSTER_FORBIDDEN");
    expect(stdout).toContain("not everything could be checked");
  });

  test("a context that does not exist is not a clean scan", () => {
    expect(scan("--context", "nobody").status).toBe(2);
  });
});
