import { hash } from "node:crypto";
import type { Kysely } from "kysely";
import type { JsonObject } from "../../core/json.ts";
import type { OauthRecordRow, Tables } from "./tables.ts";

const second = 1000;
/** How often what is over is removed. */
const sweepMilliseconds = 60_000;

/**
 * What the token issuer remembers: codes, refresh tokens, device codes, logins. Who reads the database learns no code or refresh
 * token: they are the ids, which are kept as SHA-256.
 */
export class StoredOauthRecords {
  readonly #db: Kysely<Tables>;
  readonly #now: () => number;
  #swept = 0;

  constructor(db: Kysely<Tables>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** `lifetime` is in seconds. */
  async upsert(model: string, id: string, payload: JsonObject, lifetime: number): Promise<void> {
    await this.#sweep();
    const { jti, grantId, userCode, uid, ...rest } = payload;
    // What is found by something else must know its id; it lives for minutes.
    const isFoundOtherwise = userCode !== undefined || uid !== undefined;
    const row = {
      payload: JSON.stringify(isFoundOtherwise ? { ...rest, jti, userCode } : rest),
      grant_id: textOf(grantId),
      user_code: digestOf(userCode),
      uid: textOf(uid),
      until: this.#now() + lifetime * second,
    };
    await this.#db
      .insertInto("oauth_records")
      .values({ model, id: digest(id), ...row, consumed: null })
      .onConflict((conflict) => conflict.columns(["model", "id"]).doUpdateSet(row))
      .execute();
  }

  async find(model: string, id: string): Promise<JsonObject | undefined> {
    const row = await this.#live(model).where("id", "=", digest(id)).executeTakeFirst();
    return row === undefined ? undefined : { ...payloadOf(row), jti: id };
  }

  async findByUserCode(model: string, userCode: string): Promise<JsonObject | undefined> {
    const row = await this.#live(model).where("user_code", "=", digest(userCode)).executeTakeFirst();
    return row === undefined ? undefined : payloadOf(row);
  }

  async findByUid(model: string, uid: string): Promise<JsonObject | undefined> {
    const row = await this.#live(model).where("uid", "=", uid).executeTakeFirst();
    return row === undefined ? undefined : payloadOf(row);
  }

  /** Marks it as used; false where somebody else has done so. */
  async consume(model: string, id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable("oauth_records")
      .set({ consumed: this.#now() })
      .where("model", "=", model)
      .where("id", "=", digest(id))
      .where("consumed", "is", null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  /** Of a record that is still there, whose other columns stay. */
  async replace(model: string, id: string, payload: JsonObject): Promise<void> {
    await this.#db
      .updateTable("oauth_records")
      .set({ payload: JSON.stringify(payload) })
      .where("model", "=", model)
      .where("id", "=", digest(id))
      .execute();
  }

  async destroy(model: string, id: string): Promise<void> {
    await this.#db.deleteFrom("oauth_records").where("model", "=", model).where("id", "=", digest(id)).execute();
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#db.deleteFrom("oauth_records").where("grant_id", "=", grantId).execute();
  }

  #live(model: string) {
    return this.#db.selectFrom("oauth_records").selectAll().where("model", "=", model).where("until", ">", this.#now());
  }

  async #sweep(): Promise<void> {
    const now = this.#now();
    if (now < this.#swept + sweepMilliseconds) return;
    this.#swept = now;
    await this.#db.deleteFrom("oauth_records").where("until", "<=", now).execute();
  }
}

function payloadOf({ payload, grant_id, uid, consumed }: OauthRecordRow): JsonObject {
  return {
    ...JSON.parse(payload),
    ...(grant_id === null ? {} : { grantId: grant_id }),
    ...(uid === null ? {} : { uid }),
    ...(consumed === null ? {} : { consumed: Math.floor(consumed / second) }),
  };
}

const digest = (text: string): string => hash("sha256", text);
const digestOf = (value: unknown): string | null => (typeof value === "string" ? digest(value) : null);
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
