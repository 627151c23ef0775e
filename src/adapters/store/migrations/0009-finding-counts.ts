import { type Kysely, sql } from "kysely";

/** How much was wrong in each cluster, hour by hour. */
export async function findingCounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table finding_counts (
      cluster text not null,
      hour bigint not null,
      critical integer not null,
      high integer not null,
      medium integer not null,
      low integer not null,
      info integer not null,
      warnings integer not null,
      errors integer not null,
      primary key (cluster, hour)
    )`.execute(db);
}
