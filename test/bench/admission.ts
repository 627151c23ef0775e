import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { isKubernetesObject, nameOf, namespaceOf } from "../../src/core/kubernetes.ts";
import { type Bench, type BenchRow, nodeAsServed } from "./bench.ts";
import { corpora } from "./corpora.ts";
import { ReviewLoad } from "./review-load.ts";

const wanted = 40;
const reviews = 10_000;
const warming = 5000;
/** As few as keep one core busy while records go to the disk. */
const few = 4;
/** More than that only wait for each other: their latency is how many they are. */
const many = 16;
/** Reviews a second that come whether or not those before them are answered. */
const rates = [500, 1000, 2000];
const offeredSeconds = 5;

/** The value below which a share of the sorted ones lies. */
const share = (sorted: readonly number[], part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0;

/** AdmissionReviews posted to the webhook, each decision on the disk before its answer. */
export const admissionBench: Bench = {
  name: "admission",
  async run() {
    const corpus = corpora();
    if (corpus === undefined) return { rows: [], skipped: "the conformance corpora are absent" };
    const directory = await mkdtemp(join(tmpdir(), "castellan-bench-"));
    const server = spawn(
      process.execPath,
      [...nodeAsServed, join(import.meta.dirname, "admission-server.ts"), directory, ...(await policyFiles(corpus))],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      const [port = ""] = (await line(server)).split(" ");
      const load = new ReviewLoad(Number(port), await podReviews(join(corpus, "bench")));
      await load.closed(many, warming);
      server.kill("SIGUSR2");
      const before = process.hrtime.bigint();
      const latencies = await load.closed(few, reviews);
      const perReview = Number(process.hrtime.bigint() - before) / 1000 / reviews;
      // The server tells what it used, and goes on.
      server.kill("SIGUSR2");
      const cpu: { user: number; system: number } = JSON.parse(await line(server));
      const queued = await load.closed(many, reviews);
      const offered: BenchRow[] = [];
      for (const rate of rates) {
        // What is more than it can take says nothing about how long it takes.
        if (rate * perReview > 1_000_000) continue;
        const ours = share(await load.offered(rate, rate * offeredSeconds), 0.99);
        offered.push({ name: `p99 at ${rate} a second`, unit: "ms", ours });
      }
      return {
        rows: [
          {
            name: `${wanted} policies, CPU a review`,
            unit: "us",
            ours: (cpu.user + cpu.system) / reviews,
            target: { atMost: 500 },
          },
          { name: `time a review, ${few} at once`, unit: "us", ours: perReview, target: { atMost: 500 } },
          { name: `p50, ${few} at once`, unit: "ms", ours: share(latencies, 0.5) },
          { name: `p99, ${few} at once`, unit: "ms", ours: share(latencies, 0.99), target: { atMost: 10 } },
          { name: `p99, ${many} at once`, unit: "ms", ours: share(queued, 0.99) },
          ...offered,
        ],
      };
    } finally {
      server.kill("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** The first policies of the library that judge pods at admission; of two with one name a cluster has one. */
export async function policyFiles(corpus: string): Promise<readonly string[]> {
  const root = join(corpus, "kyverno-policies");
  const found = (await readdir(root, { recursive: true }))
    .filter((file) => /\/(?!kyverno-test|values|resource)[^/]+\.yaml$/.test(file))
    .sort();
  const files = new Map<string, string>();
  for (const file of found) {
    if (file.includes(".kyverno-test") || files.size === wanted) continue;
    const { documents } = await loadPaths([join(root, file)]);
    const [only] = documents;
    if (documents.length !== 1 || !isKubernetesObject(only?.value) || only.value.kind !== "ClusterPolicy") continue;
    const text = JSON.stringify(only.value);
    if (text.includes('"Pod"') && text.includes('"validate"') && !/apiCall|imageRegistry|verifyImages|configMap/.test(text))
      files.set(nameOf(only.value), files.get(nameOf(only.value)) ?? join(root, file));
  }
  return [...files.values()];
}

async function podReviews(directory: string): Promise<readonly string[]> {
  const { documents } = await loadPaths([directory]);
  const pods = documents
    .map((d) => d.value)
    .filter(isKubernetesObject)
    .filter((o) => o.kind === "Pod" || o.kind === "Deployment");
  return pods.slice(0, 500).map((object, i) => {
    const isPod = object.kind === "Pod";
    return JSON.stringify({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: `uid-${i}`,
        kind: isPod ? { group: "", version: "v1", kind: "Pod" } : { group: "apps", version: "v1", kind: "Deployment" },
        resource: isPod
          ? { group: "", version: "v1", resource: "pods" }
          : { group: "apps", version: "v1", resource: "deployments" },
        name: nameOf(object),
        namespace: namespaceOf(object) || "default",
        operation: "CREATE",
        userInfo: { username: "ada@example.com", groups: ["system:authenticated"] },
        object,
        dryRun: false,
      },
    });
  });
}

function line(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (chunk) => resolve(String(chunk)));
    child.once("exit", (code) => reject(new Error(`the server ended: ${code}`)));
  });
}
