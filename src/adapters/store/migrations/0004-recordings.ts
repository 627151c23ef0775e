import { type Kysely, sql } from "kysely";
import type { Engine } from "../store.ts";

/** Sessions that were recorded: what is known of each, and what was shown, in pieces. */
export async function recordings(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const bytes = sql.raw(engine === "postgres" ? "bytea" : "blob");
  await sql`
    create table recordings (
      id text primary key,
      cluster text not null,
      human text not null,
      namespace text not null,
      server text not null,
      started bigint not null,
      alive bigint not null,
      ended bigint,
      removed bigint,
      about text not null,
      outcome text
    )`.execute(db);
  await sql`create index recordings_started on recordings (started)`.execute(db);
  await sql`create index recordings_open on recordings (alive) where ended is null`.execute(db);
  await sql`
    create table recording_chunks (
      recording text not null,
      seq bigint not null,
      body ${bytes} not null,
      primary key (recording, seq)
    )`.execute(db);
}
