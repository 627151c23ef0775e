import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Agent } from "undici";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { keysOf, openSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { verifyStore } from "../../src/adapters/store/verify-store.ts";
import { ingestEvents } from "../../src/services/audit/ingest.ts";
import { startPostgres } from "../database/postgres.ts";
import { auditEvent, eventList } from "./audit-events.ts";
import { type Bench, type BenchRow, nodeAsServed } from "./bench.ts";

const records = Number(process.env["CASTELLAN_BENCH_RECORDS"] ?? 1_000_000);
/** Half of them plain, half gzipped. */
const seconds = Number(process.env["CASTELLAN_BENCH_SECONDS"] ?? 300);
/** The API server's default (`--audit-webhook-batch-max-size`). */
const batch = 400;
const perSecond = 4000;

/** Audit events come as the API server sends them, onto a ledger that is large already; then all of it is verified. */
export const ledgerBench: Bench = {
  name: "ledger",
  async run() {
    const directory = await mkdtemp(join(tmpdir(), "castellan-bench-"));
    try {
      return { rows: await measure("SQLite", () => openSqlite(directory), directory) };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** The same on a PostgreSQL server of its own. */
export const ledgerPostgresBench: Bench = {
  name: "ledger-postgres",
  async run() {
    const postgres = await startPostgres();
    if (postgres === undefined) return { rows: [], skipped: "PostgreSQL is not installed" };
    const directory = await mkdtemp(join(tmpdir(), "castellan-bench-"));
    try {
      const url = await postgres.create();
      return { rows: await measure("PostgreSQL", () => openPostgres(url), directory, url) };
    } finally {
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

async function measure(
  engine: string,
  open: () => Promise<Store>,
  directory: string,
  ...url: readonly string[]
): Promise<readonly BenchRow[]> {
  const before = await open();
  const ledger = new Ledger(before, await openSigner(directory, "bench/ledger"), Date.now);
  for (let n = 0; n < records; n += 2000) {
    const events = Array.from({ length: Math.min(2000, records - n) }, (_, i) => auditEvent(n + i));
    await ingestEvents(ledger, events, "bench");
  }
  await ledger.close();
  await before.close();

  const rows: BenchRow[] = [];
  const server = spawn(process.execPath, [...nodeAsServed, join(import.meta.dirname, "ledger-server.ts"), directory, ...url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const address = `https://127.0.0.1:${(await line(server)).trim()}`;
    let next = records;
    await post(address, next, 40 * batch, false, Number.POSITIVE_INFINITY);
    next += 40 * batch;
    for (const gzip of [false, true]) {
      const count = perSecond * (seconds / 2);
      const { latencies } = await post(address, next, count, gzip, perSecond);
      next += count;
      const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
      const name = `${engine}, ${perSecond} events/s${gzip ? ", gzip" : ""}`;
      rows.push(
        { name: `${name}: ack p50`, unit: "ms", ours: at(0.5) },
        { name: `${name}: ack p99`, unit: "ms", ours: at(0.99), target: { atMost: 100 } },
      );
    }
    const { took } = await post(address, next, 200 * batch, false, Number.POSITIVE_INFINITY);
    rows.push({
      name: `${engine}, time an event at full speed`,
      unit: "us",
      ours: took / (200 * batch),
      target: { atMost: 250 },
    });
    next += 200 * batch;
    server.kill("SIGTERM");
    const cost: { cpu: number; memory: number } = JSON.parse(await line(server));
    rows.push({ name: `${engine}, CPU an event`, unit: "us", ours: cost.cpu / (next - records) });
    rows.push({ name: `${engine}, memory`, unit: "MB", ours: cost.memory / 2 ** 20 });
  } finally {
    server.kill("SIGKILL");
  }
  const store = await open();
  const start = performance.now();
  const { size, problemCount } = await verifyStore(store, await keysOf(directory), verifyEd25519);
  const perMillion = ((performance.now() - start) / size) * 1e6;
  await store.close();
  if (problemCount > 0) throw new Error(`${engine}: ${problemCount} problems`);
  return [...rows, { name: `${engine}, verifying 1 M records`, unit: "ms", ours: perMillion, target: { atMost: 15_000 } }];
}

/** Posts events in batches when each is due, four connections at most; acknowledgements count from when it was due. */
async function post(url: string, first: number, count: number, gzip: boolean, rate: number) {
  const agent = new Agent({ connect: { rejectUnauthorized: false }, connections: 4 });
  const bodies = Array.from({ length: Math.min(count / batch, 200) }, (_, i) => bodyOf(first + i * batch, gzip));
  const latencies: number[] = [];
  const start = performance.now();
  let next = 0;
  const lane = async () => {
    while (next * batch < count) {
      const i = next++;
      // Bodies are made ahead for short runs only; a long one makes them while it waits.
      const body = bodies[i] ?? bodyOf(first + i * batch, gzip);
      bodies[i] = undefined;
      const due = start + (i * batch * 1000) / rate;
      if (due > performance.now()) await sleep(due - performance.now());
      const from = Number.isFinite(rate) ? Math.max(due, start) : performance.now();
      const headers = { "content-type": "application/json", ...(gzip ? { "content-encoding": "gzip" } : {}) };
      const response = await agent.request({
        origin: url,
        path: "/audit?cluster=bench",
        method: "POST",
        headers,
        body: body ?? "",
      });
      const text = await response.body.text();
      if (response.statusCode !== 200) throw new Error(`the server answered ${response.statusCode}: ${text}`);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  const took = (performance.now() - start) * 1000;
  await agent.close();
  return { latencies: latencies.sort((a, b) => a - b), took };
}

function bodyOf(first: number, gzip: boolean): Buffer | string | undefined {
  const text = eventList(first, batch);
  return gzip ? gzipSync(text, { level: 1 }) : text;
}

function line(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (chunk) => resolve(String(chunk)));
    child.once("exit", (code) => reject(new Error(`the server ended: ${code}`)));
  });
}
