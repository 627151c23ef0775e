import { setTimeout as sleep } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import { parseExactJson } from "../../core/exact-json.ts";
import type { Instant } from "../../core/host.ts";
import { type JsonValue, member } from "../../core/json.ts";
import { type Frontier, packFrontier, unpackFrontier } from "../../ledger/frontier.ts";
import { storedRangeHash } from "../../ledger/tile.ts";
import type { Ledger } from "./ledger.ts";
import { ledgerHashes } from "./ledger-hashes.ts";
import { storedHashes } from "./ledger-reading.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** Stored hashes cover this many records; only whole ones are removed, so that proofs of the rest stay possible. */
const block = 256;
/** Records that go in one transaction: whoever appends waits for it. */
const step = 8 * block;

const pruning = { kind: "server.event", verb: "prune" } as const;

export interface Pruned {
  /** Records removed now. */
  readonly removed: number;
  /** The first record that is still there. */
  readonly first: number;
}

export interface PruneOptions {
  /** Nothing more is decided where records have been removed, or are being removed, since then; that is finished. */
  readonly unlessSince?: Instant;
  /** Asked after each transaction; what is left is removed by the next call. */
  readonly isStopped?: () => boolean;
}

/**
 * Removes the records that were taken before `cutoff`, oldest first, in whole blocks. The hashes over them stay, so that
 * the signed checkpoints still prove everything that is left. First a record says which ones are removed, so that nobody else can take
 * them away; then they go, a few thousand in a transaction, and on PostgreSQL months of which none is left go whole. Several
 * processes may do this at once; one that was ended is gone on with by the next.
 */
export async function pruneLedger(
  store: Store,
  ledger: Ledger,
  cutoff: Instant,
  now: Instant,
  { unlessSince, isStopped = () => false }: PruneOptions = {},
): Promise<Pruned> {
  const target = await decide(store, ledger, cutoff, now, unlessSince);
  const months = await wholeMonths(store, target);
  let removed = 0;
  for (;;) {
    const before = performance.now();
    const { from, to } = await removeStep(store, target, months);
    removed += to - from;
    if (to >= target || isStopped()) {
      await dropMonths(store, to);
      return { removed, first: to };
    }
    // As long as others had to wait, nobody waits.
    await sleep(performance.now() - before);
  }
}

/** The first record that is to stay, once a record of the ledger says so. */
async function decide(
  store: Store,
  ledger: Ledger,
  cutoff: Instant,
  now: Instant,
  unlessSince: Instant | undefined,
): Promise<number> {
  // Before the lock that all writers wait for: what is found stays true, as records are added behind it.
  const wanted = await firstToStay(store, cutoff);
  return ledger.transact(async (on, write) => {
    const head = await lockedHead(store, on);
    const said = unlessSince === undefined ? undefined : await lastPruning(on, unlessSince);
    if (said !== undefined) return Math.max(said, head.pruned_size);
    if (wanted <= head.pruned_size) return head.pruned_size;
    const data = { before: cutoff, first: wanted, removed: wanted - head.pruned_size };
    await write([{ ...pruning, at: now, cluster: "", outcome: "done", data }]);
    return wanted;
  });
}

async function firstToStay({ db }: Store, cutoff: Instant): Promise<number> {
  const head = await db.selectFrom("ledger_head").select(["size", "pruned_size"]).executeTakeFirstOrThrow();
  const next = await db
    .selectFrom("ledger_records")
    .select("seq")
    .where("seq", ">=", head.pruned_size)
    .where("recorded", ">=", cutoff)
    .orderBy("seq")
    .limit(1)
    .executeTakeFirst();
  return Math.floor((next?.seq ?? head.size) / block) * block;
}

/** Removes some of the records before `target`; those that were taken before `months` go with their months. */
async function removeStep(
  store: Store,
  target: number,
  months: Instant,
): Promise<{ readonly from: number; readonly to: number }> {
  return store.db.transaction().execute(async (on) => {
    const head = await lockedHead(store, on);
    const from = head.pruned_size;
    const to = Math.min(from + step, target);
    if (to <= from) return { from, to: from };
    if (unpackFrontier(from, head.pruned_frontier) === undefined)
      throw new Error("the ledger's head is damaged; run `castellan audit verify`");
    const gone = on.selectFrom("ledger_records").where("seq", ">=", from).where("seq", "<", to);
    // By their records: keys that have none are a finding of verification, and stay one.
    await on
      .deleteFrom("ledger_keys")
      .where("key", "in", gone.select("key").where("key", "is not", null).$narrowType<{ key: string }>())
      .where("seq", "<", to)
      .execute();
    await on
      .deleteFrom("ledger_records")
      .where("seq", ">=", from)
      .where("seq", "<", to)
      .where("recorded", ">=", months)
      .execute();
    await on
      .updateTable("ledger_head")
      .set({ pruned_size: to, pruned_frontier: packFrontier(await frontierAt(on, to)) })
      .where("id", "=", 1)
      .execute();
    return { from, to };
  });
}

