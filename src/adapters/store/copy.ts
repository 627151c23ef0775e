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

/**
 * Copies everything of one store into another that is new, embedded or PostgreSQL, in one transaction of the target.
 * Rejects with `StoreNotEmpty`. Answers how many rows there were.
 */
export async function copyStore(from: Store, to: Store): Promise<number> {
  const head = await to.db.selectFrom("ledger_head").select("size").executeTakeFirst();
  if ((head?.size ?? 0) > 0) throw new StoreNotEmpty(`${to.location} holds ${head?.size} records already`);
  return to.db.transaction().execute(async (on) => {
    let rows = 0;
    await on.deleteFrom("ledger_head").execute();
    for (const [table, keys] of Object.entries(tableKeys)) {
      for await (const page of pages(from.reading, table, keys)) {
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
