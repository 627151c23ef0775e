import { loadWorkloadCatalogue } from "../../src/adapters/files/catalog.ts";
import { buildNetwork } from "../../src/analysis/network/build.ts";
import type { Flow } from "../../src/analysis/network/flows/flow.ts";
import { FlowLog } from "../../src/analysis/network/flows/flow-log.ts";
import { replayTraffic } from "../../src/analysis/network/flows/replay.ts";
import { Traffic } from "../../src/analysis/network/flows/traffic.ts";
import type { Network } from "../../src/analysis/network/model.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { isKubernetesObject } from "../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../src/core/source.ts";
import type { Bench, BenchRow } from "./bench.ts";

const workloads = 200;

function network(): Network {
  const documents = Array.from({ length: workloads }, (_, i): readonly JsonValue[] => {
    const labels = { app: `app-${i}` };
    const metadata = { name: `app-${i}`, namespace: `team-${i % 10}` };
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: "c", image: "i", ports: [{ containerPort: 8080 }] }] },
    };
    const ingress = [
      { from: [{ podSelector: { matchLabels: { app: `app-${(i + 10) % workloads}` } } }], ports: [{ port: 8080 }] },
    ];
    return [
      { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector: { matchLabels: labels }, template } },
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata,
        spec: { podSelector: { matchLabels: labels }, ingress },
      },
    ];
  }).flat();
  return buildNetwork(documents.map(documentOf), { catalogue: loadWorkloadCatalogue() });
}

function documentOf(value: JsonValue): SourceDocument {
  if (!isKubernetesObject(value)) throw new Error("not an object");
  return { file: "bench", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

/** A line as Cilium's exporter writes it. */
function hubbleLine(n: number): string {
  const end = (i: number) => ({
    ID: i,
    identity: 10_000 + i,
    namespace: `team-${i % 10}`,
    labels: [`k8s:app=app-${i}`, "k8s:io.cilium.k8s.policy.cluster=default", `k8s:io.kubernetes.pod.namespace=team-${i % 10}`],
    pod_name: `app-${i}-6d4b75cb6d-x${2 + (n % 3)}x4z`,
    workloads: [{ name: `app-${i}`, kind: "Deployment" }],
  });
  const [a, b] = [n % workloads, (n * 7 + 10) % workloads];
  return JSON.stringify({
    flow: {
      time: new Date(1_760_000_000_000 + n * 1000).toISOString(),
      verdict: "FORWARDED",
      ethernet: { source: "0a:58:0a:f4:01:05", destination: "0a:58:0a:f4:01:06" },
      IP: { source: `10.0.${a >> 4}.${a}`, destination: `10.0.${b >> 4}.${b}`, ipVersion: "IPv4" },
      l4: { TCP: { source_port: 30_000 + (n % 20_000), destination_port: 8080, flags: { SYN: true } } },
      source: end(a),
      destination: end(b),
      Type: "L3_L4",
      node_name: "kind-worker",
      event_type: { type: 4 },
      traffic_direction: "EGRESS",
      is_reply: false,
      Summary: "TCP Flags: SYN",
    },
    node_name: "kind-worker",
  });
}

const decoded = 1_000_000;
const lines = 120_000;

/** Flow logs: reading JSON lines and finding workloads; folding decoded flows; asking the policies. */
export const flowsBench: Bench = {
  name: "flows",
  run() {
    const net = network();
    const text = Array.from({ length: 4000 }, (_, n) => hubbleLine(n));
    const read = () => {
      const traffic = new Traffic(net);
      const log = new FlowLog(traffic, "hubble");
      log.begin("bench");
      for (let n = 0; n < lines; n++) log.line(text[n % text.length] ?? "");
      log.end();
      return replayTraffic(traffic, net);
    };
    read();
    const rows: BenchRow[] = [
      { name: "120,000 lines of hubble, replayed", ours: cpu(read), unit: "ms", target: { atMost: 2000 } },
    ];
    const flows: Flow[] = [];
    const log = new FlowLog({ add: (flow) => flows.push(flow), addLookup: () => undefined }, "hubble");
    log.begin("bench");
    for (const line of text) log.line(line);
    const fold = () => {
      const traffic = new Traffic(net);
      for (let n = 0; n < decoded; n++) {
        const flow = flows[n % flows.length];
        if (flow !== undefined) traffic.add(flow);
      }
      return replayTraffic(traffic, net);
    };
    fold();
    rows.push({ name: "1,000,000 decoded flows, replayed", ours: cpu(fold), unit: "ms", target: { atMost: 1000 } });
    return Promise.resolve({ rows });
  },
};

function cpu(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
