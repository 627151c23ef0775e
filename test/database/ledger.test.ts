import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kysely, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import type { NewRecord } from "../../src/adapters/store/ledger-batch.ts";
import { ledgerHashes, sha256 } from "../../src/adapters/store/ledger-hashes.ts";
import {
  consistencyProof,
  inclusionProof,
  latestCheckpoint,
  queryLedger,
  recordsFrom,
} from "../../src/adapters/store/ledger-reading.ts";
import { verifyStoredLedger } from "../../src/adapters/store/ledger-verification.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { keysOf, openSigner, rotateSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite, readSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import type { Tables } from "../../src/adapters/store/tables.ts";
import { verifyStore } from "../../src/adapters/store/verify-store.ts";
import { readCheckpoint } from "../../src/ledger/checkpoint.ts";
import { verifyConsistency, verifyInclusion } from "../../src/ledger/proof.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 0, 30);
let server: RunningPostgres | undefined;
let directory = "";
let opened: Store[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-store-"));
  server = await startPostgres();
});

afterAll(async () => {
  for (const store of opened) await store.close();
  opened = [];
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

let count = 0;
async function open(engine: "sqlite" | "postgres"): Promise<Store> {
  const store =
    engine === "sqlite" ? await openSqlite(join(directory, `s${count++}`)) : await openPostgres((await server?.create()) ?? "");
  opened.push(store);
  return store;
}

function record(n: number, more: Partial<NewRecord> = {}): NewRecord {
  return {
    kind: "audit.event",
    at: start + n,
    cluster: "test",
    actor: n % 3 === 0 ? "alice" : "bob",
    verb: n % 2 === 0 ? "get" : "delete",
    resource: "secrets",
    namespace: `team-${n % 5}`,
    name: `s${n}`,
    outcome: "200",
    data: { n, text: "ключ \u0000 \ud83d\ude80", big: 2n ** 60n },
    ...more,
  };
}

async function filled(store: Store, sizes: readonly number[]) {
  let now = start;
  const keyDirectory = await mkdtemp(join(directory, "key-"));
  const signer = await openSigner(keyDirectory, "test.example/ledger");
  const ledger = new Ledger(store, signer, () => now);
  let n = 0;
  for (const size of sizes) {
    await ledger.append(Array.from({ length: size }, () => record(n++)));
    now += 20 * day;
  }
  return { ledger, keyDirectory, keys: await keysOf(keyDirectory) };
}

const engines = ["sqlite", "postgres"] as const;

describe.each(engines)("ledger on %s", (engine) => {
  test.runIf(engine === "sqlite" || process.env["CI"] === "true")("the database is there", () => {
    expect(engine === "sqlite" || server !== undefined).toBe(true);
  });

  test("keeps what it acknowledges, in order, and verifies", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const store = await open(engine);
    const { keys, ledger } = await filled(store, [1, 2, 600, 57]);
    const rows = await recordsFrom(store.reading, 0, 1000);
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: 660 }, (_, i) => i));
    expect(JSON.parse(rows[5]?.body ?? "")).toMatchObject({ kind: "audit.event", name: "s5", data: { n: 5 } });
    const verified = await verifyStoredLedger(store.reading, keys, verifyEd25519);
    expect(verified.problems).toEqual([]);
    expect(verified).toMatchObject({ size: 660, confirmed: 660, checkpoints: 4 });
    await ledger.close();
    await expect(ledger.append([record(1)])).rejects.toThrow("closed");
  });

  test("many callers share a commit, and each gets its own receipts", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const store = await open(engine);
    const { ledger, keys } = await filled(store, []);
    const receipts = await Promise.all(Array.from({ length: 300 }, (_, n) => ledger.append([record(n), record(n + 1000)])));
    expect(receipts.flat().map((receipt) => receipt?.seq)).toEqual(Array.from({ length: 600 }, (_, i) => i));
    const verified = await verifyStoredLedger(store.reading, keys, verifyEd25519);
    expect(verified.problems).toEqual([]);
    expect(verified.checkpoints).toBeLessThan(10);
  });

  test("an event told twice is kept once", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const { ledger } = await filled(await open(engine), []);
    const twice = [record(1, { key: "a" }), record(1, { key: "a" }), record(2, { key: "b" })];
    expect(await ledger.append(twice)).toEqual([{ seq: 0 }, undefined, { seq: 1 }]);
    expect(await ledger.append([record(1, { key: "b" }), record(3, { key: "c" })])).toEqual([undefined, { seq: 2 }]);
  });

  test("proves single records and that nothing was rewritten", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const store = await open(engine);
    const { keys } = await filled(store, [300, 700, 5]);
    const notes = await store.reading.selectFrom("ledger_checkpoints").selectAll().orderBy("size").execute();
    const heads = notes.map(({ note }) => {
      const reading = readCheckpoint(sha256, verifyEd25519, keys, note);
      if (!reading.ok) throw new Error(reading.reason);
      return reading.head;
    });
    const newest = heads[2] ?? { size: 0, root: new Uint8Array() };
    for (const index of [0, 255, 256, 511, 999, 1004]) {
      const [row] = await recordsFrom(store.reading, index, 1);
      const leaf = ledgerHashes.leafOfText(row?.body ?? "");
      const proof = await inclusionProof(store.reading, index, newest.size);
      expect(verifyInclusion(ledgerHashes, { leaf, index, ...newest }, proof)).toBe(true);
    }
    const [older] = heads;
    if (older === undefined) throw new Error("no checkpoint");
    expect(verifyConsistency(ledgerHashes, older, newest, await consistencyProof(store.reading, older.size, newest.size))).toBe(
      true,
    );
  });

  test("answers by who, what, where and when, page by page", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const store = await open(engine);
    await filled(store, [60]);
    const filter = { actors: ["alice"], verbs: ["del*"], namespaces: ["team-3", "team-0"], since: start + 10 };
    const first = await queryLedger(store.reading, filter, { limit: 2 });
    const rest = await queryLedger(store.reading, filter, { limit: 10, before: first.at(-1)?.seq });
    expect([...first, ...rest].map((row) => row.name)).toEqual(["s45", "s33", "s15"]);
    expect(await queryLedger(store.reading, { names: ["s_"] }, { limit: 9 })).toEqual([]);
  });

  const forgeries: {
    readonly what: string;
    readonly code: string;
    readonly to: number;
    forge(db: Kysely<Tables>): Promise<unknown>;
  }[] = [
    {
      what: "a byte of a text",
      code: "RECORD_CHANGED",
      to: 301,
      forge: (db) => sql`update ledger_records set body = replace(body, '"bob"', '"bot"') where seq = 301`.execute(db),
    },
    {
      what: "a text with its leaf",
      code: "TILE_CHANGED",
      to: 511,
      async forge(db) {
        const [row] = await recordsFrom(db, 301, 1);
        const body = (row?.body ?? "").replace("200", "403");
        const leaf = ledgerHashes.leafOfText(body);
        return db.updateTable("ledger_records").set({ body, leaf, outcome: "403" }).where("seq", "=", 301).execute();
      },
    },
    {
      what: "a column",
      code: "COLUMN_CHANGED",
      to: 301,
      forge: (db) => sql`update ledger_records set actor = 'carol' where seq = 301`.execute(db),
    },
    {
      what: "a time",
      code: "COLUMN_CHANGED",
      to: 301,
      forge: (db) => sql`update ledger_records set at = at + 1 where seq = 301`.execute(db),
    },
    {
      what: "a leaf",
      code: "RECORD_CHANGED",
      to: 301,
      forge: (db) =>
        db
          .updateTable("ledger_records")
          .set({ leaf: new Uint8Array(32) })
          .where("seq", "=", 301)
          .execute(),
    },
    {
      what: "a record taken out",
      code: "RECORD_MISSING",
      to: 301,
      forge: (db) => sql`delete from ledger_records where seq = 301`.execute(db),
    },
    {
      what: "the last record taken out",
      code: "LEDGER_TRUNCATED",
      to: 659,
      forge: (db) => sql`delete from ledger_records where seq = 659`.execute(db),
    },
    {
      what: "a stored hash",
      code: "TILE_CHANGED",
      to: 511,
      forge: (db) =>
        db
          .updateTable("ledger_tiles")
          .set({ hash: new Uint8Array(32) })
          .where("idx", "=", 1)
          .execute(),
    },
    {
      what: "a stored hash over records that one checkpoint signs",
      code: "TILE_CHANGED",
      to: 255,
      forge: (db) =>
        db
          .updateTable("ledger_tiles")
          .set({ hash: new Uint8Array(32) })
          .where("idx", "=", 0)
          .execute(),
    },
    {
      what: "a record taken out of those that one checkpoint signs",
      code: "RECORD_MISSING",
      to: 100,
      forge: (db) => sql`delete from ledger_records where seq = 100`.execute(db),
    },
    {
      what: "a column among those that one checkpoint signs",
      code: "COLUMN_CHANGED",
      to: 255,
      forge: (db) => sql`update ledger_records set actor = 'carol' where seq = 255`.execute(db),
    },
    {
      what: "a stored hash taken out",
      code: "TILE_MISSING",
      to: 511,
      forge: (db) => db.deleteFrom("ledger_tiles").where("idx", "=", 1).execute(),
    },
    {
      what: "a checkpoint's size",
      code: "CHECKPOINT_INVALID",
      to: 0,
      forge: (db) => sql`update ledger_checkpoints set note = replace(note, '660', '661') where size = 660`.execute(db),
    },
    {
      what: "the newest checkpoint taken out",
      code: "UNSIGNED_RECORDS",
      to: 659,
      forge: (db) => sql`delete from ledger_checkpoints where size = 660`.execute(db),
    },
    { what: "the head", code: "HEAD_CHANGED", to: 600, forge: (db) => sql`update ledger_head set size = 600`.execute(db) },
    {
      what: "the oldest records taken out as if by retention",
      code: "REMOVAL_UNRECORDED",
      to: 255,
      async forge(db) {
        await sql`delete from ledger_records where seq < 256`.execute(db);
        await sql`delete from ledger_keys where seq < 256`.execute(db);
        const left = sql`(select hash from ledger_tiles where level = 8 and idx = 0)`;
        await sql`update ledger_head set pruned_size = 256, pruned_frontier = ${left}`.execute(db);
      },
    },
    {
      what: "that something was removed where nothing was",
      code: "HEAD_CHANGED",
      to: 0,
      forge: (db) => sql`update ledger_head set pruned_size = 256`.execute(db),
    },
    {
      what: "a key that would keep an event out",
      code: "KEYS_CHANGED",
      to: 659,
      forge: (db) => sql`insert into ledger_keys (key, seq) values ('an event to come', 3)`.execute(db),
    },
    {
      what: "two records exchanged",
      code: "TILE_CHANGED",
      to: 255,
      async forge(db) {
        await sql`update ledger_records set seq = seq + 100000 where seq in (10, 20)`.execute(db);
        await sql`update ledger_records set seq = 30 - (seq - 100000) where seq >= 100000`.execute(db);
      },
    },
  ];

  test.each(forgeries)("forgery is found: $what", async ({ code, to, forge }) => {
    if (engine === "postgres" && server === undefined) return;
    const store = await open(engine);
    const { keys } = await filled(store, [300, 360]);
    await forge(store.db);
    const { problems } = await verifyStoredLedger(store.reading, keys, verifyEd25519);
    expect(problems.map((problem) => `${problem.code} to ${problem.to}`)).toContain(`${code} to ${to}`);
    expect((await verifyStore(store, keys, verifyEd25519)).problems).toEqual(problems);
  });

  test("who takes out the end with its checkpoints is caught by a witness's copy", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const store = await open(engine);
    const { keys } = await filled(store, [30, 40]);
    const witness = await latestCheckpoint(store.reading);
    await store.db.deleteFrom("ledger_records").where("seq", ">=", 30).execute();
    await store.db.deleteFrom("ledger_checkpoints").where("size", ">", 30).execute();
    const { problems } = await verifyStoredLedger(store.reading, keys, verifyEd25519, [witness?.note ?? ""]);
    expect(problems.map((problem) => problem.code)).toContain("LEDGER_TRUNCATED");
  });

  test("a rotated key leaves old checkpoints verifiable; a stranger's key is not trusted", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const store = await open(engine);
    const { keyDirectory, keys: before } = await filled(store, [3]);
    const ledger = new Ledger(store, await rotateSigner(keyDirectory, "test.example/ledger"), () => start);
    await ledger.append([record(9)]);
    expect((await verifyStoredLedger(store.reading, await keysOf(keyDirectory), verifyEd25519)).problems).toEqual([]);
    const { problems } = await verifyStoredLedger(store.reading, before, verifyEd25519);
    expect(problems.map((problem) => problem.code)).toEqual(["CHECKPOINT_INVALID", "UNSIGNED_RECORDS"]);
  });

  test("a full queue refuses, a broken database says so, and nothing half-written stays", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) skip("PostgreSQL is not installed");
    const store = await open(engine);
    const { keyDirectory, keys } = await filled(store, []);
    const ledger = new Ledger(store, await openSigner(keyDirectory, "test.example/ledger"), () => start, {
      batch: 2,
      waiting: 4,
    });
    const first = ledger.append([record(1), record(2), record(3)]);
    await expect(ledger.append([record(4), record(5)])).rejects.toMatchObject({ code: "LEDGER_BUSY" });
    await first;
    await sql`alter table ledger_checkpoints rename to away`.execute(store.db);
    await expect(ledger.append([record(6, { key: "k" })])).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await sql`alter table away rename to ledger_checkpoints`.execute(store.db);
    expect(await ledger.append([record(6, { key: "k" })])).toEqual([{ seq: 3 }]);
    expect((await verifyStoredLedger(store.reading, keys, verifyEd25519)).problems).toEqual([]);
  });
});

