import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Agent } from "undici";
import { afterEach, expect, test } from "vitest";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import { Ledger, type LedgerLimits } from "../../src/adapters/store/ledger.ts";
import { recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { batchHandlers } from "../../src/cli/serve-batches.ts";
import { maximumBody, maximumInflated } from "../../src/server/webhook/body.ts";
import { listenForReviews } from "../../src/server/webhook/webhook.ts";
import { auditEvent, eventList } from "../bench/audit-events.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

interface Stand {
  post(body: string | Buffer | Readable, headers?: { readonly [name: string]: string }): Promise<Answer>;
  /** The audit IDs in the ledger. */
  kept(): Promise<readonly string[]>;
  readonly troubles: readonly string[];
  /** Then nothing more is kept. */
  endLedger(): Promise<void>;
  stop(): Promise<void>;
}

const stands: Stand[] = [];
afterEach(async () => {
  for (const stand of stands.splice(0)) await stand.stop();
});

/** The listener of audit events as the server runs it, with an embedded database. */
async function start(limits?: LedgerLimits, room?: number): Promise<Stand> {
  const directory = await mkdtemp(join(tmpdir(), "castellan-audit-batches-"));
  const store = await openSqlite(directory);
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), Date.now, limits);
  const authority = await createAuthority("test", Date.now(), 1);
  const troubles: string[] = [];
  const trouble = (error: unknown) => void troubles.push(String(error));
  const webhook = await listenForReviews({
    host: "127.0.0.1",
    port: 0,
    identity: await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, Date.now(), 1),
    callers: { open: () => undefined, onRefused: () => {} },
    batches: {
      isAuthorized: (header) => header === "Bearer token",
      handlers: batchHandlers({ ledger, flows: () => {}, trouble }),
      ...(room === undefined ? {} : { room }),
    },
    handle: async () => undefined,
    onError: trouble,
  });
  const agent = new Agent({ connections: 64, connect: { ca: authority.certificate } });
  const stand: Stand = {
    troubles,
    post: async (body, headers = {}) => {
      const own = { authorization: "Bearer token", "content-type": "application/json", ...headers };
      const origin = `https://127.0.0.1:${webhook.port}`;
      const answer = await agent.request({ origin, path: "/audit/prod", method: "POST", headers: own, body });
      return {
        status: answer.statusCode,
        text: await answer.body.text(),
        retryAfter: answer.headers["retry-after"]?.toString(),
      };
    },
    kept: async () => {
      const rows = await recordsFrom(store.reading, 0, 1_000_000);
      return rows.map(({ body }) => JSON.parse(body).data.auditID);
    },
    endLedger: () => ledger.close(),
    stop: async () => {
      await agent.destroy();
      await webhook.close();
      await ledger.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  stands.push(stand);
  return stand;
}

const mebibyte = 1024 * 1024;
/** As many events as an API server puts into one batch at most: 10 MiB of them, what is around them not counted. */
const events = Math.ceil((10 * mebibyte) / JSON.stringify(auditEvent(0)).length);
const list = eventList(0, events);

/** A list that has exactly so many bytes. */
const listOf = (bytes: number) => list.replace(/}$/, `,"padding":"${"x".repeat(bytes - list.length - 13)}"}`);

test.each([
  ["plain", () => list, {}],
  ["plain, without its length", () => Readable.from([list]), {}],
  ["by gzip", () => gzipSync(list), { "content-encoding": "gzip" }],
  ["as large as it may be", () => listOf(maximumBody), {}],
])("a batch of 10 MiB of events is kept whole: %s", async (_, body, headers) => {
  expect(list.length).toBeGreaterThan(10 * mebibyte);
  const stand = await start();
  expect(await stand.post(body(), headers)).toMatchObject({ status: 200, text: "kept" });
  const kept = await stand.kept();
  expect(kept).toEqual(Array.from({ length: events }, (_, n) => auditEvent(n)["auditID"]));
  expect(stand.troubles).toEqual([]);
});

const gzip = { "content-encoding": "gzip" };
test.each([
  ["one byte too large", () => listOf(maximumBody + 1), {}, 413, /^a body may have 16777216 bytes/],
  ["one byte too large, without its length", () => Readable.from([listOf(maximumBody + 1)]), {}, 413, /^a body may have/],
  ["a bomb", () => gzipSync(Buffer.alloc(maximumInflated + 1, " ")), gzip, 413, /67108864 once inflated$/],
  ["a bomb after events", () => gzipSync(listOf(maximumInflated + 1)), gzip, 413, /67108864 once inflated$/],
  ["no gzip", () => list.slice(0, 100), gzip, 400, /^the body is not the gzip that it says it is/],
  ["gzip without its end", () => gzipSync(list).subarray(0, 9000), gzip, 400, /^the body is not the gzip that it says it is/],
  ["another encoding", () => list, { "content-encoding": "br" }, 415, /^content-encoding br is not known/],
  ["no JSON", () => "events", {}, 400, /^the body is not JSON$/],
  ["JSON without its end", () => list.slice(0, -1), {}, 400, /^the body is not JSON$/],
  ["nothing", () => "", {}, 400, /^the body is not JSON$/],
  ["no event", () => '{"kind":"Status"}', {}, 400, /^1 values of an audit batch of prod are no events: it has no auditID/],
])("nothing of it is kept, and the sender is told why: %s", async (_, body, headers, status, text) => {
  const stand = await start();
  expect(await stand.post(body(), headers)).toMatchObject({ status, text: expect.stringMatching(text), retryAfter: undefined });
  expect(await stand.kept()).toEqual([]);
  // The next one is taken.
  expect(await stand.post(eventList(0, 2))).toMatchObject({ status: 200 });
  expect(await stand.kept()).toHaveLength(2);
});

test("what is no event among others is told, and the others are kept", async () => {
  const stand = await start();
  const items = [auditEvent(0), { kind: "Event" }, auditEvent(1)];
  expect(await stand.post(JSON.stringify({ kind: "EventList", items }))).toMatchObject({ status: 200 });
  expect(await stand.kept()).toHaveLength(2);
  expect(stand.troubles).toEqual([expect.stringContaining("1 values of an audit batch of prod are no events")]);
});

const batches = Array.from({ length: 60 }, (_, n) => eventList(n * 100, 100));
test.each([
  ["the ledger", { batch: 100, waiting: 300 }, undefined],
  ["the memory", undefined, 5 * (batches[0]?.length ?? 0)],
] as const)(
  "where %s has no room for more, senders are asked to come again, and nothing is lost or kept twice",
  async (_, limits, room) => {
    const stand = await start(limits, room);
    const answers: Answer[] = [];
    await Promise.all(
      batches.map(async (batch) => {
        for (;;) {
          const answer = await stand.post(batch);
          answers.push(answer);
          if (answer.status === 200) return;
          await sleep(20 * Math.random());
        }
      }),
    );
    const busy = answers.filter(({ status }) => status !== 200);
    expect(busy.length).toBeGreaterThan(0);
    expect(new Set(busy.map(({ status, retryAfter }) => `${status} ${retryAfter}`))).toEqual(new Set(["429 1"]));
    const kept = await stand.kept();
    expect(new Set(kept).size).toBe(kept.length);
    expect(kept).toHaveLength(batches.length * 100);
  },
);

test("where nothing can be kept the batch is to be sent again later", async () => {
  const stand = await start();
  await stand.endLedger();
  expect(await stand.post(eventList(0, 2))).toMatchObject({ status: 503, retryAfter: "5" });
  expect(stand.troubles).toEqual([expect.stringContaining("the ledger is closed")]);
});
