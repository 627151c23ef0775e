import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { JsonObject } from "../../src/core/json.ts";
import { compileRego, fromJson, type RegoProgram, RegoSet } from "../../src/languages/rego/index.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { castellan, corpora } from "./corpora.ts";
import { engineCost } from "./engine-cost.ts";
import { cheapest, onPath } from "./process-cost.ts";

const source = `package kubernetes.admission

import rego.v1

required := {"app", "owner", "team"}

deny contains msg if {
	provided := {label | some label, _ in input.request.object.metadata.labels}
	missing := required - provided
	count(missing) > 0
	msg := sprintf("missing labels: %v", [missing])
}

deny contains msg if {
	some container in input.request.object.spec.containers
	not startswith(container.image, "registry.example.com/")
	msg := sprintf("container %q has an image from elsewhere: %s", [container.name, container.image])
}
`;

const path = ["kubernetes", "admission", "deny"];
const host = { now: () => 0, random: () => 0 };

const admission = (labels: JsonObject, images: readonly string[]): JsonObject => ({
  request: {
    kind: { group: "", version: "v1", kind: "Pod" },
    operation: "CREATE",
    object: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "shop", labels },
      spec: { containers: images.map((image, i) => ({ name: `container-${i}`, image, ports: [{ containerPort: 8080 }] })) },
    },
  },
});

const requests = [
  {
    name: "a pod that is allowed",
    denials: 0,
    input: admission({ app: "web", owner: "ann", team: "shop" }, ["registry.example.com/web:1", "registry.example.com/proxy:1"]),
  },
  {
    name: "a pod with two violations",
    denials: 2,
    input: admission({ app: "web", team: "shop" }, ["registry.example.com/web:1", "docker.io/envoy:1"]),
  },
];

function compiled(): RegoProgram {
  const result = compileRego([{ file: "policy.rego", source }]);
  if (!result.ok) throw new Error(`the sample does not compile: ${result.diagnostics[0]?.message}`);
  return result.value;
}

/** CPU microseconds of one call once it runs at speed: the best of five rounds. */
function cost(run: () => unknown, runs: number): number {
  for (let i = 0; i < runs; i++) run();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < runs; i++) run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / runs);
  }
  return best;
}

/** Microseconds of an evaluation in OPA: the median, which a busy machine disturbs least. */
function opaCost(folder: string, input: JsonObject): number {
  writeFileSync(join(folder, "policy.rego"), source);
  writeFileSync(join(folder, "input.json"), JSON.stringify(input));
  const options = ["--data", "policy.rego", "--input", "input.json", "--format", "json"];
  const out = execFileSync("opa", ["bench", ...options, `data.${path.join(".")}`], { cwd: folder, encoding: "utf8" });
  return JSON.parse(out).Extra["histogram_timer_rego_query_eval_ns_median"] / 1000;
}

/** Every evaluation is given an object that nothing has looked at yet, as a review is. */
function evaluations(): readonly BenchRow[] {
  const rule = compiled().rule(path);
  const folder = mkdtempSync(join(tmpdir(), "castellan-bench-"));
  try {
    return requests.map(({ name, denials, input }): BenchRow => {
      const evaluate = () => rule.evaluate({ input: fromJson(input), host });
      const answer = evaluate();
      if (!answer.ok || !(answer.value instanceof RegoSet) || answer.value.size !== denials) {
        throw new Error(`the sample does not answer ${denials} denials`);
      }
      const peer = onPath("opa") ? { peer: opaCost(folder, input) } : {};
      return { name, unit: "us", ours: cost(evaluate, 200_000), ...peer, target: { atMost: 1e6 / 300_000 } };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Templates of Gatekeeper's library, each with its first sample of a constraint; answers how many there are. */
function copyLibrary(corpus: string, to: string): number {
  const library = join(corpus, "gatekeeper-library/library");
  const folders = readdirSync(library, { recursive: true, encoding: "utf8" })
    .filter((name) => basename(name) === "template.yaml")
    .map((name) => join(library, dirname(name)))
    .sort();
  let count = 0;
  for (const folder of folders) {
    const constraint = readdirSync(join(folder, "samples"))
      .sort()
      .map((sample) => join(folder, "samples", sample, "constraint.yaml"))
      .find((file) => existsSync(file));
    if (constraint === undefined) continue;
    copyFileSync(join(folder, "template.yaml"), join(to, `template-${count}.yaml`));
    copyFileSync(constraint, join(to, `constraint-${count}.yaml`));
    count++;
  }
  return count;
}

interface Costs {
  readonly cpu: number;
  readonly peak: number | undefined;
}

function gator(folder: string, objects: string, runs: number): Promise<Costs> | undefined {
  if (!onPath("gator")) return undefined;
  return cheapest(runs, ["gator", "test", "-f", folder, "-f", objects, "-o", "json"], folder);
}

async function wholeRun(policies: string, objects: string): Promise<Costs> {
  const scan = [...castellan, "scan", objects, "--checks", "policies", "--policies", policies, "--output", "json"];
  const ours = await cheapest(3, scan, policies);
  const { summary } = JSON.parse(ours.out);
  if (summary.results.fail < 300) throw new Error(`the scan did not do its work: ${ours.out.slice(0, 500)}`);
  return ours;
}

/** Gatekeeper's library over real objects. What gator takes with no constraint counts as its loading. */
async function library(corpus: string): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "castellan-bench-"));
  try {
    const [all, none] = [join(folder, "all"), join(folder, "none")];
    for (const made of [all, none]) mkdirSync(made);
    const count = copyLibrary(corpus, all);
    for (const name of readdirSync(all)) if (name.startsWith("template")) copyFileSync(join(all, name), join(none, name));
    const objects = join(corpus, "bench/objects.yaml");
    const { compile, judge } = await engineCost(all, objects);
    const ours = await wholeRun(all, objects);
    const [peer, loading] = [await gator(all, objects, 1), await gator(none, objects, 1)];
    const rows: BenchRow[] = [
      { name: `${count} templates, CPU`, unit: "ms", ours: ours.cpu, ...(peer && { peer: peer.cpu }), target: { timesLess: 4 } },
      {
        name: "judging alone, CPU",
        unit: "ms",
        ours: judge,
        ...(peer && loading && { peer: peer.cpu - loading.cpu }),
        target: { timesLess: 20 },
      },
      { name: `compiling ${count} templates`, unit: "ms", ours: compile, target: { atMost: 1000 } },
    ];
    if (ours.peak === undefined) return rows;
    const memory = { name: "peak memory", unit: "MB", ours: ours.peak, target: { timesLess: 1.67 } } as const;
    return [...rows, { ...memory, ...(peer?.peak && { peer: peer.peak }) }];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rego beside `opa bench`, and Gatekeeper's library over real objects beside `gator test`. */
export const regoBench: Bench = {
  name: "rego",
  async run() {
    const preparation: BenchRow = { name: "parse, check and compile", unit: "us", ours: cost(compiled, 500) };
    const rows = [...evaluations(), preparation];
    const corpus = corpora();
    if (corpus === undefined) return { rows, skipped: "the conformance corpora are absent" };
    return { rows: [...rows, ...(await library(corpus))] };
  },
};
