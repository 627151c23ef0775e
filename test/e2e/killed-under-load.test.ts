import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { auditEvent, eventList } from "../bench/audit-events.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { type RunningPostgres, startPostgres } from "../database/postgres.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import { configMap, configMapReview, requireTeam } from "./require-team.ts";
import { type Post, postOnce, WebhookLoad } from "./webhook-load.ts";

/** As many reviews as an API server has under way when it is busy. */
const lanes = 32;
const eventsPerBatch = 50;
/** After how many acknowledgements the server is killed, each time on what the time before left. */
const killedAfter = { reviews: [500, 3000, 2000], batches: [10, 80, 40] } as const;

let cluster: Cluster | NotAvailable;
let postgres: RunningPostgres | undefined;
let directory = "";
let server: CastellanServer | undefined;

/** Where the records are: the variables of the server's environment, undefined where there is no such database here. */
const databases: readonly (readonly [string, () => Promise<NodeJS.ProcessEnv | undefined>])[] = [
  ["SQLite", async () => ({})],
  ["PostgreSQL", async () => (postgres === undefined ? undefined : { DATABASE_URL: await postgres.create() })],
];

async function serve(running: Cluster, data: string, env: NodeJS.ProcessEnv): Promise<CastellanServer> {
  const flags = ["--kubeconfig", running.kubeconfig, "--policies", join(directory, "policies.yaml"), "--take-over-webhooks"];
  server = new CastellanServer(join(directory, data), flags, env);
  await server.start();
  return server;
}

/** The path under which the API server asks about ConfigMaps now, its key among it. */
async function registeredPath(running: Cluster, castellan: CastellanServer): Promise<string> {
  const query = ["get", "validatingwebhookconfiguration", "castellan", "-o", "jsonpath={.webhooks[*].clientConfig.url}"];
  let path = "";
  await castellan.until(async () => {
    const urls = (await kubectl(running, query)).text.split(" ").map((url) => url.trim());
    path = urls.find((url) => url.includes(castellan.webhook) && url.endsWith("/validate/deny")) ?? "";
    return path !== "";
  });
  return new URL(path).pathname;
}

/** Every second one is refused by the policy. */
function review(uid: string, n: number): string {
  return JSON.stringify(configMapReview(uid, `killed-${uid}`, n % 2 === 0 ? { team: "x" } : {}));
}

/** Posts until so many were acknowledged, and kills the server while more are under way. */
async function killDuring(castellan: CastellanServer, count: number, next: (n: number) => Post): Promise<WebhookLoad> {
  const start = performance.now();
  const load = new WebhookLoad(castellan.webhook, lanes, next);
  await castellan.until(() => load.acknowledged.length >= count);
  // 2,600 to 5,400 reviews/s once connections are open, on two cores; enough that this is load wherever it runs.
  if (count >= 2000) expect(count / ((performance.now() - start) / 1000)).toBeGreaterThan(500);
  await castellan.stop("SIGKILL");
  await load.ended;
  expect(load.refused).toEqual([]);
  expect(load.unanswered.length).toBeGreaterThan(0);
  return load;
}

interface Kept {
  readonly outcome: string;
  readonly data: { readonly uid?: string; readonly auditID?: string };
}

async function records(castellan: CastellanServer, kind: string): Promise<readonly Kept[]> {
  const { text } = await castellan.run("audit", "export", "--kind", kind);
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).record);
}

async function expectVerified(castellan: CastellanServer): Promise<void> {
  expect(await castellan.run("audit", "verify")).toMatchObject({ code: 0, text: expect.stringMatching(/^verified/) });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-killed-"));
  await writeFile(join(directory, "policies.yaml"), requireTeam);
  [cluster, postgres] = await Promise.all([startCluster(), startPostgres()]);
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

afterAll(async () => {
  if (cluster.available) await cluster.stop();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe.for(databases)("kill -9 at full speed, %s", ([database, environment]) => {
  test("every answered review is in the ledger as it was answered", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const env = await environment();
    if (env === undefined) return skip(`${database} is not installed`);
    const castellan = await serve(cluster, `reviews-${database}`, env);
    const answered = new Map<string, string>();
    for (const [round, count] of killedAfter.reviews.entries()) {
      const path = await registeredPath(cluster, castellan);
      const load = await killDuring(castellan, count, (n) => {
        const id = `${round}-${n}`;
        return { id, path, body: review(id, n) };
      });
      for (const { id, answer } of load.acknowledged)
        answered.set(id, JSON.parse(answer).response.allowed === true ? "allow" : "deny");
      await castellan.start();
    }
    const kept = await records(castellan, "admission.decision");
    const outcomes = new Map(kept.map(({ data, outcome }) => [data.uid, outcome]));
    expect([...answered].filter(([uid, outcome]) => outcomes.get(uid) !== outcome)).toEqual([]);
    expect(new Set(answered.values())).toEqual(new Set(["allow", "deny"]));
    await expectVerified(castellan);
    const denied = await kubectl(cluster, ["create", "-f", "-"], configMap(`after-${database.toLowerCase()}`, {}));
    expect(denied.text).toContain("label team is required");
  });

  test("every acknowledged audit event is in the ledger once, what is sent again included", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const env = await environment();
    if (env === undefined) return skip(`${database} is not installed`);
    const castellan = await serve(cluster, `events-${database}`, env);
    const token = (await readFile(join(directory, `events-${database}`, "audit-token"), "utf8")).trim();
    const headers = { authorization: `Bearer ${token}` };
    const batch = (id: number): Post => {
      return { id: String(id), path: "/audit?cluster=prod", headers, body: eventList(id * eventsPerBatch, eventsPerBatch) };
    };
    const acknowledged = new Set<number>();
    for (const [round, count] of killedAfter.batches.entries()) {
      const load = await killDuring(castellan, count, (n) => batch(round * 10_000 + n));
      await castellan.start();
      // As the API server does with what it was not answered, and of what was answered already nothing is kept twice.
      const again = [...load.unanswered, ...load.acknowledged.slice(-5)].map(({ id }) => Number(id));
      const answers = await Promise.all(again.map((id) => postOnce(castellan.webhook, batch(id))));
      expect(answers.filter((status) => status !== 200)).toEqual([]);
      for (const id of [...load.acknowledged.map((post) => Number(post.id)), ...again]) acknowledged.add(id);
    }
    const kept = (await records(castellan, "audit.event")).map(({ data }) => data.auditID ?? "");
    expect(new Set(kept).size).toBe(kept.length);
    const wanted = [...acknowledged].flatMap((id) =>
      Array.from({ length: eventsPerBatch }, (_, n) => String(auditEvent(id * eventsPerBatch + n)["auditID"])),
    );
    const known = new Set(kept);
    expect(wanted.filter((id) => !known.has(id))).toEqual([]);
    await expectVerified(castellan);
  });
});
