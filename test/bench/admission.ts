import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "undici";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { isKubernetesObject, nameOf, namespaceOf } from "../../src/core/kubernetes.ts";
import type { Bench } from "./bench.ts";
import { corpora } from "./corpora.ts";

const wanted = 40;
const reviews = 10_000;
const concurrency = 16;

/** AdmissionReviews posted to the webhook, each decision on the disk before its answer. */
export const admissionBench: Bench = {
  name: "admission",
  async run() {
    const corpus = corpora();
    if (corpus === undefined) return { rows: [], skipped: "the conformance corpora are absent" };
    const directory = await mkdtemp(join(tmpdir(), "castellan-bench-"));
    const server = spawn(
      process.execPath,
      // As the container image runs it.
      ["--max-semi-space-size=32", join(import.meta.dirname, "admission-server.ts"), directory, ...(await policyFiles(corpus))],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      const [port = ""] = (await line(server)).split(" ");
      const bodies = await podReviews(join(corpus, "bench"));
      const url = `https://127.0.0.1:${port}`;
      await post(url, bodies, 2000);
      server.kill("SIGUSR2");
      const before = process.hrtime.bigint();
      const latencies = await post(url, bodies, reviews);
      const seconds = Number(process.hrtime.bigint() - before) / 1e9;
      server.kill("SIGTERM");
      const cpu: { user: number; system: number } = JSON.parse(await line(server));
      const perReview = (cpu.user + cpu.system) / reviews;
      const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
      return {
        rows: [
          { name: `${wanted} policies, CPU a review`, unit: "us", ours: perReview, target: { atMost: 500 } },
          { name: "time a review, 16 at once", unit: "us", ours: (seconds / reviews) * 1e6, target: { atMost: 500 } },
          { name: "p50", unit: "ms", ours: at(0.5) },
          { name: "p99", unit: "ms", ours: at(0.99), target: { atMost: 10 } },
        ],
      };
    } finally {
      server.kill("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** The first policies of the library that judge pods at admission. */
export async function policyFiles(corpus: string): Promise<readonly string[]> {
  const root = join(corpus, "kyverno-policies");
  const found = (await readdir(root, { recursive: true }))
    .filter((file) => /\/(?!kyverno-test|values|resource)[^/]+\.yaml$/.test(file))
    .sort();
  const files: string[] = [];
  for (const file of found) {
    if (file.includes(".kyverno-test") || files.length === wanted) continue;
    const { documents } = await loadPaths([join(root, file)]);
    const [only] = documents;
    if (documents.length !== 1 || !isKubernetesObject(only?.value) || only.value.kind !== "ClusterPolicy") continue;
    const text = JSON.stringify(only.value);
    if (text.includes('"Pod"') && text.includes('"validate"') && !/apiCall|imageRegistry|verifyImages|configMap/.test(text))
      files.push(join(root, file));
  }
  return files;
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

/** Milliseconds of each call, sorted. */
async function post(url: string, bodies: readonly string[], count: number): Promise<readonly number[]> {
  const agent = new Agent({ connect: { rejectUnauthorized: false }, connections: concurrency });
  const latencies: number[] = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const body = bodies[next++ % bodies.length] ?? "";
      const start = performance.now();
      const response = await agent.request({
        origin: url,
        path: "/validate/deny",
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const text = await response.body.text();
      if (response.statusCode !== 200 || !text.includes('"allowed"'))
        throw new Error(`the webhook answered ${response.statusCode}: ${text}`);
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  await agent.close();
  return latencies.sort((a, b) => a - b);
}

function line(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (chunk) => resolve(String(chunk)));
    child.once("exit", (code) => reject(new Error(`the server ended: ${code}`)));
  });
}
