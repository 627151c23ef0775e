import type { Adapter, AdapterPayload } from "oidc-provider";
import type { JsonObject } from "../../core/json.ts";

/** Where the issuer's records are kept, for all replicas. Lifetimes are in seconds. */
export interface OauthRecords {
  upsert(model: string, id: string, payload: JsonObject, lifetime: number): Promise<void>;
  find(model: string, id: string): Promise<JsonObject | undefined>;
  findByUserCode(model: string, userCode: string): Promise<JsonObject | undefined>;
  findByUid(model: string, uid: string): Promise<JsonObject | undefined>;
  /** False where it was consumed before. */
  consume(model: string, id: string): Promise<boolean>;
  destroy(model: string, id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

/** Records that say of no lifetime are removed after a day. */
const longest = 86_400;

/** One kind of the library's records. `used` makes the error for a code or token that two requests show at once. */
export class RecordsAdapter implements Adapter {
  readonly #model: string;
  readonly #records: OauthRecords;
  readonly #used: () => Error;

  constructor(model: string, records: OauthRecords, used: () => Error) {
    this.#model = model;
    this.#records = records;
    this.#used = used;
  }

  upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    // What the library gives is JSON by its contract.
    return this.#records.upsert(this.#model, id, JSON.parse(JSON.stringify(payload)), expiresIn > 0 ? expiresIn : longest);
  }

  /** Clients are those that are compiled in; nobody registers others. */
  find(id: string): Promise<AdapterPayload | undefined> {
    return this.#model === "Client" ? Promise.resolve(undefined) : this.#records.find(this.#model, id);
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#records.findByUserCode(this.#model, userCode);
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#records.findByUid(this.#model, uid);
  }

  async consume(id: string): Promise<void> {
    if (!(await this.#records.consume(this.#model, id))) throw this.#used();
  }

  destroy(id: string): Promise<void> {
    return this.#records.destroy(this.#model, id);
  }

  revokeByGrantId(grantId: string): Promise<void> {
    return this.#records.revokeByGrantId(grantId);
  }
}
