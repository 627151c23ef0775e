import { type Kysely, sql } from "kysely";

/** Messages that wait to be sent, and which chat users are which people. */
export async function notifications(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table notifications (
      id text primary key,
      request text not null,
      event text not null,
      target text not null,
      payload text not null,
      state text not null,
      attempts integer not null,
      created bigint not null,
      due bigint not null,
      leased_until bigint not null,
      sent bigint,
      problem text,
      unique (request, event, target)
    )`.execute(db);
  await sql`create index notifications_due on notifications (state, due)`.execute(db);
  await sql`
    create table chat_links (
      chat text not null,
      team text not null,
      chat_user text not null,
      issuer text not null,
      subject text not null,
      person text not null,
      linked bigint not null,
      renewed bigint not null,
      primary key (chat, team, chat_user)
    )`.execute(db);
  await sql`
    create table chat_codes (
      digest text primary key,
      chat text not null,
      team text not null,
      chat_user text not null,
      chat_name text not null,
      expires bigint not null
    )`.execute(db);
  await sql`create table chat_nonces (nonce text primary key, expires bigint not null)`.execute(db);
}
