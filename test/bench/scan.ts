import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Bench, BenchRow } from "./bench.ts";
import { castellan, corpora } from "./corpora.ts";
import { engineCost } from "./engine-cost.ts";
import { cheapest, onPath, type ProcessCost } from "./process-cost.ts";

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
      return { rows: await scanRows(policies, corpus) };
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

/** Judges nothing of what is there: what the Kyverno CLI takes with it counts as its loading. */
const idlePolicy = `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: idle }
spec:
  rules:
    - name: idle
      match: { any: [{ resources: { kinds: [Lease] } }] }
      validate: { message: never, pattern: { metadata: { name: "?*" } } }
`;

async function scanRows(policies: string, corpus: string): Promise<readonly BenchRow[]> {
  const scan = [...castellan, "scan", objects, "--checks", "policies", "--policies", policies, "--output", "json"];
  const ours = await cheapest(3, scan, corpus);
  const { summary, inputs } = JSON.parse(ours.out);
  if (inputs.objects < 2000 || summary.results.fail < 1000)
    throw new Error(`the scan did not do its work: ${ours.out.slice(0, 500)}`);
  const peer = onPath("kyverno") ? await peerCosts(policies, corpus) : undefined;
  const engine: BenchRow = {
    name: "CPU, engine alone",
    unit: "ms",
    ours: (await engineCost(policies, join(corpus, objects))).judge,
    ...(peer === undefined ? { target: { atMost: 200 } } : { peer: peer.engine, target: { timesLess: 100 } }),
  };
  return [
    { name: "CPU, whole run", unit: "ms", ours: ours.cpu, ...(peer && { peer: peer.cpu }), target: { timesLess: 20 } },
    engine,
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

async function peerCosts(policies: string, corpus: string): Promise<ProcessCost & { readonly engine: number }> {
  const idle = mkdtempSync(join(tmpdir(), "castellan-bench-"));
  try {
    writeFileSync(join(idle, "idle.yaml"), idlePolicy);
    const whole = await cheapest(1, ["kyverno", "apply", policies, "-r", objects], corpus);
    const loading = await cheapest(1, ["kyverno", "apply", idle, "-r", objects], corpus);
    return { ...whole, engine: whole.cpu - loading.cpu };
  } finally {
    rmSync(idle, { recursive: true });
  }
}
