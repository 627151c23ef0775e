import { type Kysely, sql } from "kysely";
import { ensurePartition } from "./ledger-writer.ts";
import type { Store } from "./store.ts";
import { type Tables, tableKeys } from "./tables.ts";

/** Rows that are read and written at a time; chunks of recordings are large. */
const pageSizeOf = (table: string): number => (table === "recording_chunks" ? 32 : 1000);

/** The target holds records already; a copy would mix two ledgers. */
export class StoreNotEmpty extends Error {
  readonly code = "STORE_NOT_EMPTY";
}

type Row = { readonly [column: string]: unknown };
/** Rows of tables that are known by name only. */
type AnyTables = { readonly [table: string]: { [column: string]: unknown } };

/** How many records the ledger has had, those that retention removed included. */
export async function ledgerSize(store: Store): Promise<number> {
  const head = await store.reading.selectFrom("ledger_head").select("size").executeTakeFirst();
  return head?.size ?? 0;
}

/** Rejects with `StoreNotEmpty`. */
export async function requireEmpty(to: Store): Promise<void> {
  const size = await ledgerSize(to);
  if (size > 0) throw new StoreNotEmpty(`${to.location} holds ${size} records already`);
}

/**
 * Copies everything of one store, as it is at one moment, into another that is new, embedded or PostgreSQL, in one transaction of
 * the target. The source may be written meanwhile, and its writers are not held up. Rejects with `StoreNotEmpty`. Answers how many
 * rows there were.
 */
export async function copyStore(from: Store, to: Store): Promise<number> {
  await requireEmpty(to);
  // One snapshot for all tables: those read later would hold records that are not in those read before.
  const snapshot = from.reading.transaction().setIsolationLevel("repeatable read").setAccessMode("read only");
  return snapshot.execute(async (source) => {
    // While the target writes a page, the source waits.
    if (from.engine === "postgres") await sql`set local idle_in_transaction_session_timeout = '10min'`.execute(source);
    return copyTables(source, to);
  });
}

async function copyTables(source: Kysely<Tables>, to: Store): Promise<number> {
  return to.db.transaction().execute(async (on) => {
    let rows = 0;
    await on.deleteFrom("ledger_head").execute();
    for (const [table, keys] of Object.entries(tableKeys)) {
      for await (const page of pages(source, table, keys)) {
        if (table === "ledger_records" && to.engine === "postgres") {
          for (const month of new Set(page.map((row) => monthOf(Number(row["recorded"]))))) await ensurePartition(on, month);
        }
        await (on as unknown as Kysely<AnyTables>)
          .insertInto(table)
          .values([...page])
          .execute();
        rows += page.length;
      }
    }
    return rows;
  });
}

async function* pages(db: Kysely<Tables>, table: string, keys: readonly string[]): AsyncGenerator<readonly Row[]> {
  const any = db as unknown as Kysely<AnyTables>;
  const pageSize = pageSizeOf(table);
  const order = sql.join(keys.map((key) => sql.ref(key)));
  for (let last: Row | undefined; ; ) {
    let query = any.selectFrom(table).selectAll().limit(pageSize);
    for (const key of keys) query = query.orderBy(key);
    if (last !== undefined) {
      const values = sql.join(keys.map((key) => sql.val(last?.[key])));
      query = query.where(sql<boolean>`(${order}) > (${values})`);
    }
    const page: readonly Row[] = await query.execute();
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
    last = page.at(-1);
  }
}

function monthOf(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}
