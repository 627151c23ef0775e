import type { Expression, ExpressionBuilder, Kysely, SqlBool } from "kysely";
import type { Instant } from "../../core/host.ts";
import { consistencyRanges, inclusionRanges } from "../../ledger/merkle.ts";
import { type StoredHashes, storedRangeHash } from "../../ledger/tile.ts";
import { ledgerHashes } from "./ledger-hashes.ts";
import type { LedgerRecordRow, Tables } from "./tables.ts";

/** What a question to the ledger narrows down; lists mean any of them, `*` at an end matches a rest. */
export interface LedgerFilter {
  readonly kinds?: readonly string[] | undefined;
  readonly actors?: readonly string[] | undefined;
  readonly verbs?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly namespaces?: readonly string[] | undefined;
  readonly names?: readonly string[] | undefined;
  readonly clusters?: readonly string[] | undefined;
  readonly outcomes?: readonly string[] | undefined;
  /** Included. */
  readonly since?: Instant | undefined;
  /** Excluded. */
  readonly until?: Instant | undefined;
  /** At least one of these as well. */
  readonly anyOf?: readonly LedgerFilter[] | undefined;
}

const columns = [
  ["kinds", "kind"],
  ["actors", "actor"],
  ["verbs", "verb"],
  ["groups", "api_group"],
  ["resources", "resource"],
  ["namespaces", "namespace"],
  ["names", "name"],
  ["clusters", "cluster"],
  ["outcomes", "outcome"],
] as const;

/** The newest records first, at most `limit`, only those before `before` (a sequence number); with `from` the oldest from there on. */
export async function queryLedger(
  db: Kysely<Tables>,
  filter: LedgerFilter,
  page: { readonly limit: number; readonly before?: number | undefined; readonly from?: number },
): Promise<readonly LedgerRecordRow[]> {
  let query = db
    .selectFrom("ledger_records")
    .selectAll()
    .orderBy("seq", page.from === undefined ? "desc" : "asc")
    .limit(page.limit);
  if (page.from !== undefined) query = query.where("seq", ">=", page.from);
  if (page.before !== undefined) query = query.where("seq", "<", page.before);
  return query.where((eb) => matching(eb, filter)).execute();
}

function matching(eb: ExpressionBuilder<Tables, "ledger_records">, filter: LedgerFilter): Expression<SqlBool> {
  const all: Expression<SqlBool>[] = [];
  if (filter.since !== undefined) all.push(eb("at", ">=", filter.since));
  if (filter.until !== undefined) all.push(eb("at", "<", filter.until));
  for (const [member, column] of columns) {
    const wanted = filter[member];
    if (wanted === undefined) continue;
    all.push(
      eb.or(
        wanted.map((text) =>
          text.endsWith("*") ? eb(column, "like", `${text.slice(0, -1).replace(/[\\%_]/g, "\\$&")}%`) : eb(column, "=", text),
        ),
      ),
    );
  }
  if (filter.anyOf !== undefined) all.push(eb.or(filter.anyOf.map((one) => matching(eb, one))));
  return eb.and(all);
}

/** The records from `seq` on, at most `limit`, in order. */
export function recordsFrom(db: Kysely<Tables>, seq: number, limit: number): Promise<LedgerRecordRow[]> {
  return db.selectFrom("ledger_records").selectAll().where("seq", ">=", seq).orderBy("seq").limit(limit).execute();
}

/** The newest checkpoint, a signed note; undefined while the ledger is empty. */
export async function latestCheckpoint(db: Kysely<Tables>): Promise<{ size: number; at: Instant; note: string } | undefined> {
  return db.selectFrom("ledger_checkpoints").selectAll().orderBy("size", "desc").limit(1).executeTakeFirst();
}

export function storedHashes(db: Kysely<Tables>): StoredHashes {
  return {
    leaves: async (start, end) =>
      (
        await db
          .selectFrom("ledger_records")
          .select("leaf")
          .where("seq", ">=", start)
          .where("seq", "<", end)
          .orderBy("seq")
          .execute()
      ).map(({ leaf }) => leaf),
    tiles: async (level, start, end) =>
      (
        await db
          .selectFrom("ledger_tiles")
          .select("hash")
          .where("level", "=", level)
          .where("idx", ">=", start)
          .where("idx", "<", end)
          .orderBy("idx")
          .execute()
      ).map(({ hash }) => hash),
  };
}

/** The hashes that prove record `index` in the tree of `size` records. */
export function inclusionProof(db: Kysely<Tables>, index: number, size: number): Promise<readonly Uint8Array[]> {
  return hashesOf(db, inclusionRanges(index, size));
}

/** The hashes that prove that the tree of `older` records is the beginning of the one of `size`. */
export function consistencyProof(db: Kysely<Tables>, older: number, size: number): Promise<readonly Uint8Array[]> {
  return hashesOf(db, consistencyRanges(older, size));
}

async function hashesOf(db: Kysely<Tables>, ranges: readonly (readonly [number, number])[]): Promise<readonly Uint8Array[]> {
  const stored = storedHashes(db);
  const hashes: Uint8Array[] = [];
  for (const [start, end] of ranges) hashes.push(await storedRangeHash(ledgerHashes, stored, start, end));
  return hashes;
}
