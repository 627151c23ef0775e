import { type Person, personKey } from "../../access/person.ts";
import type { AskAgain } from "../../adapters/identity/oidc.ts";
import type { Instant } from "../../core/host.ts";
import type { Authenticated } from "./identity.ts";
import type { Admit } from "./identity-authenticator.ts";

export interface KnownLoginsOptions {
  readonly admit: Admit;
  /** So long what a provider said is not asked about again, milliseconds. */
  readonly freshMilliseconds: number;
  readonly now: () => Instant;
  readonly onTrouble: (error: unknown) => void;
}

interface Login {
  readonly person: Person;
  /** Undefined: the provider cannot be asked about this person, or no longer says anything. */
  readonly again: AskAgain | undefined;
  readonly until: Instant;
  /** When it refused to vouch for the person any longer: whoever logged in before, wherever that was, must do so again. */
  readonly goneAt: Instant | undefined;
  asking: Promise<Authenticated> | undefined;
  retryAt: Instant;
}

const retryMilliseconds = 30_000;

/**
 * People who logged in at an identity provider, as it says they are by now: whoever is about to act is asked for again, where the provider
 * offers that, and the newest word counts for all sessions of that person. `Person.groupsAt` says how old it is.
 */
export class KnownLogins {
  readonly #options: KnownLoginsOptions;
  readonly #logins = new Map<string, Login>();

  constructor(options: KnownLoginsOptions) {
    this.#options = options;
  }

  /** Somebody has logged in, until then at the longest. */
  began(person: Person, again: AskAgain | undefined, until: Instant): void {
    const now = this.#options.now();
    for (const [key, login] of this.#logins) if (login.until <= now) this.#logins.delete(key);
    this.#take(person, again, until, undefined);
  }

  /** The person as they are known by now; refused where the provider's newest word names somebody who is not let in. */
  async current(person: Person): Promise<Authenticated> {
    const login = this.#logins.get(personKey(person));
    if (login === undefined || person.groupsAt === undefined) return { ok: true, person };
    const { now, freshMilliseconds } = this.#options;
    const at = now();
    const age = at - (login.person.groupsAt ?? at);
    if (login.again !== undefined && age >= freshMilliseconds && at >= login.retryAt) {
      login.asking ??= this.#ask(login, login.again);
      const said = await login.asking;
      if (!said.ok) return said;
    }
    return newerOf(person, this.#logins.get(personKey(person)) ?? login);
  }

  async #ask(login: Login, again: AskAgain): Promise<Authenticated> {
    const { admit, now, onTrouble } = this.#options;
    const { person, until } = login;
    const at = now();
    try {
      const said = await again();
      if (said === "gone") {
        // Nobody vouches for the groups any more, from this moment on.
        const forgotten = { ...person, groupsAt: 0 };
        this.#take(forgotten, undefined, until, at);
        return { ok: true, person: forgotten };
      }
      if (said !== "unknown") {
        const admitted = said.ok ? admit(said.identity) : said;
        if (!admitted.ok) return admitted;
        const renewed = { ...admitted.person, groupsAt: at };
        if (personKey(renewed) !== personKey(person)) throw new Error("the issuer named somebody else than before");
        this.#take(renewed, again, until, undefined);
        return { ok: true, person: renewed };
      }
    } catch (error) {
      onTrouble(error);
    } finally {
      login.asking = undefined;
    }
    login.retryAt = now() + retryMilliseconds;
    return { ok: true, person };
  }

  #take(person: Person, again: AskAgain | undefined, until: Instant, goneAt: Instant | undefined): void {
    this.#logins.set(personKey(person), { person, again, until, goneAt, asking: undefined, retryAt: 0 });
  }
}

/** Whichever the provider said last, or took back; how long the login itself lasts is the caller's own. */
function newerOf(own: Person, { person: known, goneAt }: Login): Authenticated {
  const said = own.groupsAt ?? 0;
  const isNewer = goneAt === undefined ? (known.groupsAt ?? 0) > said : goneAt >= said;
  return { ok: true, person: isNewer ? { ...known, until: own.until } : own };
}
