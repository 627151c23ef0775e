import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "../cluster/start.ts";

const cluster = await startCluster();
const main = join(import.meta.dirname, "../../src/cli/main.ts");
const directory = mkdtempSync(join(tmpdir(), "castellan-init-"));

const container = `{name: c, image: "registry.example/x:1", resources: {limits: {memory: 1Gi}}`;
const restricted = `securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}}`;
const manifest = `
apiVersion: v1
kind: Namespace
metadata: {name: loose}
---
apiVersion: v1
kind: Namespace
metadata: {name: tight}
---
apiVersion: v1
kind: Namespace
metadata: {name: labelled, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: loose}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true, containers: [${container}}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: tight}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {automountServiceAccountToken: false, containers: [${container}, ${restricted}]}}}
`;

interface Answer {
  readonly objects: number;
  readonly risks: readonly { readonly name: string; readonly failures: { readonly critical: number }; readonly worst: string }[];
  readonly podSecurity: readonly { readonly namespace: string; readonly enforce: string; readonly inTheWay: number }[];
  readonly policies: readonly { readonly policy: string; readonly failures: number }[];
}

describe.skipIf(!cluster.available)("castellan init on a live cluster", () => {
  const kubeconfig = cluster.available ? cluster.kubeconfig : "";
  const kubectl = (args: readonly string[], input?: string) =>
    cluster.available
      ? execFileSync(cluster.kubectl, ["--kubeconfig", kubeconfig, ...args], {
          encoding: "utf8",
          ...(input === undefined ? {} : { input }),
        })
      : "";
  const init = (...args: readonly string[]) =>
    spawnSync(process.execPath, [main, "init", "--kubeconfig", kubeconfig, ...args], { encoding: "utf8" });

  beforeAll(() => {
    kubectl(["apply", "-f", "-"], manifest);
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    if (cluster.available) await cluster.stop();
  });

  test("says where the risks are, and which guardrails would stop nothing", () => {
    const { status, stdout, stderr } = init("-o", "json");
    expect([status, stderr]).toEqual([0, ""]);
    const answer: Answer = JSON.parse(stdout);
    expect(answer.risks.find(({ name }) => name === "loose")).toMatchObject({ failures: { critical: 1 }, worst: "baseline" });
    expect(answer.podSecurity.filter(({ namespace }) => namespace !== "default")).toEqual([
      { namespace: "loose", enforce: "privileged", inTheWay: 1 },
      { namespace: "tight", enforce: "restricted", inTheWay: 0 },
    ]);
    expect(answer.policies.find(({ policy }) => policy === "image-digest")).toMatchObject({ failures: 2 });
    expect(answer.policies.map(({ policy }) => policy)).not.toContain("agent-skills");
  });

  test("writes only when asked, only where nothing is, and what it writes holds", () => {
    const before = kubectl(["get", "namespaces", "-o", "yaml"]);
    const written = join(directory, "starter");
    expect(init().stdout).toContain("--write castellan/");
    const { status, stdout } = init("--write", written);
    expect(status).toBe(0);
    expect(readdirSync(written)).toEqual(["namespaces.yaml", "policies"]);
    expect(init("--write", written)).toMatchObject({ status: 3, stderr: expect.stringContaining("not empty") });
    const labels = join(written, "namespaces.yaml");
    expect(kubectl(["apply", "--server-side", "--dry-run=server", "-f", labels])).toContain(
      "namespace/tight serverside-applied (server dry run)",
    );
    const next = stdout.split("\n").filter((line) => line.includes("policy preview"));
    expect(next).toEqual([expect.stringContaining(`${written}/policies`)]);
    const preview = spawnSync(process.execPath, [main, "policy", "lint", join(written, "policies")], { encoding: "utf8" });
    expect([preview.status, preview.stderr]).toEqual([0, ""]);
    expect(kubectl(["get", "namespaces", "-o", "yaml"])).toBe(before);
  });
});
