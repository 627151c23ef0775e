import type { Insertable, Transaction } from "kysely";
import { sql } from "kysely";
import type { Instant } from "../../core/host.ts";
import { type CheckpointSigner, signCheckpoint } from "../../ledger/checkpoint.ts";
import { appendLeaf, packFrontier, rootOf, unpackFrontier } from "../../ledger/frontier.ts";
import { type LedgerRecord, recordText } from "../../ledger/record.ts";
import { isTile } from "../../ledger/tile.ts";
import { insertRows } from "./insert-rows.ts";
import { ledgerHashes, sha256 } from "./ledger-hashes.ts";
import type { Engine } from "./store.ts";
import type { LedgerRecordRow, Tables } from "./tables.ts";

/** A record before the ledger stamps it. */
export type NewRecord = Omit<LedgerRecord, "recorded">;

/** Where a record is kept; undefined where its key shows that it was there already. */
export type Receipt = { readonly seq: number } | undefined;

/** Writes a batch within a transaction: records, the hashes they complete, and a signed checkpoint over all of it. */
export async function writeBatch(
  on: Transaction<Tables>,
  engine: Engine,
  records: readonly NewRecord[],
  signer: CheckpointSigner,
  recorded: Instant,
): Promise<readonly Receipt[]> {
  const head = await on
    .selectFrom("ledger_head")
    .selectAll()
    .$if(engine === "postgres", (q) => q.forUpdate())
    .executeTakeFirstOrThrow();
  let frontier = unpackFrontier(head.size, head.frontier);
  if (frontier === undefined) throw new Error("the ledger's head is damaged; run `castellan audit verify`");
  const known = await knownKeys(on, engine, records);
  const rows: LedgerRecordRow[] = [];
  const tiles: Insertable<Tables["ledger_tiles"]>[] = [];
  const receipts = records.map((record): Receipt => {
    if (record.key !== undefined) {
      if (known.has(record.key)) return undefined;
      known.add(record.key);
    }
    const body = recordText({ ...record, recorded });
    const leaf = ledgerHashes.leafOfText(body);
    const seq = head.size + rows.length;
    rows.push(rowOf({ ...record, recorded }, seq, body, leaf));
    if (frontier === undefined) throw new Error("unreachable");
    frontier = appendLeaf(ledgerHashes, frontier, leaf, (subtree) => {
      if (isTile(subtree)) tiles.push({ level: subtree.level, idx: subtree.index, hash: subtree.hash });
    });
    return { seq };
  });
  if (rows.length === 0) return receipts;
  if (engine === "postgres") await ensurePartition(on, recorded);
  await insertRows(on, engine, "ledger_records", rows);
  const keys = rows.flatMap(({ key, seq }) => (key === null ? [] : [{ key, seq }]));
  await insertRows(on, engine, "ledger_keys", keys);
  if (tiles.length > 0) await on.insertInto("ledger_tiles").values(tiles).execute();
  const note = signCheckpoint(sha256, signer, { size: frontier.size, root: rootOf(ledgerHashes, frontier) });
  await on.insertInto("ledger_checkpoints").values({ size: frontier.size, at: recorded, note }).execute();
  await on
    .updateTable("ledger_head")
    .set({ size: frontier.size, frontier: packFrontier(frontier) })
    .where("id", "=", 1)
    .execute();
  return receipts;
}

async function knownKeys(on: Transaction<Tables>, engine: Engine, records: readonly NewRecord[]): Promise<Set<string>> {
  const keys = records.flatMap(({ key }) => (key === undefined ? [] : [key]));
  if (keys.length === 0) return new Set();
  // One parameter, however many keys: a list of thousands costs more to build than to look up.
  const query =
    engine === "postgres"
      ? sql<{ key: string }>`select key from ledger_keys where key = any(${keys}::text[])`
      : sql<{ key: string }>`select key from ledger_keys where key in (select value from json_each(${JSON.stringify(keys)}))`;
  return new Set((await query.execute(on)).rows.map(({ key }) => key));
}

function rowOf(record: LedgerRecord, seq: number, body: string, leaf: Uint8Array): LedgerRecordRow {
  return {
    seq,
    kind: record.kind,
    at: record.at,
    recorded: record.recorded,
    cluster: record.cluster,
    actor: record.actor ?? null,
    verb: record.verb ?? null,
    api_group: record.group ?? null,
    resource: record.resource ?? null,
    namespace: record.namespace ?? null,
    name: record.name ?? null,
    outcome: record.outcome ?? null,
    key: record.key ?? null,
    body,
    leaf,
  };
}

/** The partition of a month, made when its first record comes. */
export async function ensurePartition(on: Transaction<Tables>, at: Instant): Promise<void> {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const name = `ledger_records_${year}_${String(month + 1).padStart(2, "0")}`;
  const found = await sql<{ name: string | null }>`select to_regclass(${name})::text as name`.execute(on);
  if (found.rows[0]?.name) return;
  const [from, to] = [Date.UTC(year, month), Date.UTC(year, month + 1)];
  await sql`create table ${sql.table(name)} partition of ledger_records for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(
    on,
  );
}
