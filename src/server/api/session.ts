import { hash, randomBytes } from "node:crypto";
import type { Person } from "../../access/person.ts";
import type { Role } from "./roles.ts";

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly roles: readonly Role[];
  /** Whose requests and approvals these are; undefined: of nobody who was proven, as the operator's token. */
  readonly person?: Person | undefined;
}

export interface SessionOptions {
  /** Host names (without port) that the listener answers for; others are a DNS rebinding. */
  readonly hosts: readonly string[];
  readonly now: () => number;
  /** How long a session lives, milliseconds. */
  readonly lifetime: number;
}

interface Session {
  readonly user: User;
  readonly until: number;
}

/** Who is logged in. Tokens are kept as hashes; a login token works once. */
export class Sessions {
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #logins = new Map<string, User>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  isOwnHost(header: string | undefined): boolean {
    const name = (header ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    return this.#options.hosts.includes(name);
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
    this.#sessions.set(digest(token), { user, until: Number.POSITIVE_INFINITY });
    return token;
  }

  /** A session's token for a login token; undefined where that is unknown or was used. */
  redeem(token: string): string | undefined {
    const key = digest(token);
    const user = this.#logins.get(key);
    if (user === undefined) return undefined;
    this.#logins.delete(key);
    return this.start(user);
  }

  /** The token of a new session. Those that are over make room. */
  start(user: User): string {
    const now = this.#options.now();
    for (const [key, { until }] of this.#sessions) if (until <= now) this.#sessions.delete(key);
    const session = newToken();
    this.#sessions.set(digest(session), { user, until: now + this.#options.lifetime });
    return session;
  }

  /** What ties a CSRF token to a session without telling the session's own token. */
  csrfIdentity(cookie: string | undefined): string {
    return digest(`csrf ${cookie ?? ""}`);
  }

  /** When a session ends, milliseconds since the epoch; undefined where there is none. */
  endOf(cookie: string): number | undefined {
    return this.#sessions.get(digest(cookie))?.until;
  }

  /** The user of `Authorization: Bearer` or, where no such header was sent, of a cookie: what has the header is asked for no CSRF token. */
  userOf(cookie: string | undefined, authorization: string | undefined): User | undefined {
    const token = authorization === undefined ? cookie : /^Bearer (\S+)$/.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    const key = digest(token);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    if (session.until > this.#options.now()) return session.user;
    this.#sessions.delete(key);
    return undefined;
  }

  end(cookie: string): void {
    this.#sessions.delete(digest(cookie));
  }
}

const newToken = (): string => randomBytes(32).toString("base64url");
const digest = (token: string): string => hash("sha256", token);
