import { type Kysely, sql } from "kysely";

/** Requests for access, and persons who are locked out. */
export async function accessTables(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table access_requests (
      id text primary key,
      cluster text not null,
      type text not null,
      phase text not null,
      requester text not null,
      human text not null,
      opened bigint not null,
      due bigint,
      revision bigint not null,
      changed bigint not null,
      document text not null
    )`.execute(db);
  for (const columns of ["requester, phase", "human, phase", "phase, type", "changed", "opened"]) {
    const name = `access_requests_${columns.split(",")[0]}`;
    await sql`create index ${sql.raw(name)} on access_requests (${sql.raw(columns)})`.execute(db);
  }
  await sql`
    create table access_locks (
      human text primary key,
      locked_by text not null,
      why text not null,
      at bigint not null,
      until bigint,
      changed bigint not null
    )`.execute(db);
}