async function lockedHead(store: Store, on: Kysely<Tables>) {
  return on
    .selectFrom("ledger_head")
    .selectAll()
    .$if(store.engine === "postgres", (query) => query.forUpdate())
    .executeTakeFirstOrThrow();
}

/** A partition of PostgreSQL: the records that were taken in a month. */
interface Month {
  readonly table: string;
  readonly start: Instant;
  /** -1 where it is empty. */
  readonly last: number;
}

async function monthsOf({ db, engine }: Store): Promise<readonly Month[]> {
  if (engine === "sqlite") return [];
  const { rows } = await sql<{ table: string }>`
    select child.relname as table from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'ledger_records'::regclass order by child.relname`.execute(db);
  const months: Month[] = [];
  for (const { table } of rows) {
    const [, year, month] = /^ledger_records_(\d{4})_(\d\d)$/.exec(table) ?? [];
    if (year === undefined) continue;
    const start = Date.UTC(Number(year), Number(month) - 1);
    // Of all records, as another process may drop the month at this moment.
    const { last } = await db
      .selectFrom("ledger_records")
      .select(({ fn }) => fn.max("seq").as("last"))
      .where("recorded", ">=", start)
      .where("recorded", "<", Date.UTC(Number(year), Number(month)))
      .executeTakeFirstOrThrow();
    months.push({ table, start, last: last ?? -1 });
  }
  return months;
}

/** The beginning of the oldest month of which something stays: all that was taken before goes with its months. */
async function wholeMonths(store: Store, target: number): Promise<Instant> {
  return (await monthsOf(store)).find(({ last }) => last >= target)?.start ?? 0;
}

/** Whoever reads the ledger for long, a backup say, holds its months; who writes must not wait behind us for that. */
const lockTimeout = "500ms";
const lockNotAvailable = "55P03";

/** Drops the months before the oldest one of which something is left. One that somebody reads is dropped by the next call. */
async function dropMonths(store: Store, first: number): Promise<void> {
  const months = await monthsOf(store);
  const kept = months.findIndex(({ last }) => last >= first);
  for (const { table } of months.slice(0, Math.max(kept, 0))) {
    try {
      await store.db.transaction().execute(async (on) => {
        await sql`set local lock_timeout = ${sql.lit(lockTimeout)}`.execute(on);
        await sql`drop table if exists ${sql.table(table)}`.execute(on);
      });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === lockNotAvailable)) throw error;
    }
  }
}

/** The first record that is left, by the last record that says that those before it are removed; 0 where none does. */
export async function recordedPruning(db: Kysely<Tables>): Promise<number> {
  const said = await prunings(db).orderBy("seq", "desc").limit(1).executeTakeFirst();
  return said === undefined ? 0 : firstOf(said.body);
}

/** The same, where it was said since then; undefined where it was not. */
async function lastPruning(db: Kysely<Tables>, since: Instant): Promise<number | undefined> {
  const said = await prunings(db).where("at", ">", since).orderBy("at", "desc").limit(1).executeTakeFirst();
  return said === undefined ? undefined : firstOf(said.body);
}

const prunings = (db: Kysely<Tables>) =>
  db.selectFrom("ledger_records").select("body").where("kind", "=", pruning.kind).where("verb", "=", pruning.verb);

function firstOf(body: string): number {
  const first = member(member(textOf(body), "data"), "first");
  return typeof first === "number" ? first : 0;
}

/** Who changed the text is found out by its hash. */
function textOf(body: string): JsonValue {
  try {
    return parseExactJson(body);
  } catch {
    return null;
  }
}

/** The frontier of the tree of the first `size` leaves, a multiple of the block. */
async function frontierAt(on: Parameters<typeof storedHashes>[0], size: number): Promise<Frontier> {
  const stored = storedHashes(on);
  const subtrees: Uint8Array[] = [];
  for (let start = 0; start < size; ) {
    let leaves = block;
    while (start + leaves * 2 <= size && start % (leaves * 2) === 0) leaves *= 2;
    subtrees.push(await storedRangeHash(ledgerHashes, stored, start, start + leaves));
    start += leaves;
  }
  return { size, subtrees };
}
