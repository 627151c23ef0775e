import type { Kysely } from "kysely";
import type { ChatCodeRow, ChatLinkRow, Tables } from "./tables.ts";

export interface ChatUser {
  readonly chat: "slack";
  readonly team: string;
  readonly user: string;
}

export async function writeChatCode(db: Kysely<Tables>, row: ChatCodeRow, now: number): Promise<void> {
  await db.deleteFrom("chat_codes").where("expires", "<=", now).execute();
  await db.insertInto("chat_codes").values(row).execute();
}

export function readChatCode(db: Kysely<Tables>, digest: string, now: number): Promise<ChatCodeRow | undefined> {
  return db.selectFrom("chat_codes").selectAll().where("digest", "=", digest).where("expires", ">", now).executeTakeFirst();
}

/** The code, which is gone now: of two that take it, one gets it. */
export function takeChatCode(db: Kysely<Tables>, digest: string, now: number): Promise<ChatCodeRow | undefined> {
  return db.deleteFrom("chat_codes").where("digest", "=", digest).where("expires", ">", now).returningAll().executeTakeFirst();
}

/** Links a chat user in place of whoever it was linked to before. */
export async function writeChatLink(db: Kysely<Tables>, row: ChatLinkRow): Promise<void> {
  const { issuer, subject, person, linked, renewed } = row;
  await db
    .insertInto("chat_links")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["chat", "team", "chat_user"]).doUpdateSet({ issuer, subject, person, linked, renewed }),
    )
    .execute();
}

export function readChatLink(db: Kysely<Tables>, { chat, team, user }: ChatUser): Promise<ChatLinkRow | undefined> {
  return db
    .selectFrom("chat_links")
    .selectAll()
    .where("chat", "=", chat)
    .where("team", "=", team)
    .where("chat_user", "=", user)
    .executeTakeFirst();
}

/** The person has shown who they are once more. */
export async function renewChatLinks(
  db: Kysely<Tables>,
  { issuer, subject, person, renewed }: Pick<ChatLinkRow, "issuer" | "subject" | "person" | "renewed">,
): Promise<void> {
  await db
    .updateTable("chat_links")
    .set({ person, renewed })
    .where("issuer", "=", issuer)
    .where("subject", "=", subject)
    .where("renewed", "<=", renewed)
    .execute();
}

export async function deleteChatLinks(
  db: Kysely<Tables>,
  { issuer, subject }: Pick<ChatLinkRow, "issuer" | "subject">,
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("chat_links")
    .where("issuer", "=", issuer)
    .where("subject", "=", subject)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** False: it was seen before, here or on another replica. */
export async function takeNonce(db: Kysely<Tables>, nonce: string, expires: number, now: number): Promise<boolean> {
  await db.deleteFrom("chat_nonces").where("expires", "<=", now).execute();
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("chat_nonces")
    .values({ nonce, expires })
    .onConflict((conflict) => conflict.column("nonce").doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}
