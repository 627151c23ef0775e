import { type Kysely, sql } from "kysely";

/** What issuing tokens must remember, and the public keys of all replicas that sign tokens. */
export async function tokens(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oauth_records (
      model text not null,
      id text not null,
      payload text not null,
      grant_id text,
      user_code text,
      uid text,
      until bigint not null,
      consumed bigint,
      primary key (model, id)
    )`.execute(db);
  for (const column of ["grant_id", "user_code", "uid", "until"]) {
    await sql`create index ${sql.raw(`oauth_records_${column}`)} on oauth_records (${sql.raw(column)})`.execute(db);
  }
  await sql`create table token_keys (kid text primary key, jwk text not null, seen bigint not null)`.execute(db);
}
