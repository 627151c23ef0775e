import { type Kysely, sql } from "kysely";

/** Secrets that all replicas share, and the one-time tokens of the gateway that admission has seen. */
export async function grantTokens(db: Kysely<unknown>): Promise<void> {
  await sql`create table shared_keys (name text primary key, value text not null)`.execute(db);
  await sql`
    create table spent_tokens (
      id text not null,
      version text not null,
      until bigint not null,
      primary key (id, version)
    )`.execute(db);
  await sql`create index spent_tokens_until on spent_tokens (until)`.execute(db);
}
