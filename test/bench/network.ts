import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadWorkloadCatalogue } from "../../src/adapters/files/catalog.ts";
import { buildNetwork } from "../../src/analysis/network/build.ts";
import { protocols } from "../../src/analysis/network/connection-set.ts";
import type { Network } from "../../src/analysis/network/model.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../src/core/source.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { castellan } from "./corpora.ts";
import { cheapest, onPath } from "./process-cost.ts";

const perNamespace = 20;

function document(value: JsonValue): SourceDocument<KubernetesObject> {
  if (!isKubernetesObject(value)) throw new Error("not an object");
  return { file: "bench", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

/** `n` Deployments in namespaces of twenty, a policy for each, a default deny for each second namespace, and blocks of addresses. */
function cluster(n: number, cidrs: boolean): readonly SourceDocument<KubernetesObject>[] {
  const documents: SourceDocument<KubernetesObject>[] = [];
  for (let i = 0; i < n; i++) {
    const namespace = `n${Math.floor(i / perNamespace)}`;
    const labels = { app: `a${i}`, tier: `t${i % 3}`, team: `g${i % 40}` };
    if (i % perNamespace === 0) {
      documents.push(
        document({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { team: `g${i % 7}` } } }),
      );
      for (const suffix of ["a", "b"]) documents.push(document(defaultDeny(namespace, suffix)));
    }
    const ports = [{ name: "http", containerPort: 8000 + (i % 5) }];
    const spec = { containers: [{ name: "c", image: "i", ports }] };
    documents.push(
      document({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: `w${i}`, namespace },
        spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      }),
      document(policy(i, n, namespace, cidrs)),
    );
  }
  return documents;
}

function defaultDeny(namespace: string, suffix: string): JsonValue {
  const isDeny = suffix === "a";
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `base-${suffix}`, namespace },
    spec: isDeny
      ? { podSelector: {}, policyTypes: ["Ingress"] }
      : {
          podSelector: {},
          policyTypes: ["Egress"],
          egress: [
            {
              to: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "a0" } } }],
              ports: [{ protocol: "UDP", port: 53 }],
            },
            { to: [{ podSelector: {} }] },
          ],
        },
  };
}

function policy(i: number, n: number, namespace: string, cidrs: boolean): JsonValue {
  const peer = (j: number) => ({
    podSelector: { matchLabels: { app: `a${j % n}` } },
    namespaceSelector: { matchLabels: { team: `g${i % 7}` } },
  });
  const block = { ipBlock: { cidr: `10.${(i >> 8) & 255}.${i & 255}.0/24`, except: [`10.${(i >> 8) & 255}.${i & 255}.128/25`] } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `p${i}`, namespace },
    spec: {
      podSelector: { matchLabels: { app: `a${i}` } },
      policyTypes: ["Ingress"],
      ingress: [
        { from: [peer(i + 1), peer(i + 7), { podSelector: { matchLabels: { tier: "t1" } } }], ports: [{ port: "http" }] },
        ...(cidrs ? [{ from: [block], ports: [{ port: 443 }] }] : []),
      ],
    },
  };
}

/** Of processor time: what one core does, whatever else the machine is doing. */
function milliseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Everything that is allowed: all blocks of workloads, and what every workload may do outside. */
function analyse(network: Network): number {
  const pairs = network.groups().reduce((sum, { from, to }) => sum + from.length * to.length, 0);
  let pieces = 0;
  for (const workload of network.workloads) {
    pieces += network.externalOf(workload, "ingress").length + network.externalOf(workload, "egress").length;
  }
  return pairs + pieces;
}

export const networkBench: Bench = {
  name: "network",
  async run() {
    const catalogue = loadWorkloadCatalogue();
    const rows: BenchRow[] = [];
    const build = (documents: readonly SourceDocument<KubernetesObject>[]) =>
      buildNetwork(documents, { catalogue, cni: "generic" });
    analyse(build(cluster(200, true)));
    const small = cluster(1_000, false);
    rows.push({
      name: "1,000 workloads, 1,100 policies",
      ours: milliseconds(() => analyse(build(small))),
      unit: "ms",
      target: { atMost: 500 },
    });
    const large = cluster(10_000, true);
    const before = process.memoryUsage().rss;
    let network = build(small);
    rows.push({
      name: "10,000 workloads, 11,000 policies",
      ours: milliseconds(() => {
        network = build(large);
        analyse(network);
      }),
      unit: "ms",
      target: { atMost: 3_000 },
    });
    rows.push({ name: "its memory", ours: (process.memoryUsage().rss - before) / 1e6, unit: "MB", target: { atMost: 600 } });
    rows.push({
      name: "one policy changes",
      ours: update(network, document(policy(77, 9_000, "n3", false))),
      unit: "ms",
      target: { atMost: 50 },
    });
    rows.push({ name: "one workload changes", ours: update(network, changedWorkload()), unit: "ms", target: { atMost: 50 } });
    rows.push({
      name: "labels of a namespace change",
      ours: update(network, changedNamespace()),
      unit: "ms",
      target: { atMost: 50 },
    });
    return { rows: [...rows, await besidePeer()] };
  },
};

const peer = "netpol-analyzer";

/** Every allowed connection of 200 workloads, from files to a list, beside the peer where it is on PATH. */
async function besidePeer(): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), "castellan-bench-"));
  try {
    const items = cluster(200, true).map((d) => d.value);
    writeFileSync(join(folder, "cluster.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const ours = await cheapest(3, [...castellan, "net", "list", "--all", "-o", "csv", "-f", folder], folder);
    const theirs = onPath(peer)
      ? await cheapest(1, [peer, "list", "--quiet", "-o", "csv", "--dirpath", folder], folder)
      : undefined;
    return {
      name: "list of 200 workloads, whole run",
      unit: "ms",
      ours: ours.cpu,
      ...(theirs === undefined ? {} : { peer: theirs.cpu }),
      target: { timesLess: 2 },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function changedWorkload(): SourceDocument<KubernetesObject> {
  const labels = { app: "a61", tier: "t9" };
  const spec = { containers: [{ name: "c", image: "i" }] };
  return document({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "w61", namespace: "n3" },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
}

function changedNamespace(): SourceDocument<KubernetesObject> {
  return document({ apiVersion: "v1", kind: "Namespace", metadata: { name: "n3", labels: { team: "g1" } } });
}

/** The change, and one answer with its reasons after it. */
function update(network: Network, change: SourceDocument<KubernetesObject>): number {
  return milliseconds(() => {
    network.put(change);
    const target = network.find("n3/w61[Deployment]");
    if (target === undefined) throw new Error("the workload is there");
    const source = network.find("n3/w62[Deployment]") ?? target;
    network.explain(source, target, protocols.TCP, 8001);
  });
}
