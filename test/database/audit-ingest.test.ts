import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { queryLedger } from "../../src/adapters/store/ledger-reading.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { ingestEvents } from "../../src/services/audit/ingest.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let server: RunningPostgres | undefined;
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-ingest-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs `work` with an empty ledger and what tells its records. */
async function withLedger(engine: string, work: (ledger: Ledger, names: () => Promise<readonly string[]>) => Promise<void>) {
  const own = await mkdtemp(join(directory, "l-"));
  const store = engine === "sqlite" ? await openSqlite(own) : await openPostgres((await server?.create()) ?? "");
  const ledger = new Ledger(store, await openSigner(own, "test.example/ledger"), () => Date.UTC(2026, 10, 20, 11));
  const names = async () =>
    (await queryLedger(store.reading, {}, { limit: 100, from: 0 })).map(({ verb, name }) => `${verb} ${name ?? ""}`.trim());
  await work(ledger, names);
  await ledger.close();
  await store.close();
}

/** Which no compression makes short. */
const long = Array.from({ length: 4000 }, (_, n) => hash("sha256", String(n), "base64url")).join("");

const event = (more: JsonObject): JsonObject => ({
  auditID: "same",
  stage: "ResponseComplete",
  verb: "get",
  requestURI: "/version",
  user: { username: "mallory" },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: "2026-11-20T10:00:00.000000Z",
  stageTimestamp: "2026-11-20T10:00:00.010000Z",
  ...more,
});
const version = event({});
const secret = (name: string, more: JsonObject = {}) =>
  event({
    requestURI: `/api/v1/namespaces/a/secrets/${name}`,
    objectRef: { resource: "secrets", namespace: "a", name },
    ...more,
  });

interface Case {
  readonly what: string;
  readonly batches: readonly (readonly JsonObject[])[];
  readonly want: readonly string[];
}

const later = { requestReceivedTimestamp: "2026-11-20T10:00:01Z", stageTimestamp: "2026-11-20T10:00:01Z" };
const cases: readonly Case[] = [
  {
    what: "a batch that is sent again",
    batches: [
      [version, secret("s")],
      [version, secret("s")],
    ],
    want: ["get", "get s"],
  },
  { what: "an event twice in one batch", batches: [[version, version]], want: ["get"] },
  { what: "a request behind another one's audit ID", batches: [[version], [secret("s")]], want: ["get", "get s"] },
  { what: "both in one batch", batches: [[version, secret("s")]], want: ["get", "get s"] },
  { what: "the same request once more under its audit ID", batches: [[version], [event(later)]], want: ["get", "get"] },
  {
    what: "an audit ID too long for an index",
    batches: [[secret("s", { auditID: long }), version]],
    want: ["get s", "get"],
  },
  {
    what: "a namespace too long for an index",
    batches: [[secret("s", { objectRef: { resource: "secrets", namespace: long, name: "s" } }), version]],
    want: ["get s", "get"],
  },
  {
    what: "a name with a character that PostgreSQL does not take",
    batches: [[secret("s\u0000"), version]],
    want: ["get s\ufffd", "get"],
  },
];

describe.each(["sqlite", "postgres"])("on %s", (engine) => {
  test.for(cases)("$what", async ({ batches, want }, { skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    await withLedger(engine, async (ledger, names) => {
      for (const batch of batches) await ingestEvents(ledger, batch, "prod");
      expect(await names()).toEqual(want);
    });
  });
});
