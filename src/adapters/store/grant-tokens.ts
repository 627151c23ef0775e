import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/** A secret of 32 bytes that all replicas share; made by the first that asks. */
export async function sharedKey(db: Kysely<Tables>, name: string): Promise<Uint8Array> {
  const value = randomBytes(32).toString("base64");
  await db
    .insertInto("shared_keys")
    .values({ name, value })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  const row = await db.selectFrom("shared_keys").select("value").where("name", "=", name).executeTakeFirstOrThrow();
  return Buffer.from(row.value, "base64");
}

/**
 * Marks a token as used for one version of the object that it is about. False: it was used for this version already, or for
 * `most` others: then nothing may be done with it.
 */
export async function spendToken(
  db: Kysely<Tables>,
  token: { readonly id: string; readonly version: string; readonly until: number },
  most: number,
  now: number,
): Promise<boolean> {
  await db.deleteFrom("spent_tokens").where("until", "<", now).execute();
  const marked = await db
    .insertInto("spent_tokens")
    .values(token)
    .onConflict((conflict) => conflict.columns(["id", "version"]).doNothing())
    .executeTakeFirst();
  if (marked.numInsertedOrUpdatedRows !== 1n) return false;
  const { count } = await db
    .selectFrom("spent_tokens")
    .select((select) => select.fn.countAll<number | string>().as("count"))
    .where("id", "=", token.id)
    .executeTakeFirstOrThrow();
  return Number(count) <= most;
}
