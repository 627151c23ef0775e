import type { Kysely } from "kysely";
import type { FindingCountRow, Tables } from "./tables.ts";

/** Sets the counts of an hour in place of earlier ones of the same hour, and forgets hours before `oldest`. */
export async function writeFindingCounts(db: Kysely<Tables>, row: FindingCountRow, oldest: number): Promise<void> {
  const { cluster, hour: _, ...counts } = row;
  await db
    .insertInto("finding_counts")
    .values(row)
    .onConflict((conflict) => conflict.columns(["cluster", "hour"]).doUpdateSet(counts))
    .execute();
  await db.deleteFrom("finding_counts").where("cluster", "=", cluster).where("hour", "<", oldest).execute();
}

/** From `since` on, in order of time. */
export function readFindingCounts(db: Kysely<Tables>, since: number): Promise<readonly FindingCountRow[]> {
  return db.selectFrom("finding_counts").selectAll().where("hour", ">=", since).orderBy("hour").orderBy("cluster").execute();
}
