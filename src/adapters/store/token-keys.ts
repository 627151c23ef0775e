import type { Kysely } from "kysely";
import type { JsonObject } from "../../core/json.ts";
import type { Tables } from "./tables.ts";

/** So long after its replica was last seen, no token that a key signed can be alive. */
const keyLifetime = 86_400_000;

/** Says that this public key signs tokens; to be repeated well within a day while it does. */
export async function announceTokenKey(db: Kysely<Tables>, kid: string, jwk: JsonObject, now: number): Promise<void> {
  await db
    .insertInto("token_keys")
    .values({ kid, jwk: JSON.stringify(jwk), seen: now })
    .onConflict((conflict) => conflict.column("kid").doUpdateSet({ seen: now }))
    .execute();
  await db
    .deleteFrom("token_keys")
    .where("seen", "<", now - keyLifetime)
    .execute();
}

/** The public keys (RFC 7517) of all replicas that sign tokens. */
export async function readTokenKeys(db: Kysely<Tables>, now: number): Promise<readonly JsonObject[]> {
  const rows = await db
    .selectFrom("token_keys")
    .select("jwk")
    .where("seen", ">=", now - keyLifetime)
    .orderBy("kid")
    .execute();
  return rows.map(({ jwk }) => JSON.parse(jwk));
}
