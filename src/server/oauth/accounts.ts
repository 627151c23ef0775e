import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Person } from "../../access/person.ts";
import type { OauthRecords } from "./records.ts";

const names = z.array(z.string()).readonly();

const accountSchema = z.object({
  until: z.number(),
  person: z.object({
    issuer: z.string(),
    subject: z.string(),
    user: z.string(),
    groups: names,
    human: z.string(),
    isProgram: z.boolean(),
    displayName: z.string().optional(),
    email: z.string().optional(),
  }),
});

/** One login at the command line: whom its tokens name, and when the last of them ends. */
export interface Account {
  readonly person: Person;
  /** Milliseconds since the epoch: the end of the console's session that allowed it. */
  readonly until: number;
}

const model = "Account";

/** The logins that tokens were given for, kept like the tokens themselves. */
export class Accounts {
  readonly #records: OauthRecords;
  readonly #now: () => number;

  constructor(records: OauthRecords, now: () => number) {
    this.#records = records;
    this.#now = now;
  }

  /** Answers with the new account's id. */
  async open({ person, until }: Account): Promise<string> {
    const id = randomBytes(24).toString("base64url");
    const payload = JSON.parse(JSON.stringify({ person, until }));
    await this.#records.upsert(model, id, payload, Math.ceil((until - this.#now()) / 1000));
    return id;
  }

  /** Undefined where it is unknown or over. */
  async find(id: string): Promise<Account | undefined> {
    const read = accountSchema.safeParse(await this.#records.find(model, id));
    return read.success && read.data.until > this.#now() ? read.data : undefined;
  }
}
