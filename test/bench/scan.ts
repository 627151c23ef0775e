import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { compilePolicies } from "../../src/services/policies.ts";
import { scanObjects } from "../../src/services/scan-objects.ts";
import { scannedFacts } from "../../src/services/scanned-facts.ts";
import { scannedObjects } from "../../src/services/scanned-objects.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { castellan, corpora } from "./corpora.ts";
import { cheapest, onPath } from "./process-cost.ts";

const folders = ["kyverno-policies/pod-security", "kyverno-policies/best-practices"];
const objects = "bench/objects.yaml";

/** The project's own pod-security and best-practice ClusterPolicies over real objects, beside `kyverno apply`. */
export const scanBench: Bench = {
  name: "scan",
  async run() {
    const corpus = corpora();
    if (corpus === undefined) return { rows: [], skipped: "the conformance corpora are absent" };
    const policies = mkdtempSync(join(tmpdir(), "castellan-bench-"));
    try {
      for (const file of policyFiles(corpus)) copyFileSync(file, join(policies, basename(file)));
      return { rows: [...(await wholeRuns(policies, corpus)), await engineShare(policies, corpus)] };
    } finally {
      rmSync(policies, { recursive: true });
    }
  },
};

/** ClusterPolicies, without their tests. */
function policyFiles(corpus: string): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(corpus, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".yaml") && !name.split("/").some((part) => part.startsWith(".")))
      .map((name) => join(corpus, folder, name))
      .filter((file) => /^kind: ClusterPolicy$/m.test(readFileSync(file, "utf8"))),
  );
}

async function wholeRuns(policies: string, corpus: string): Promise<readonly BenchRow[]> {
  const scan = [...castellan, "scan", objects, "--checks", "policies", "--policies", policies, "--output", "json"];
  const ours = await cheapest(3, scan, corpus);
  const { summary, inputs } = JSON.parse(ours.out);
  if (inputs.objects < 2000 || summary.results.fail < 1000)
    throw new Error(`the scan did not do its work: ${ours.out.slice(0, 500)}`);
  const peer = onPath("kyverno") ? await cheapest(1, ["kyverno", "apply", policies, "-r", objects], corpus) : undefined;
  return [
    { name: "CPU, whole run", unit: "ms", ours: ours.cpu, ...(peer && { peer: peer.cpu }), target: { timesLess: 20 } },
    ...(ours.peak === undefined
      ? []
      : [
          {
            name: "peak memory",
            unit: "MB",
            ours: ours.peak,
            ...(peer?.peak && { peer: peer.peak }),
            target: { timesLess: 2 },
          } as const,
        ]),
  ];
}

/**
 * What is left when reading and reporting are taken out: judging every object, in a process that starts cold. Places,
 * ids and fixes of findings are worked out when a report asks for them; the whole run has them in it.
 */
async function engineShare(policies: string, corpus: string): Promise<BenchRow> {
  const schemas = loadKubernetesSchemas();
  const resources = schemas.resources();
  const compiled = compilePolicies((await loadPaths([policies])).documents, resources);
  const { documents } = await loadPaths([join(corpus, objects)]);
  const scanned = scannedObjects(documents, "default", resources);
  const facts = scannedFacts({ objects: scanned.objects.map((d) => d.value), resources, complete: false });
  const request = { objects: scanned.objects, policies: compiled.set, resources, facts, passes: false, workloads: undefined };
  const host = { now: () => 0, random: () => 0 };
  const before = process.cpuUsage();
  scanObjects({ ...request, host });
  const { user, system } = process.cpuUsage(before);
  return { name: "CPU, engine alone", unit: "ms", ours: (user + system) / 1000, target: { atMost: 200 } };
}
