import type { Kysely } from "kysely";
import { openTokenKey } from "../../adapters/identity/token-key.ts";
import type { Tables } from "../../adapters/store/tables.ts";
import { announceTokenKey, readTokenKeys } from "../../adapters/store/token-keys.ts";
import type { JsonObject } from "../../core/json.ts";

/** The private key stays in this replica's data directory; the store has the public keys of all of them. */
export interface TokenKeys {
  /** Private, ES256. */
  readonly signingKey: JsonObject;
  readonly keys: () => Promise<readonly JsonObject[]>;
  /** Makes the key known to other replicas, again when that was an hour ago. */
  readonly announceKey: () => Promise<void>;
}

const announceMilliseconds = 3_600_000;

/** Opens, or makes, the key in `directory`, and says in the store that it signs. */
export async function openTokenKeys(directory: string, db: Kysely<Tables>, now: () => number): Promise<TokenKeys> {
  const key = await openTokenKey(directory);
  let announced = Number.NEGATIVE_INFINITY;
  const announceKey = async () => {
    if (Math.abs(now() - announced) < announceMilliseconds) return;
    await announceTokenKey(db, key.kid, key.publicJwk, now());
    announced = now();
  };
  await announceKey();
  return { signingKey: key.privateJwk, keys: () => readTokenKeys(db, now()), announceKey };
}
