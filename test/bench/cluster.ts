import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { policyFiles } from "./admission.ts";
import type { Bench } from "./bench.ts";
import { type ClusterObject, clusterObject, namespaces } from "./cluster-objects.ts";
import { castellan, corpora } from "./corpora.ts";

const objects = Number(process.env["CASTELLAN_BENCH_OBJECTS"] ?? 20_000);
const lanes = 64;
const looks = 20;

/** `castellan serve` governs a real API server that holds many objects. */
export const clusterBench: Bench = {
  name: "cluster",
  async run() {
    const corpus = corpora();
    if (corpus === undefined) return { rows: [], skipped: "the conformance corpora are absent" };
    const cluster = await startCluster();
    if (!cluster.available) return { rows: [], skipped: cluster.reason };
    const directory = await mkdtemp(join(tmpdir(), "castellan-bench-"));
    const api = new Api(cluster);
    let server: ChildProcess | undefined;
    try {
      await api.create(namespaces());
      await api.create(Array.from({ length: objects }, (_, n) => clusterObject(n)));
      const policies = (await policyFiles(corpus)).flatMap((file) => ["--policies", file]);
      const [program = "", ...args] = castellan;
      const own = ["--no-webhook", "--kubeconfig", cluster.kubeconfig, "--data", directory, "--listen", "127.0.0.1:0"];
      const start = performance.now();
      server = spawn(program, [...args, "serve", ...own, ...policies], { stdio: ["ignore", "pipe", "pipe"] });
      const origin = await readyAt(server);
      const first = performance.now() - start;
      const cost = costOf(server.pid);
      const delays = await changes(api, origin);
      const at = (share: number) => delays[Math.floor(delays.length * share)] ?? 0;
      return {
        rows: [
          { name: `first look at ${objects} objects`, unit: "ms", ours: first, target: { atMost: 10_000 } },
          { name: "CPU of it, starting included", unit: "ms", ours: cost.cpu },
          { name: "memory", unit: "MB", ours: costOf(server.pid).memory, target: { atMost: 500 } },
          { name: "a change in the findings, p50", unit: "ms", ours: at(0.5) },
          { name: "a change in the findings, slowest", unit: "ms", ours: delays.at(-1) ?? 0, target: { atMost: 1000 } },
        ],
      };
    } finally {
      server?.kill("SIGKILL");
      await api.close();
      await cluster.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

class Api {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #token: string;

  constructor(cluster: Cluster) {
    this.#agent = new Agent({ connect: { ca: cluster.authority }, connections: lanes });
    this.#origin = cluster.server;
    this.#token = cluster.token("admin");
  }

  async create(all: readonly ClusterObject[]): Promise<void> {
    let next = 0;
    const lane = async () => {
      for (let at = all[next++]; at !== undefined; at = all[next++]) await this.#send("POST", at.path, at.object);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  async remove({ path, object }: ClusterObject, name: string): Promise<void> {
    await this.#send("DELETE", `${path}/${name}?gracePeriodSeconds=0`, object["nothing"]);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  async #send(method: "POST" | "DELETE", path: string, body: unknown): Promise<void> {
    const response = await this.#agent.request({
      origin: this.#origin,
      path,
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
  }
}

/** Where the server is, once it has looked at everything. */
function readyAt(server: ChildProcess): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    const take = (chunk: unknown) => {
      output += String(chunk);
      const origin = /console:? .*(http:\/\/[^/]+)\//.exec(output)?.[1];
      if (origin !== undefined && output.includes("castellan: governs")) resolve(origin);
    };
    server.stdout?.on("data", take);
    server.stderr?.on("data", take);
    server.once("exit", (code) => reject(new Error(`the server ended: ${code}\n${output}`)));
  });
}

/** Milliseconds until a pod that breaks rules is among the findings, and until it is not any more; sorted. */
async function changes(api: Api, origin: string): Promise<readonly number[]> {
  const delays: number[] = [];
  for (let n = 0; n < looks; n++) {
    const name = `changed-${n}`;
    const { path, object } = clusterObject(0);
    const before = await findings(origin);
    const delay = async (change: Promise<void>, seen: (now: number) => boolean) => {
      await change;
      const start = performance.now();
      while (!seen(await findings(origin))) await sleep(20);
      delays.push(performance.now() - start);
    };
    const metadata = { name, namespace: "team-0" };
    await delay(api.create([{ path, object: { ...object, metadata } }]), (now) => now > before);
    await delay(api.remove({ path, object: {} }, name), (now) => now === before);
  }
  return delays.sort((a, b) => a - b);
}

async function findings(origin: string): Promise<number> {
  const text = await (await request(`${origin}/metrics`)).body.text();
  return text
    .split("\n")
    .filter((line) => line.startsWith("castellan_findings{"))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** CPU in milliseconds, and the most memory so far in MB, as Linux tells; 0 elsewhere. */
function costOf(pid: number | undefined): { readonly cpu: number; readonly memory: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13);
    const memory = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
    // A tick is a hundredth of a second on every Linux.
    return { cpu: (Number(user) + Number(system)) * 10, memory: memory / 1024 };
  } catch {
    return { cpu: 0, memory: 0 };
  }
}
