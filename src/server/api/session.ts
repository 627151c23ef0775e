import { hash, hkdfSync, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Person } from "../../access/person.ts";
import type { JsonObject } from "../../core/json.ts";
import { type Role, roles } from "./roles.ts";

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly roles: readonly Role[];
  /** Whose requests and approvals these are; undefined: of nobody who was proven, as the operator's token. */
  readonly person?: Person | undefined;
}

/** Where sessions are kept, for all replicas and the next start. Lifetimes are in seconds. */
export interface SessionRecords {
  upsert(model: string, id: string, payload: JsonObject, lifetime: number): Promise<void>;
  find(model: string, id: string): Promise<JsonObject | undefined>;
  /** Does nothing where there is none. */
  replace(model: string, id: string, payload: JsonObject): Promise<void>;
  destroy(model: string, id: string): Promise<void>;
}

export interface SessionOptions {
  /** Host names (without port) that the listener answers for; others are a DNS rebinding. */
  readonly hosts: readonly string[];
  readonly records: SessionRecords;
  /** Of all replicas: 32 bytes. */
  readonly secret: Uint8Array;
  /** What decides who gets in and with which roles, in any words: sessions that began under other settings have ended. */
  readonly settings: string;
  readonly now: () => number;
  /** How long a session lives, milliseconds. */
  readonly lifetime: number;
}

/** A session that goes on. */
export interface Session {
  readonly user: User;
  /** Its end, milliseconds since the epoch. */
  readonly until: number;
}

const names = z.array(z.string()).readonly();

/** A person as records hold them. */
export const personSchema = z.object({
  issuer: z.string(),
  subject: z.string(),
  user: z.string(),
  groups: names,
  groupsAt: z.number().optional(),
  uid: z.string().optional(),
  extra: z.record(z.string(), names).optional(),
  human: z.string(),
  isProgram: z.boolean(),
  displayName: z.string().optional(),
  email: z.string().optional(),
  until: z.number().optional(),
});

const sessionSchema = z.object({
  settings: z.string(),
  until: z.number(),
  user: z.object({
    name: z.string(),
    groups: names,
    roles: z.array(z.enum(roles)).readonly(),
    person: personSchema.optional(),
  }),
});

const model = "ConsoleSession";

/** Who is logged in. Tokens are kept as hashes; a login token works once, at the process that printed it. */
export class Sessions {
  readonly #options: SessionOptions;
  readonly #settings: string;
  readonly #programs = new Map<string, User>();
  readonly #logins = new Map<string, User>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#settings = digest(options.settings);
  }

  /** All replicas' key for one purpose. */
  key(purpose: "forms" | "logins"): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.#options.secret, "", `castellan console ${purpose}`, 32));
  }

  isOwnHost(header: string | undefined): boolean {
    return this.#options.hosts.includes(hostName(header));
  }

  /** A token that logs `user` in once: for an address that is printed. */
  issueLogin(user: User): string {
    const token = newToken();
    this.#logins.set(digest(token), user);
    return token;
  }

  /** A token for programs of `user`, for as long as the server runs. */
  issueToken(user: User): string {
    const token = newToken();
    this.#programs.set(digest(token), user);
    return token;
  }

  /** A session's token for a login token; undefined where that is unknown or was used. */
  async redeem(token: string): Promise<string | undefined> {
    const key = digest(token);
    const user = this.#logins.get(key);
    if (user === undefined) return undefined;
    this.#logins.delete(key);
    return (await this.start(user)).token;
  }

  /** A new session: its token and its end. Rejects where it cannot be kept. */
  async start(user: User): Promise<{ readonly token: string; readonly until: number }> {
    const { records, now, lifetime } = this.#options;
    const token = newToken();
    const until = now() + lifetime;
    await records.upsert(model, token, this.#payload({ user, until }), Math.ceil(lifetime / 1000));
    return { token, until };
  }

  /** What an identity provider says by now of the user of a session: other replicas know of it only so. */
  async renew(cookie: string, session: Session): Promise<void> {
    await this.#options.records.replace(model, cookie, this.#payload(session));
  }

  /** What ties a CSRF token to a session without telling the session's own token. */
  csrfIdentity(cookie: string | undefined): string {
    return digest(`csrf ${cookie ?? ""}`);
  }

  /** The session of a cookie; undefined where there is none, or no more. Rejects where nobody can be asked. */
  async find(cookie: string | undefined): Promise<Session | undefined> {
    if (cookie === undefined || cookie === "") return undefined;
    const read = sessionSchema.safeParse(await this.#options.records.find(model, cookie));
    if (!read.success || read.data.settings !== this.#settings || read.data.until <= this.#options.now()) return undefined;
    return read.data;
  }

  /** The user of `Authorization: Bearer`. */
  programOf(authorization: string): User | undefined {
    const token = /^Bearer (\S+)$/.exec(authorization)?.[1];
    return token === undefined ? undefined : this.#programs.get(digest(token));
  }

  /** The user of the header or, where none was sent, of a cookie: what has the header is asked for no CSRF token. */
  async userOf(cookie: string | undefined, authorization: string | undefined): Promise<User | undefined> {
    return authorization === undefined ? (await this.find(cookie))?.user : this.programOf(authorization);
  }

  #payload({ user, until }: Session): JsonObject {
    return JSON.parse(JSON.stringify({ settings: this.#settings, user, until }));
  }

  async end(cookie: string): Promise<void> {
    await this.#options.records.destroy(model, cookie);
  }
}

/** Of a `Host` header, without the port. */
export const hostName = (header: string | undefined): string => (header ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

const newToken = (): string => randomBytes(32).toString("base64url");
const digest = (token: string): string => hash("sha256", token);
