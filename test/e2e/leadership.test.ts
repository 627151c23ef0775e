import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type KubernetesClient } from "../../src/adapters/kubernetes/client.ts";
import { clusterAccess } from "../../src/adapters/kubernetes/kubeconfig.ts";
import { Leadership } from "../../src/services/live/leadership.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";

const times = { lease: 1500, deadline: 1000, retry: 100 };
let cluster: Cluster | NotAvailable;
let client: KubernetesClient;

beforeAll(async () => {
  cluster = await startCluster();
  if (!cluster.available) return;
  const access = clusterAccess({ context: "admin", kubeconfig: cluster.kubeconfig, env: {}, home: "/" });
  const connected = access.ok ? await connect(access.value) : access;
  if (!connected.ok) throw new Error(JSON.stringify(connected.diagnostics));
  client = connected.value;
});

afterAll(async () => {
  if (!cluster.available) return;
  await client.close();
  await cluster.stop();
});

interface Replica {
  readonly leadership: Leadership;
  /** As if the process were stopped, or its network gone. */
  cutOff: boolean;
}

function replica(identity: string, name: string, log: string[]): Replica {
  const one = { cutOff: false };
  const unlessCutOff =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      one.cutOff ? Promise.reject(new Error("cut off")) : work(...args);
  const leadership = new Leadership({
    client: {
      ...client,
      context: client.context,
      get: unlessCutOff((path: string) => client.get(path)),
      send: unlessCutOff((request) => client.send(request)),
    },
    namespace: "default",
    name,
    identity,
    ticks: () => performance.now(),
    now: Date.now,
    times,
    onChange: (leads) => log.push(`${identity} ${leads ? "leads" : "follows"}`),
    onTrouble: () => {},
  });
  return Object.assign(one, { leadership });
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 15_000; !condition(); await sleep(20))
    if (performance.now() > end) throw new Error("it did not happen");
}

describe("of several replicas", () => {
  test("one leads; another takes over when it stops, and when it is cut off, but never before", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const log: string[] = [];
    const [a, b, c] = ["a", "b", "c"].map((identity) => replica(identity, "takeover", log));
    if (a === undefined || b === undefined || c === undefined) throw new Error("unreachable");
    await a.leadership.start();
    await Promise.all([b.leadership.start(), c.leadership.start()]);
    expect(log).toEqual(["a leads"]);
    await sleep(times.lease * 2);
    expect(log).toEqual(["a leads"]);
    await a.leadership.stop();
    await until(() => log.length === 3);
    expect(log.slice(0, 2)).toEqual(["a leads", "a follows"]);
    const leader = b.leadership.leads ? b : c;
    leader.cutOff = true;
    await until(() => log.length === 5);
    // Who was cut off has stopped to lead before another began.
    expect(log.slice(3)).toEqual(leader === b ? ["b follows", "c leads"] : ["c follows", "b leads"]);
    leader.cutOff = false;
    await sleep(times.lease);
    expect([b, c].filter(({ leadership }) => leadership.leads)).toHaveLength(1);
    await Promise.all([b.leadership.stop(), c.leadership.stop()]);
  });

  test("at the same moment only one begins", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    for (let round = 0; round < 5; round++) {
      const log: string[] = [];
      const all = Array.from({ length: 8 }, (_, i) => replica(`r${i}`, `race-${round}`, log));
      await Promise.all(all.map(({ leadership }) => leadership.start()));
      expect(all.filter(({ leadership }) => leadership.leads)).toHaveLength(1);
      await Promise.all(all.map(({ leadership }) => leadership.stop()));
    }
  });
});
