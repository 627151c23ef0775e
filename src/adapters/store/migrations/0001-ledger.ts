import { type Kysely, sql } from "kysely";
import type { Engine } from "../store.ts";

/** The ledger. On PostgreSQL its records are partitioned by the month in which they were recorded. */
export async function ledger(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const bytes = sql.raw(engine === "postgres" ? "bytea" : "blob");
  const postgres = engine === "postgres";
  await sql`
    create table ledger_records (
      seq ${sql.raw(postgres ? "bigint not null" : "integer primary key")},
      kind text not null,
      at bigint not null,
      recorded bigint not null,
      cluster text not null,
      actor text,
      verb text,
      api_group text,
      resource text,
      namespace text,
      name text,
      outcome text,
      key text,
      body text not null,
      leaf ${bytes} not null${sql.raw(postgres ? ", primary key (seq, recorded)" : "")}
    ) ${sql.raw(postgres ? "partition by range (recorded)" : "")}`.execute(db);
  for (const columns of ["at", "actor, at", "namespace, at", "kind, at", "resource, at"]) {
    const name = `ledger_records_${columns.split(",")[0]}`;
    await sql`create index ${sql.raw(name)} on ledger_records (${sql.raw(columns)})`.execute(db);
  }
  await sql`create table ledger_keys (key text primary key, seq bigint not null)`.execute(db);
  await sql`
    create table ledger_tiles (level integer not null, idx bigint not null, hash ${bytes} not null, primary key (level, idx))`.execute(
    db,
  );
  await sql`create table ledger_checkpoints (size bigint primary key, at bigint not null, note text not null)`.execute(db);
  await sql`
    create table ledger_head (
      id integer primary key,
      size bigint not null,
      frontier ${bytes} not null,
      pruned_size bigint not null,
      pruned_frontier ${bytes} not null
    )`.execute(db);
  // Not as a parameter: the SQLite of some versions of Node takes no bytes for null.
  const none = engine === "sqlite" ? sql`x''` : sql`''::bytea`;
  await sql`insert into ledger_head values (1, 0, ${none}, 0, ${none})`.execute(db);
}
