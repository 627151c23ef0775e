import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { asAdmin, installGatewayRoles } from "../e2e/gateway-stand.ts";
import { type Bench, type BenchRow, nodeAsServed } from "./bench.ts";

const namespace = "bench";
const single = 1500;
/** Requests before any is measured: a gateway runs for weeks, what its first calls cost while they are compiled is not its cost. */
const warmUp = 10_000;
const rate = 200;
const rateSeconds = 10;
const watches = 2000;

interface Way {
  readonly origin: string;
  readonly authority: string;
  readonly token: string;
}

/** The gateway beside the API server itself: one machine, one run, one kind of client. */
export const gatewayBench: Bench = {
  name: "gateway",
  async run() {
    const cluster = await startCluster();
    if (!cluster.available) return { rows: [], skipped: cluster.reason };
    const children: ChildProcess[] = [];
    const launch = async (file: string, ...args: readonly string[]) => {
      const child = spawn(process.execPath, ["--expose-gc", ...nodeAsServed, join(import.meta.dirname, file), ...args], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      const proxy = new ProxyProcess(child);
      const { port, authority } = await proxy.ready();
      return { proxy, origin: `https://127.0.0.1:${port}`, authority };
    };
    try {
      await prepare(cluster);
      const token = "alice-token";
      const direct: Way = { origin: cluster.server, authority: cluster.authority, token };
      const least = await launch(
        "bare-proxy-server.ts",
        cluster.server,
        Buffer.from(cluster.authority).toString("base64"),
        token,
      );
      const gateway = await launch("gateway-server.ts", cluster.kubeconfig, "bob");
      return { rows: await measure(direct, { ...least, token }, { ...gateway, token: "ada-token" }) };
    } finally {
      for (const child of children) child.kill("SIGTERM");
      await cluster.stop();
    }
  },
};

/** One role for the person behind the gateway and for who goes directly. */
async function prepare(cluster: Cluster): Promise<void> {
  await installGatewayRoles(cluster);
  await asAdmin(cluster, ["create", "namespace", namespace]);
  await asAdmin(cluster, ["create", "clusterrole", "reader", "--verb=get,list,watch", "--resource=configmaps"]);
  await asAdmin(cluster, ["create", "clusterrolebinding", "reader", "--clusterrole=reader", "--group=team", "--user=alice"]);
  await asAdmin(cluster, ["create", "configmap", "small", "-n", namespace, "--from-literal=a=b"]);
  for (let batch = 0; batch < 10; batch++) {
    const items = Array.from({ length: 50 }, (_, i) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `large-${batch}-${i}`, namespace },
      // Compresses as little as certificates and models' configurations do.
      data: { data: randomBytes(75_000).toString("base64") },
    }));
    await asAdmin(cluster, ["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  }
}

const one = `/api/v1/namespaces/${namespace}/configmaps/small`;
const all = `/api/v1/namespaces/${namespace}/configmaps`;

/** Behind a process of which it can be asked what it costs. */
type ProxyWay = Way & { readonly proxy: ProxyProcess };

async function measure(direct: Way, least: ProxyWay, through: ProxyWay): Promise<readonly BenchRow[]> {
  for (const way of [direct, least, through]) await sequence(way, warmUp);
  const times: { readonly [way in "direct" | "least" | "through"]: number[] } = { direct: [], least: [], through: [] };
  const cpu = { least: 0, through: 0 };
  // In turns, so that what else the machine does falls on all.
  for (let turn = 0; turn < 5; turn++) {
    times.direct.push(...(await sequence(direct, single / 5)));
    for (const [name, way] of [
      ["least", least],
      ["through", through],
    ] as const) {
      const before = (await way.proxy.state()).cpu;
      times[name].push(...(await sequence(way, single / 5)));
      cpu[name] += ((await way.proxy.state()).cpu - before) / single;
    }
  }
  const paced = { direct: await atRate(direct), least: await atRate(least), through: await atRate(through) };
  return [
    ...added("one client", times, { p50: 1, p99: 5 }),
    { name: "CPU a request", unit: "ms", ours: cpu.through, peer: cpu.least, target: { atMost: 0.8 } },
    ...added(`${rate} GET/s`, paced, { p50: 2, p99: undefined }),
    ...(await largeList(direct, through)),
    ...(await openWatches(through)),
  ];
}

/** What the gateway adds to direct access; the peer is what the least proxy adds. */
function added(
  name: string,
  times: { readonly [way in "direct" | "least" | "through"]: readonly number[] },
  targets: { readonly p50: number; readonly p99: number | undefined },
): readonly BenchRow[] {
  const over = (way: "least" | "through", share: number) => at(times[way], share) - at(times.direct, share);
  const row = (label: string, share: number, target: number | undefined): BenchRow => ({
    name: `${name}, ${label} added`,
    unit: "ms",
    ours: over("through", share),
    peer: over("least", share),
    ...(target === undefined ? {} : { target: { atMost: target } }),
  });
  return [row("p50", 0.5, targets.p50), row("p99", 0.99, targets.p99)];
}

function at(values: readonly number[], share: number): number {
  return [...values].sort((x, y) => x - y)[Math.floor(values.length * share)] ?? 0;
}

function agentOf(way: Way, maxSockets: number): Agent {
  return new Agent({ ca: way.authority, keepAlive: true, maxSockets, checkServerIdentity: () => undefined });
}

function get(way: Way, agent: Agent, path: string, more: { readonly [name: string]: string } = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(way.origin + path, { agent, headers: { authorization: `Bearer ${way.token}`, ...more } }, resolve)
      .on("error", reject)
      .end();
  });
}

