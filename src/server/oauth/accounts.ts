import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Person } from "../../access/person.ts";
import type { Authenticated } from "../../services/access/identity.ts";
import { personSchema } from "../api/session.ts";
import type { OauthRecords } from "./records.ts";

/** Tokens name neither of these. */
const accountSchema = z.object({ until: z.number(), person: personSchema.omit({ uid: true, extra: true, until: true }) });

/** One login at the command line: whom its tokens name, and when the last of them ends. */
export interface Account {
  readonly person: Person;
  /** Milliseconds since the epoch: the end of the console's session that allowed it. */
  readonly until: number;
}

/** What the identity provider says of somebody by now. */
export type CurrentPerson = (person: Person) => Promise<Authenticated>;

const model = "Account";

/** The logins that tokens were given for, kept like the tokens themselves. */
export class Accounts {
  readonly #records: OauthRecords;
  readonly #now: () => number;
  readonly #current: CurrentPerson;

  constructor(records: OauthRecords, now: () => number, current: CurrentPerson) {
    this.#records = records;
    this.#now = now;
    this.#current = current;
  }

  /** Answers with the new account's id. */
  async open(account: Account): Promise<string> {
    const id = randomBytes(24).toString("base64url");
    await this.#keep(id, account);
    return id;
  }

  /** With the person as they are known by now. Undefined where it is unknown or over, or the person is no longer let in. */
  async find(id: string): Promise<Account | undefined> {
    const read = accountSchema.safeParse(await this.#records.find(model, id));
    if (!read.success || read.data.until <= this.#now()) return undefined;
    const { person, until } = read.data;
    const current = await this.#current(person);
    if (!current.ok) return undefined;
    // Other replicas know of it only so.
    if (current.person.groupsAt !== person.groupsAt) await this.#keep(id, { person: current.person, until });
    return { person: current.person, until };
  }

  #keep(id: string, { person, until }: Account): Promise<void> {
    const payload = JSON.parse(JSON.stringify({ person, until }));
    return this.#records.upsert(model, id, payload, Math.ceil((until - this.#now()) / 1000));
  }
}
