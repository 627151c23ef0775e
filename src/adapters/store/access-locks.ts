import type { Kysely, Transaction } from "kysely";
import type { AccessLockRow, Tables } from "./tables.ts";

export function readAccessLock(db: Kysely<Tables>, human: string): Promise<AccessLockRow | undefined> {
  return db.selectFrom("access_locks").selectAll().where("human", "=", human).executeTakeFirst();
}

/** Sets a lock in place of the one before. */
export async function writeAccessLock(on: Transaction<Tables>, row: AccessLockRow): Promise<void> {
  const { human, ...columns } = row;
  await on
    .insertInto("access_locks")
    .values(row)
    .onConflict((conflict) => conflict.column("human").doUpdateSet(columns))
    .execute();
}

/** Locks whose last change is after one and not after another, lifted ones too. */
export function accessLocksChanged(db: Kysely<Tables>, after: number, upTo: number): Promise<readonly AccessLockRow[]> {
  return db
    .selectFrom("access_locks")
    .selectAll()
    .where("changed", ">", after)
    .where("changed", "<=", upTo)
    .orderBy("changed")
    .execute();
}