test("a second process is told who has the embedded database, and may read", async () => {
  const where = join(directory, "twice");
  const store = await openSqlite(where);
  await expect(openSqlite(where)).rejects.toMatchObject({ code: "STORE_LOCKED" });
  const { ledger } = await filled(store, [2]);
  const reader = await readSqlite(where);
  expect(await recordsFrom(reader.reading, 0, 9)).toHaveLength(2);
  await expect(sql`delete from ledger_records`.execute(reader.db)).rejects.toThrow("readonly");
  await ledger.append([record(7)]);
  expect(await recordsFrom(reader.reading, 0, 9)).toHaveLength(3);
  await reader.close();
  await store.close();
  await (await openSqlite(where)).close();
});

test("two replicas share one PostgreSQL ledger", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const url = await server.create();
  const [a, b] = await Promise.all([openPostgres(url), openPostgres(url)]);
  opened.push(a, b);
  const keyDirectory = await mkdtemp(join(directory, "key-"));
  const signer = await openSigner(keyDirectory, "test.example/ledger");
  const ledgers = [a, b].map((store) => new Ledger(store, signer, () => start, { batch: 20, waiting: 1000 }));
  const receipts = await Promise.all(
    ledgers.map((ledger) => Promise.all(Array.from({ length: 200 }, (_, n) => ledger.append([record(n)])))),
  );
  expect(new Set(receipts.flat(2).map((receipt) => receipt?.seq)).size).toBe(400);
  expect((await verifyStoredLedger(a.reading, await keysOf(keyDirectory), verifyEd25519)).problems).toEqual([]);
});
