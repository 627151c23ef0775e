import { type Kysely, sql, type Transaction } from "kysely";
import type { Instant } from "../../core/host.ts";
import type { CheckpointSigner } from "../../ledger/checkpoint.ts";
import { type Frontier, packFrontier, unpackFrontier } from "../../ledger/frontier.ts";
import { insertRows, runsOf } from "./insert-rows.ts";
import { checkpointOf, type NewRecord, type PlannedBatch, planBatch, type Receipt } from "./ledger-batch.ts";
import type { Engine, Statement, Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** Writes records as one batch, in a transaction of its own; resolves once it is on the disk. Rejects with `NotKept`, or with anything else. */
export type LedgerWriter = (records: readonly NewRecord[], recorded: Instant) => Promise<readonly Receipt[]>;

/** A transaction failed before it was to be committed: for certain nothing of it is there. The cause says why. */
export class NotKept extends Error {}

export function ledgerWriter(store: Store, signer: CheckpointSigner): LedgerWriter {
  const { engine, db } = store;
  if (engine === "sqlite") return embeddedWriter(db, store.atOnce, signer);
  return async (records, recorded) => {
    let committing = false;
    try {
      return await db.transaction().execute(async (on) => {
        const receipts = await writeBatch(on, engine, records, signer, recorded);
        committing = true;
        return receipts;
      });
    } catch (error) {
      throw committing ? error : notKept(error);
    }
  };
}

const notKept = (cause: unknown): NotKept => new NotKept(cause instanceof Error ? cause.message : String(cause), { cause });

/**
 * Writes a batch within a transaction: records, the hashes they complete, and a signed checkpoint over all of it. The
 * head's row is locked first, so that the writers of several replicas follow one another.
 */
export async function writeBatch(
  on: Transaction<Tables>,
  engine: Engine,
  records: readonly NewRecord[],
  signer: CheckpointSigner,
  recorded: Instant,
): Promise<readonly Receipt[]> {
  const head = await readHead(on, engine === "postgres");
  const batch = planBatch(head, records, await knownKeys(on, engine, records), recorded);
  if (batch.rows.length === 0) return batch.receipts;
  if (engine === "postgres") await ensurePartition(on, recorded);
  await insertRows(on, engine, "ledger_records", batch.rows);
  await insertRows(on, engine, "ledger_keys", batch.keys);
  await insertRows(on, engine, "ledger_tiles", batch.tiles);
  await on.insertInto("ledger_checkpoints").values(checkpointOf(batch, signer)).execute();
  const { size } = batch.frontier;
  await on
    .updateTable("ledger_head")
    .set({ size, frontier: packFrontier(batch.frontier) })
    .where("id", "=", 1)
    .execute();
  return batch.receipts;
}

/**
 * One process owns the file: the head is remembered, and a batch is one message to the thread that writes. Where the head
 * is not the one remembered nothing is kept, and it is read again.
 */
function embeddedWriter(
  db: Kysely<Tables>,
  atOnce: (statements: readonly Statement[]) => Promise<boolean>,
  signer: CheckpointSigner,
): LedgerWriter {
  let remembered: Frontier | undefined;
  return async (records, recorded) => {
    for (;;) {
      let asked: Frontier | undefined;
      try {
        const head = remembered ?? (await readHead(db, false));
        // What comes of a transaction that fails is not known.
        remembered = undefined;
        const batch = planBatch(head, records, await knownKeys(db, "sqlite", records), recorded);
        asked = head;
        if (batch.rows.length > 0 && !(await atOnce(statementsOf(batch, head, signer)))) continue;
        remembered = batch.frontier;
        return batch.receipts;
      } catch (error) {
        const head = asked === undefined ? undefined : await readHead(db, false).catch(() => undefined);
        throw asked?.size === head?.size ? notKept(error) : error;
      }
    }
  };
}

function statementsOf(batch: PlannedBatch, head: Frontier, signer: CheckpointSigner): readonly Statement[] {
  const { size } = batch.frontier;
  const { at, note } = checkpointOf(batch, signer);
  const statements: Statement[] = [
    {
      sql: "update ledger_head set size = ?, frontier = ? where id = 1 and size = ?",
      runs: [[size, packFrontier(batch.frontier), head.size]],
      changes: 1,
    },
    runsOf("ledger_records", batch.rows),
    { sql: "insert into ledger_checkpoints (size, at, note) values (?, ?, ?)", runs: [[size, at, note]] },
  ];
  if (batch.keys.length > 0) statements.push(runsOf("ledger_keys", batch.keys));
  if (batch.tiles.length > 0) statements.push(runsOf("ledger_tiles", batch.tiles));
  return statements;
}

async function readHead(on: Kysely<Tables>, lock: boolean): Promise<Frontier> {
  const { size, frontier } = await on
    .selectFrom("ledger_head")
    .select(["size", "frontier"])
    .$if(lock, (q) => q.forUpdate())
    .executeTakeFirstOrThrow();
  const head = unpackFrontier(size, frontier);
  if (head === undefined) throw new Error("the ledger's head is damaged; run `castellan audit verify`");
  return head;
}

async function knownKeys(on: Kysely<Tables>, engine: Engine, records: readonly NewRecord[]): Promise<Set<string>> {
  const keys = records.flatMap(({ key }) => (key === undefined ? [] : [key]));
  if (keys.length === 0) return new Set();
  // One parameter, however many keys: a list of thousands costs more to build than to look up.
  const query =
    engine === "postgres"
      ? sql<{ key: string }>`select key from ledger_keys where key = any(${keys}::text[])`
      : sql<{ key: string }>`select key from ledger_keys where key in (select value from json_each(${JSON.stringify(keys)}))`;
  return new Set((await query.execute(on)).rows.map(({ key }) => key));
}

/**
 * The partition of a month, made when its first record comes. It is attached, not made as a partition: that would wait for all who
 * read the ledger, a backup say, and every writer would wait for it.
 */
export async function ensurePartition(on: Transaction<Tables>, at: Instant): Promise<void> {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const name = `ledger_records_${year}_${String(month + 1).padStart(2, "0")}`;
  const found = await sql<{ name: string | null }>`select to_regclass(${name})::text as name`.execute(on);
  if (found.rows[0]?.name) return;
  const [from, to] = [Date.UTC(year, month), Date.UTC(year, month + 1)];
  await sql`create table ${sql.table(name)} (like ledger_records including all)`.execute(on);
  await sql`
    alter table ledger_records attach partition ${sql.table(name)} for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(
    on,
  );
}
