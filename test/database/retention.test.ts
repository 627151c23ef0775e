import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { verifyStoredLedger } from "../../src/adapters/store/ledger-verification.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { type Pruned, pruneLedger } from "../../src/adapters/store/retention.ts";
import { keysOf, openSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { verifyStore } from "../../src/adapters/store/verify-store.ts";
import { ScheduledRetention } from "../../src/services/audit/scheduled-retention.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const day = 86_400_000;
const today = Date.UTC(2026, 10, 20, 12);
const months = ["2026-07-10", "2026-08-10", "2026-09-10", "2026-10-10", "2026-11-10"].map((date) => Date.parse(date));
/** Of each month; in all 20,000, of which 12,000 are before October. */
const monthly = 4000;
let directory = "";
let server: RunningPostgres | undefined;
const opened: Store[] = [];
let now = today;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-retention-"));
  server = await startPostgres();
});
afterAll(async () => {
  for (const store of opened) await store.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function open(engine: "sqlite" | "postgres", url?: string): Promise<Store> {
  const store = await (engine === "sqlite"
    ? openSqlite(await mkdtemp(join(directory, "s-")))
    : openPostgres(url ?? (await server?.create()) ?? ""));
  opened.push(store);
  return store;
}

const openLedger = async (store: Store) => new Ledger(store, await openSigner(directory, "test.example/ledger"), () => now);
const record = (n: number, at: number) => ({ kind: "audit.event" as const, at, cluster: "test", key: `${at}-${n}`, data: { n } });

async function filled(store: Store): Promise<Ledger> {
  const ledger = await openLedger(store);
  for (now of months)
    for (let at = 0; at < monthly; at += 1000) await ledger.append(Array.from({ length: 1000 }, (_, n) => record(at + n, now)));
  now = today;
  return ledger;
}

const problems = async (store: Store) => (await verifyStore(store, await keysOf(directory), verifyEd25519)).problems;
const removals = async (store: Store) =>
  (await store.reading.selectFrom("ledger_records").select("body").where("verb", "=", "prune").orderBy("seq").execute()).map(
    ({ body }) => JSON.parse(body).data,
  );
const oldest = async (store: Store) => (await recordsFrom(store.reading, 0, 1))[0]?.seq;
const keysBefore = async (store: Store, seq: number) =>
  (await store.reading.selectFrom("ledger_keys").select("key").where("seq", "<", seq).execute()).length;
const monthTables = async (store: Store) =>
  (
    await sql<{
      name: string;
    }>`select relname as name from pg_class where relkind = 'r' and relname like 'ledger_records_20%'`.execute(store.reading)
  ).rows
    .map(({ name }) => name.slice("ledger_records_".length))
    .sort();

/** Before October: whole blocks of 256. */
const first = Math.floor((3 * monthly) / 256) * 256;
const cutoff = Date.parse("2026-10-01");

describe.each(["sqlite", "postgres"] as const)("retention on %s", (engine) => {
  test("goes in steps, between which others write and verify", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
    const store = await open(engine);
    const ledger = await filled(store);
    let isDone = false;
    const pruning = pruneLedger(store, ledger, cutoff, now).finally(() => {
      isDone = true;
    });
    let written = 0;
    const writing = async () => {
      while (!isDone) await ledger.append([record(written++, today)]);
    };
    const verifying = async () => {
      while (!isDone) expect(await problems(store)).toEqual([]);
    };
    await Promise.all([writing(), verifying()]);
    expect(await pruning).toEqual({ removed: first, first });
    expect(written).toBeGreaterThan(1);
    expect(await removals(store)).toEqual([{ before: cutoff, first, removed: first }]);
    expect([await oldest(store), await keysBefore(store, first)]).toEqual([first, 0]);
    expect(await problems(store)).toEqual([]);
    expect((await verifyStoredLedger(store.reading, await keysOf(directory), verifyEd25519)).problems).toEqual([]);
    // September ends within a block, which stays.
    if (engine === "postgres") expect(await monthTables(store)).toEqual(["2026_09", "2026_10", "2026_11"]);
    await pruneLedger(store, ledger, Date.parse("2026-10-20"), now);
    if (engine === "postgres") expect(await monthTables(store)).toEqual(["2026_10", "2026_11"]);
    expect(await problems(store)).toEqual([]);
  });

  test("that was ended half-way is true as far as it came, and is finished without another record", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
    const store = await open(engine);
    const ledger = await filled(store);
    const half = await pruneLedger(store, ledger, cutoff, now, { isStopped: () => true });
    expect(half).toEqual({ removed: 2048, first: 2048 });
    expect(await problems(store)).toEqual([]);
    const rest = await pruneLedger(store, ledger, today, now, { unlessSince: now - day });
    expect(rest).toEqual({ removed: first - 2048, first });
    expect(await removals(store)).toHaveLength(1);
    expect([await oldest(store), await keysBefore(store, first)]).toEqual([first, 0]);
    expect(await problems(store)).toEqual([]);
  });

  test("removes no more than its record says, or verification finds it", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
    const store = await open(engine);
    const ledger = await filled(store);
    await pruneLedger(store, ledger, cutoff, now, { isStopped: () => true });
    await store.db.deleteFrom("ledger_records").where("seq", "=", 3000).execute();
    expect((await problems(store)).map(({ code, from }) => `${code} ${from}`)).toContain("RECORD_MISSING 3000");
    await sql`insert into ledger_keys (key, seq) values ('an event to come', 3)`.execute(store.db);
    await pruneLedger(store, ledger, cutoff, now, { unlessSince: now - day });
    expect((await problems(store)).map(({ code }) => code)).toEqual(["KEYS_CHANGED"]);
  });

  test("is done once a day by whoever looks first", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
    const url = engine === "postgres" ? await server?.create() : undefined;
    const store = await open(engine, url);
    const ledger = await filled(store);
    // Of one SQLite there is one process.
    const stores = engine === "postgres" ? [store, await open(engine, url), await open(engine, url)] : [store];
    const told: (Pruned & { readonly before: number })[] = [];
    const look = async () => {
      const replicas = await Promise.all(
        stores.map(async (one) => {
          const own = one === store ? ledger : await openLedger(one);
          const onPruned = (pruned: Pruned, before: number) => told.push({ ...pruned, before });
          const onTrouble = (error: unknown) => {
            throw error;
          };
          return new ScheduledRetention({ store: one, ledger: own, keep: 45 * day, now: () => now, onPruned, onTrouble });
        }),
      );
      for (const replica of replicas) replica.start();
      // Stopped at once a look does one step: what is left is done by the next.
      for (let rounds = 0; (await oldest(store)) === 0 && rounds < 100; rounds++)
        await new Promise((done) => setTimeout(done, 20));
      await Promise.all(replicas.map((replica) => replica.stop()));
    };
    await look();
    now += 3_600_000;
    while ((await oldest(store)) !== first) await look();
    expect(await removals(store)).toEqual([expect.objectContaining({ first, removed: first })]);
    expect(told.reduce((sum, { removed }) => sum + removed, 0)).toBe(first);
    expect(told.every(({ before }) => before >= today - 45 * day)).toBe(true);
    now = today + 20 * day;
    await look();
    while ((await removals(store)).length < 2) await look();
    expect(await problems(store)).toEqual([]);
    now = today;
  });
});

test("a month that a backup reads keeps nobody waiting, and is dropped another time", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const store = await open("postgres");
  const ledger = await filled(store);
  const reader = store.reading.transaction().setIsolationLevel("repeatable read").setAccessMode("read only");
  await reader.execute(async (backup) => {
    await backup.selectFrom("ledger_records").select("seq").limit(1).execute();
    expect(await pruneLedger(store, ledger, cutoff, now)).toEqual({ removed: first, first });
    expect(await monthTables(store)).toHaveLength(5);
    await ledger.append([record(0, today)]);
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from ledger_records`.execute(backup);
    // Its snapshot is whole.
    expect(rows[0]?.count).toBe(5 * monthly);
  });
  expect(await problems(store)).toEqual([]);
  await pruneLedger(store, ledger, cutoff, now, { unlessSince: now - day });
  expect(await monthTables(store)).toEqual(["2026_09", "2026_10", "2026_11"]);
  expect(await problems(store)).toEqual([]);
});
