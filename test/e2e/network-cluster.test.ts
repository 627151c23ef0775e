import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "../cluster/start.ts";

const cluster = await startCluster();
const main = join(import.meta.dirname, "../../src/cli/main.ts");
const example = (name: string) => join(import.meta.dirname, "../../examples/network", name);
const folder = mkdtempSync(join(tmpdir(), "castellan-network-"));
const at = (name: string) => join(folder, name);

/** A live pod with an address, as a node would report it. */
const pod = `
apiVersion: v1
kind: Pod
metadata: {name: tool, namespace: ai, labels: {app: tool}}
spec: {containers: [{name: c, image: registry.example/tool:1}]}
`;
const flow =
  "tcp      6 431999 ESTABLISHED src=10.244.9.9 dst=203.0.113.5 sport=45678 dport=443 src=203.0.113.5 dst=10.244.9.9 sport=443 dport=45678 [ASSURED] use=1\n";

describe.skipIf(!cluster.available)("the network of a live cluster", () => {
  const kubeconfig = cluster.available ? cluster.kubeconfig : "";
  const kubectl = (...argv: readonly string[]) => {
    if (!cluster.available) throw new Error("no cluster");
    return execFileSync(cluster.kubectl, ["--kubeconfig", kubeconfig, ...argv], { encoding: "utf8" });
  };
  const net = (...argv: readonly string[]) => {
    const env = { ...process.env, KUBECONFIG: kubeconfig, NO_COLOR: "1" };
    return spawnSync(process.execPath, [main, "net", ...argv, "--cluster"], { encoding: "utf8", env });
  };

  beforeAll(() => {
    writeFileSync(at("pod.yaml"), pod);
    writeFileSync(at("conntrack.txt"), flow);
    for (const file of [example("platform.yaml"), example("1-default-deny.yaml"), at("pod.yaml")]) kubectl("apply", "-f", file);
    kubectl(
      "patch",
      "pod",
      "tool",
      "-n",
      "ai",
      "--subresource=status",
      "-p",
      '{"status":{"phase":"Running","podIP":"10.244.9.9","podIPs":[{"ip":"10.244.9.9"}]}}',
    );
  });
  afterAll(async () => {
    if (cluster.available) await cluster.stop();
    rmSync(folder, { recursive: true });
  });

  test("policies of the cluster decide", () => {
    const { status, stdout } = net("can", "ai/gateway", "ai/llm-service", "8080");
    expect(status).toBe(1);
    expect(stdout).toContain("isolated for ingress by NetworkPolicy ai/default-deny");
  });

  test("an address of a log is the pod that has it", () => {
    const { stdout, status } = net("replay", "--flows", at("conntrack.txt"), "-o", "csv");
    expect(stdout).toContain("ai/tool[Pod],203.0.113.5/32,TCP 443,1,nlp,");
    expect(status).toBe(1);
  });

  test("the API server takes what is suggested, and the cluster answers as was promised", () => {
    const proposal = net("suggest", "--intent", "--in", "ai", "-o", "yaml");
    expect(proposal.status).toBe(0);
    writeFileSync(at("proposal.yaml"), proposal.stdout);
    expect(kubectl("apply", "-f", at("proposal.yaml"))).toContain("networkpolicy.networking.k8s.io/allow-vector-db created");
    expect(net("can", "ai/llm-service", "ai/vector-db", "6333").status).toBe(0);
    expect(net("can", "ai/gateway", "ai/vector-db", "6333").status).toBe(1);
  });
});
