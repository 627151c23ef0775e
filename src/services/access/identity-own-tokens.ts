import { createLocalJWKSet, type LocalJWKSet } from "jose";
import { z } from "zod";
import { type Person, personKey } from "../../access/person.ts";
import { refused, type TokenVerifier } from "../../adapters/identity/proven-identity.ts";
import { verifySigned } from "../../adapters/identity/signed-token.ts";
import type { JsonObject } from "../../core/json.ts";

/** Who people are that log in by name alone, for development. */
export const developmentIssuer = "development";

export interface OwnTokenOptions {
  /** The console's address, as tokens name it. */
  readonly issuer: () => string;
  readonly audience: string;
  /** The public keys of all replicas. */
  readonly keys: () => Promise<readonly JsonObject[]>;
  /** Whether people who log in by name alone are let in: not where others than this machine reach the listener. */
  readonly development: boolean;
  /** Tokens must be bound to a key. */
  readonly bound: boolean;
  readonly now: () => number;
}

/** So long keys are believed; one that is not known is looked for at once, but not more often than every second. */
const keysLifetime = 60_000;
const retryMilliseconds = 1000;

/** What a token says about a person and the login behind it, which ends at `loginUntil` (milliseconds since the epoch); who approves is compared by issuer and subject of their own login. */
export function claimsOf(person: Person, loginUntil: number): JsonObject {
  const { issuer, subject, user, groups, groupsAt, isProgram, displayName, email } = person;
  return {
    sub: personKey(person),
    preferred_username: user,
    groups: [...groups],
    ...(displayName === undefined ? {} : { name: displayName }),
    ...(email === undefined ? {} : { email, email_verified: true }),
    castellan: { issuer, subject, program: isProgram, until: loginUntil, ...(groupsAt === undefined ? {} : { groupsAt }) },
  };
}

/** What `claimsOf` wrote, and the key that a token is bound to (RFC 9449). */
const claimsSchema = z.object({
  preferred_username: z.string(),
  groups: z.array(z.string()),
  name: z.string().optional(),
  email: z.string().optional(),
  email_verified: z.boolean().default(false),
  cnf: z.object({ jkt: z.string() }).optional(),
  castellan: z.object({
    issuer: z.string().min(1),
    subject: z.string().min(1),
    program: z.boolean(),
    until: z.number(),
    groupsAt: z.number().optional(),
  }),
});

const headerSchema = z.object({ kid: z.string() });

/** Checks the short-lived tokens that this server, or another replica of it, has issued. */
export function ownTokens(options: OwnTokenOptions): TokenVerifier {
  const { issuer, audience, development, bound, now } = options;
  const keys = new KnownKeys(options);
  return {
    issuer,
    verify: (token) =>
      verifySigned(
        token,
        () => keys.for(keyIdOf(token)),
        { issuer: issuer(), audiences: [audience], algorithms: ["ES256"], now },
        (claims, until) => {
          const read = claimsSchema.safeParse(claims);
          if (!read.success) return "the token does not say whose it is";
          const { castellan, cnf, ...said } = read.data;
          if (castellan.issuer === developmentIssuer && !development) {
            return refused(403, "IDENTITY_NAME_REFUSED", "development users are not let in here: their logins prove nothing");
          }
          if (bound && cnf === undefined) return "the token is bound to no key: log in again";
          return {
            ok: true,
            identity: {
              issuer: castellan.issuer,
              subject: castellan.subject,
              user: said.preferred_username,
              groups: said.groups,
              groupsAt: castellan.groupsAt,
              isProgram: castellan.program,
              displayName: said.name,
              email: said.email,
              emailVerified: said.email_verified,
              until,
              loginUntil: castellan.until,
              boundToKey: cnf?.jkt,
            },
          };
        },
      ),
  };
}

class KnownKeys {
  readonly #options: Pick<OwnTokenOptions, "keys" | "now">;
  #known: { readonly set: LocalJWKSet; readonly at: number } | undefined;

  constructor(options: Pick<OwnTokenOptions, "keys" | "now">) {
    this.#options = options;
  }

  /** The keys, with this one where any replica has it. Rejects where that cannot be known. */
  async for(kid: string | undefined): Promise<LocalJWKSet> {
    const known = this.#known;
    if (known === undefined) return this.#load();
    const has = known.set.jwks().keys.some((key) => key.kid === kid);
    const age = Math.abs(this.#options.now() - known.at);
    if (age <= (has ? keysLifetime : retryMilliseconds)) return known.set;
    return this.#load().catch((error: unknown) => {
      if (!has) throw error;
      // While the database does not answer, keys that are known go on to be good.
      this.#known = { set: known.set, at: this.#options.now() };
      return known.set;
    });
  }

  async #load(): Promise<LocalJWKSet> {
    const keys = await this.#options.keys();
    const set = createLocalJWKSet({ keys: keys.map((key) => ({ ...key, kty: "EC" })) });
    this.#known = { set, at: this.#options.now() };
    return set;
  }
}

function keyIdOf(token: string): string | undefined {
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString("utf8"))).kid;
  } catch {
    return undefined;
  }
}
