import { type Kysely, sql, type Transaction } from "kysely";
import type { Engine } from "./store.ts";
import type { AccessRequestRow, Tables } from "./tables.ts";

/** Announces to other replicas that something of access changed, once this transaction is kept. */
export const accessChannel = "castellan_access";

/** One request as it is, or as this transaction is about to leave it: nobody else changes it before the transaction ends. */
export async function lockAccessRequest(
  on: Transaction<Tables>,
  engine: Engine,
  id: string,
): Promise<AccessRequestRow | undefined> {
  return on
    .selectFrom("access_requests")
    .selectAll()
    .where("id", "=", id)
    .$if(engine === "postgres", (query) => query.forUpdate())
    .executeTakeFirst();
}

/** Keeps a request that is new. */
export async function insertAccessRequest(on: Transaction<Tables>, row: AccessRequestRow): Promise<void> {
  await on.insertInto("access_requests").values(row).execute();
}

/** Keeps what became of a request; throws where somebody else has changed it since `revision`. */
export async function updateAccessRequest(on: Transaction<Tables>, row: AccessRequestRow, revision: number): Promise<void> {
  const { id, ...columns } = row;
  const [result] = await on
    .updateTable("access_requests")
    .set(columns)
    .where("id", "=", id)
    .where("revision", "=", revision)
    .execute();
  if (result?.numUpdatedRows !== 1n) throw new Error(`request ${id} is no longer at revision ${revision}`);
}

export async function announceAccess(on: Transaction<Tables>, engine: Engine): Promise<void> {
  if (engine === "postgres") await sql`select pg_notify(${accessChannel}, '')`.execute(on);
}

export interface AccessRequestFilter {
  readonly phases?: readonly string[] | undefined;
  readonly type?: string | undefined;
  /** `issuer#subject`. */
  readonly requester?: string | undefined;
  readonly human?: string | undefined;
  readonly cluster?: string | undefined;
  /** Of break-glass: all of it, or what nobody has looked at yet. */
  readonly glass?: "all" | "unreviewed" | undefined;
  readonly limit?: number | undefined;
}

/** Requests, the newest first. */
export function findAccessRequests(db: Kysely<Tables>, filter: AccessRequestFilter): Promise<readonly AccessRequestRow[]> {
  let query = db.selectFrom("access_requests").selectAll().orderBy("opened", "desc").orderBy("id");
  if (filter.phases !== undefined) query = query.where("phase", "in", [...filter.phases]);
  for (const column of ["type", "requester", "human", "cluster"] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, "=", value);
  }
  if (filter.glass === "all") query = query.where("glass", "is not", null);
  if (filter.glass === "unreviewed") query = query.where("glass", "=", "unreviewed");
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  return query.execute();
}

export function readAccessRequest(db: Kysely<Tables>, id: string): Promise<AccessRequestRow | undefined> {
  return db.selectFrom("access_requests").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Those that time will change, oldest first. */
export function dueAccessRequests(db: Kysely<Tables>): Promise<readonly AccessRequestRow[]> {
  return db.selectFrom("access_requests").selectAll().where("due", "is not", null).orderBy("opened").execute();
}

/** Those whose last change is after one and not after another, in the order of these changes. */
export function accessRequestsChanged(
  db: Kysely<Tables>,
  after: number,
  upTo: number,
  limit: number,
): Promise<readonly AccessRequestRow[]> {
  return db
    .selectFrom("access_requests")
    .selectAll()
    .where("changed", ">", after)
    .where("changed", "<=", upTo)
    .orderBy("changed")
    .limit(limit)
    .execute();
}

/** The number of the last change of any request or lock; -1: there was none. */
export async function lastAccessChange(db: Kysely<Tables>): Promise<number> {
  const last = async (table: "access_requests" | "access_locks") => {
    const row = await db
      .selectFrom(table)
      .select((of) => of.fn.max("changed").as("changed"))
      .executeTakeFirst();
    return Number(row?.changed ?? -1);
  };
  return Math.max(await last("access_requests"), await last("access_locks"));
}
