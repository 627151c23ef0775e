import { CompiledQuery, type Kysely, sql } from "kysely";
import type { Instant } from "../../core/host.ts";
import type { Statement, Store } from "./store.ts";
import type { RecordingRow, Tables } from "./tables.ts";

type Chunk = Tables["recording_chunks"];

/**
 * Appends chunks in one transaction; on the disk when it resolves. Answers the recordings that somebody has ended: nothing
 * was kept of their chunks.
 */
export async function appendChunks(store: Store, chunks: readonly Chunk[], now: Instant): Promise<ReadonlySet<string>> {
  const ids = [...new Set(chunks.map(({ recording }) => recording))];
  if (store.engine === "sqlite" && (await store.atOnce(statementsOf(ids, chunks, now)))) return new Set();
  return store.db.transaction().execute(async (on) => {
    const open = new Set(await touch(on, store.engine, ids, now));
    const kept = chunks.filter(({ recording }) => open.has(recording));
    if (kept.length > 0) await on.executeQuery(insertion(store.engine, kept));
    return new Set(ids.filter((id) => !open.has(id)));
  });
}

const insert = "insert into recording_chunks (recording, seq, body)";
const cellsOf = ({ recording, seq, body }: Chunk) => [recording, seq, body] as const;

/** For the thread of SQLite in one message; nothing of it is kept where one of them was ended. */
const statementsOf = (ids: readonly string[], chunks: readonly Chunk[], now: Instant): readonly Statement[] => [
  {
    sql: "update recordings set alive = ? where id = ? and ended is null",
    runs: ids.map((id) => [now, id]),
    changes: ids.length,
  },
  { sql: `${insert} values (?, ?, ?)`, runs: chunks.map(cellsOf) },
];

function insertion(engine: Store["engine"], chunks: readonly Chunk[]): CompiledQuery {
  if (engine === "sqlite") return CompiledQuery.raw(`${insert} values (?, ?, ?)`, [chunks.map(cellsOf)]);
  return CompiledQuery.raw(`${insert} select * from unnest($1::text[], $2::bigint[], $3::bytea[])`, [
    chunks.map(({ recording }) => recording),
    chunks.map(({ seq }) => seq),
    // The driver takes byte arrays inside lists only as buffers.
    chunks.map(({ body }) => Buffer.from(body.buffer, body.byteOffset, body.byteLength)),
  ]);
}

/** Says that these go on; answers those that nobody has ended. */
async function touch(
  on: Kysely<Tables>,
  engine: Store["engine"],
  ids: readonly string[],
  now: Instant,
): Promise<readonly string[]> {
  const chosen =
    engine === "postgres" ? sql`id = any(${ids}::text[])` : sql`id in (select value from json_each(${JSON.stringify(ids)}))`;
  const { rows } = await sql<{ id: string }>`
    update recordings set alive = ${now} where ${chosen} and ended is null returning id`.execute(on);
  return rows.map(({ id }) => id);
}

export const touchRecordings = (store: Store, ids: readonly string[], now: Instant): Promise<readonly string[]> =>
  touch(store.db, store.engine, ids, now);

export async function insertRecording(on: Kysely<Tables>, row: RecordingRow): Promise<void> {
  await on.insertInto("recordings").values(row).execute();
}

/** False where it was ended before. */
export async function endRecording(on: Kysely<Tables>, id: string, ended: Instant, outcome: string): Promise<boolean> {
  const { numUpdatedRows } = await on
    .updateTable("recordings")
    .set({ ended, outcome })
    .where("id", "=", id)
    .where("ended", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Those that go on, by name, of whom nobody has heard since `before`. */
export async function abandonedRecordings(db: Kysely<Tables>, before: Instant): Promise<readonly RecordingRow[]> {
  return db.selectFrom("recordings").selectAll().where("ended", "is", null).where("alive", "<", before).execute();
}

export function readRecording(db: Kysely<Tables>, id: string): Promise<RecordingRow | undefined> {
  return db.selectFrom("recordings").selectAll().where("id", "=", id).executeTakeFirst();
}

export interface RecordingFilter {
  readonly cluster?: string | undefined;
  readonly human?: string | undefined;
  readonly namespace?: string | undefined;
  /** Only those that began before: to go on behind a page. */
  readonly before?: Instant | undefined;
  readonly limit?: number | undefined;
}

/** Newest first. */
export async function listRecordings(db: Kysely<Tables>, filter: RecordingFilter): Promise<readonly RecordingRow[]> {
  const { cluster, human, namespace, before } = filter;
  return db
    .selectFrom("recordings")
    .selectAll()
    .$if(cluster !== undefined, (q) => q.where("cluster", "=", cluster ?? ""))
    .$if(human !== undefined, (q) => q.where("human", "=", human ?? ""))
    .$if(namespace !== undefined, (q) => q.where("namespace", "=", namespace ?? ""))
    .$if(before !== undefined, (q) => q.where("started", "<", before ?? 0))
    .orderBy("started", "desc")
    .orderBy("id")
    .limit(filter.limit ?? 200)
    .execute();
}

const pageSize = 64;

/** What was shown, in order, some chunks at a time. */
export async function* readChunks(db: Kysely<Tables>, recording: string): AsyncGenerator<Chunk> {
  for (let next = 0; ; ) {
    const page = await db
      .selectFrom("recording_chunks")
      .selectAll()
      .where("recording", "=", recording)
      .where("seq", ">=", next)
      .orderBy("seq")
      .limit(pageSize)
      .execute();
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    next = last.seq + 1;
  }
}

/** Those that ended before the cutoff and are still whole. */
export async function oldRecordings(db: Kysely<Tables>, cutoff: Instant): Promise<readonly RecordingRow[]> {
  return db.selectFrom("recordings").selectAll().where("ended", "<", cutoff).where("removed", "is", null).limit(500).execute();
}

/** False where they were removed before. */
export async function removeChunks(on: Kysely<Tables>, id: string, now: Instant): Promise<boolean> {
  const { numUpdatedRows } = await on
    .updateTable("recordings")
    .set({ removed: now })
    .where("id", "=", id)
    .where("removed", "is", null)
    .executeTakeFirst();
  await on.deleteFrom("recording_chunks").where("recording", "=", id).execute();
  return numUpdatedRows > 0n;
}

/** The ledger's record with a key, as it stands there. */
export async function ledgerRecordByKey(db: Kysely<Tables>, key: string): Promise<string | undefined> {
  const found = await db
    .selectFrom("ledger_keys")
    .innerJoin("ledger_records", "ledger_records.seq", "ledger_keys.seq")
    .select("ledger_records.body")
    .where("ledger_keys.key", "=", key)
    .executeTakeFirst();
  return found?.body;
}
