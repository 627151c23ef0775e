import { hash, randomBytes } from "node:crypto";
import type { Person } from "../../access/person.ts";
import {
  type ChatUser,
  deleteChatLinks,
  readChatCode,
  readChatLink,
  renewChatLinks,
  takeChatCode,
  takeNonce,
  writeChatCode,
  writeChatLink,
} from "../../adapters/store/chat-links.ts";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { Instant } from "../../core/host.ts";
import type { Authenticated } from "./identity.ts";

export type { ChatUser } from "../../adapters/store/chat-links.ts";

export interface ChatLinkOptions {
  readonly store: Store;
  readonly ledger: Pick<Ledger, "append">;
  readonly now: () => Instant;
  /** People as their identity provider knows them by now. */
  readonly current?: ((person: Person) => Promise<Authenticated>) | undefined;
  /** How long after a login a chat user still acts as that person, milliseconds: their groups are those of then. */
  readonly loginLifetime?: number | undefined;
}

/** A chat user who wants to be linked, as the one who confirms it sees them. */
export interface PendingLink {
  readonly chat: string;
  readonly team: string;
  readonly user: string;
  readonly name: string;
}

export type Linked =
  | { readonly ok: true; readonly person: Person }
  /** `stale`: the login is too long ago. */
  | { readonly ok: false; readonly why: "unknown" | "stale" };

const codeLifetime = 600_000;
const usualLifetime = 12 * 3_600_000;
const renewEvery = 300_000;

/** Which chat user is which person: said by that person after login, never guessed from an e-mail address. */
export class ChatLinks {
  readonly #options: ChatLinkOptions;
  readonly #renewed = new Map<string, Instant>();

  constructor(options: ChatLinkOptions) {
    this.#options = options;
  }

  /** A code that links this chat user to whoever confirms it within ten minutes; it works once. */
  async begin({ chat, team, user }: ChatUser, name: string): Promise<string> {
    const { store, now } = this.#options;
    const code = randomBytes(24).toString("base64url");
    const row = { digest: digest(code), chat, team, chat_user: user, chat_name: name, expires: now() + codeLifetime };
    await writeChatCode(store.db, row, now());
    return code;
  }

  async pending(code: string): Promise<PendingLink | undefined> {
    const { store, now } = this.#options;
    const row = await readChatCode(store.db, digest(code), now());
    return row === undefined ? undefined : { chat: row.chat, team: row.team, user: row.chat_user, name: row.chat_name };
  }

  /** Undefined: the code is unknown, too old or used. */
  async confirm(code: string, person: Person): Promise<PendingLink | undefined> {
    const { store, ledger, now } = this.#options;
    const at = now();
    const row = await takeChatCode(store.db, digest(code), at);
    if (row === undefined) return undefined;
    const { chat, team, chat_user: user, chat_name: name } = row;
    await ledger.append([
      {
        kind: "server.event",
        at,
        cluster: "",
        actor: person.user,
        verb: "link",
        resource: "chat-user",
        name: `${chat}/${team}/${user}`,
        outcome: "linked",
        data: { chat, team, user, name, issuer: person.issuer, subject: person.subject },
      },
    ]);
    const { issuer, subject } = person;
    const link = { chat, team, chat_user: user, issuer, subject, person: JSON.stringify(person), linked: at, renewed: at };
    await writeChatLink(store.db, link);
    return { chat, team, user, name };
  }

  /** This person has shown who they are; to be called with each of their requests. */
  async renew(person: Person): Promise<void> {
    const { store, now } = this.#options;
    const { issuer, subject } = person;
    const key = JSON.stringify([issuer, subject, person.groups, person.groupsAt]);
    const at = now();
    if (at - (this.#renewed.get(key) ?? 0) < renewEvery) return;
    if (this.#renewed.size > 10_000) this.#renewed.clear();
    this.#renewed.set(key, at);
    await renewChatLinks(store.db, { issuer, subject, person: JSON.stringify(person), renewed: at });
  }

  /** Ends all links of a person; answers how many there were. */
  unlink(person: Person): Promise<number> {
    return deleteChatLinks(this.#options.store.db, person);
  }

  async personOf(user: ChatUser): Promise<Linked> {
    const { store, now, loginLifetime = usualLifetime } = this.#options;
    const row = await readChatLink(store.db, user);
    if (row === undefined) return { ok: false, why: "unknown" };
    const person: Person = JSON.parse(row.person);
    if (now() - row.renewed >= loginLifetime) return { ok: false, why: "stale" };
    const current = await this.#options.current?.(person);
    if (current === undefined) return { ok: true, person };
    return current.ok ? current : { ok: false, why: "stale" };
  }

  /** False: this message was seen before, on whichever replica. */
  isFirst(nonce: string, lifetime: number): Promise<boolean> {
    const { store, now } = this.#options;
    return takeNonce(store.db, digest(nonce), now() + lifetime, now());
  }
}

const digest = (code: string): string => hash("sha256", code);