async function whole(way: Way, agent: Agent, path: string, more: { readonly [name: string]: string } = {}): Promise<number> {
  const response = await get(way, agent, path, more);
  let bytes = 0;
  // An asynchronous iterator would cost the client more than the gateway costs.
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await finished(response);
  if (response.statusCode !== 200) throw new Error(`HTTP status ${response.statusCode}`);
  return bytes;
}

async function sequence(way: Way, count: number): Promise<number[]> {
  const agent = agentOf(way, 1);
  const times: number[] = [];
  await whole(way, agent, one);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await whole(way, agent, one);
    times.push(performance.now() - start);
  }
  agent.destroy();
  return times;
}

/** At their times, whether or not the answers before have come. */
async function atRate(way: Way): Promise<number[]> {
  const agent = agentOf(way, 50);
  const times: number[] = [];
  const running: Promise<void>[] = [];
  const begin = performance.now();
  for (let i = 0; i < rate * rateSeconds; i++) {
    const due = begin + (i * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    const start = performance.now();
    running.push(
      whole(way, agent, one).then(() => {
        times.push(performance.now() - start);
      }),
    );
  }
  await Promise.all(running);
  agent.destroy();
  return times.slice(rate);
}

async function largeList(direct: Way, through: ProxyWay): Promise<readonly BenchRow[]> {
  await whole(through, agentOf(through, 1), all);
  await through.proxy.say("collect");
  const before = (await through.proxy.state()).rss;
  let peak = before;
  const poll = setInterval(() => {
    through.proxy.state().then(({ rss }) => {
      peak = Math.max(peak, rss);
    }, console.error);
  }, 20);
  // As Go's client asks, kubectl's among others, and as a client that takes no compression.
  const times = [
    await listTimes("50 MB list, gzip", direct, through, { "accept-encoding": "gzip" }),
    await listTimes("50 MB list, plain", direct, through, {}),
  ];
  clearInterval(poll);
  return [...times, { name: "50 MB list, memory", unit: "MB", ours: Math.max(0, peak - before), target: { atMost: 20 } }];
}

async function listTimes(
  name: string,
  direct: Way,
  through: Way,
  headers: { readonly [name: string]: string },
): Promise<BenchRow> {
  const taken = async (way: Way) => {
    const agent = agentOf(way, 1);
    const start = performance.now();
    await whole(way, agent, all, headers);
    agent.destroy();
    return performance.now() - start;
  };
  const times: { readonly [way in "direct" | "through"]: number[] } = { direct: [], through: [] };
  // In turns, and the middle of many: what else the two cores do changes one list by a third.
  for (let i = 0; i < 15; i++) {
    times.direct.push(await taken(direct));
    times.through.push(await taken(through));
  }
  const peer = at(times.direct, 0.5);
  return { name, unit: "ms", ours: at(times.through, 0.5), peer, target: { atMost: peer * 1.2 } };
}

async function openWatches(through: ProxyWay): Promise<readonly BenchRow[]> {
  await through.proxy.say("collect");
  const before = (await through.proxy.state()).rss;
  const agent = agentOf(through, Number.POSITIVE_INFINITY);
  const open: IncomingMessage[] = [];
  const path = `${all}?watch=1&fieldSelector=metadata.name%3Dsmall`;
  for (let i = 0; i < watches; i += 50) {
    open.push(...(await Promise.all(Array.from({ length: 50 }, () => get(through, agent, path)))));
  }
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const { rss, streams } = await through.proxy.state();
  if (streams !== watches) throw new Error(`${streams} watches are open`);
  const start = performance.now();
  const closed = open.map(
    (response) => new Promise((resolve) => response.resume().once("close", resolve).once("error", resolve)),
  );
  await through.proxy.say("lock");
  await Promise.all(closed);
  const cut = performance.now() - start;
  agent.destroy();
  return [
    { name: `${watches} watches, memory`, unit: "MB", ours: rss - before, target: { atMost: 400 } },
    { name: `lock to ${watches} watches cut`, unit: "ms", ours: cut, target: { atMost: 1000 } },
  ];
}

interface State {
  readonly cpu: number;
  readonly rss: number;
  readonly streams: number;
}

/** It answers every line with a line. */
class ProxyProcess {
  readonly #child: ChildProcess;
  readonly #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the gateway has no output");
    createInterface({ input: child.stdout }).on("line", (line) => this.#waiting.shift()?.resolve(line));
    child.once("exit", (code) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the gateway ended: ${code}`));
    });
  }

  async ready(): Promise<{ readonly port: number; readonly authority: string }> {
    return JSON.parse(await this.#line());
  }

  state(): Promise<State> {
    return this.say("state");
  }

  async say(word: string): Promise<State> {
    const line = this.#line();
    this.#child.stdin?.write(`${word}\n`);
    return JSON.parse(await line);
  }

  #line(): Promise<string> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}
