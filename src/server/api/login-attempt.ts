import { EncryptJWT, errors, jwtDecrypt } from "jose";
import { z } from "zod";

/** What the answer of an issuer is checked against. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** A login that somebody has begun at the issuer. */
export interface BegunLogin {
  readonly attempt: Attempt;
  /** Where it leads; undefined: to the console. */
  readonly back: string | undefined;
}

const lifetime = 600_000;
const encryption = { alg: "dir", enc: "A256GCM" } as const;

const claimsSchema = z.object({
  attempt: z.object({ state: z.string(), nonce: z.string(), verifier: z.string() }),
  back: z.string().optional(),
});

/**
 * Logins under way, kept by the browsers themselves as cookies that only a replica can read (RFC 7516): any of them takes the issuer's
 * answer, and strangers who begin thousands fill nothing. `key` is 32 bytes.
 */
export class LoginAttempts {
  readonly #key: Uint8Array;
  readonly #now: () => number;

  constructor(key: Uint8Array, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  seal(begun: BegunLogin): Promise<string> {
    const until = new Date(this.#now() + lifetime);
    return new EncryptJWT({ ...begun }).setProtectedHeader(encryption).setExpirationTime(until).encrypt(this.#key);
  }

  /** Undefined where it is not ours, or was begun too long ago. */
  async open(sealed: string): Promise<BegunLogin | undefined> {
    try {
      const { payload } = await jwtDecrypt(sealed, this.#key, {
        currentDate: new Date(this.#now()),
        keyManagementAlgorithms: [encryption.alg],
        contentEncryptionAlgorithms: [encryption.enc],
        requiredClaims: ["exp"],
      });
      const { attempt, back } = claimsSchema.parse(payload);
      return { attempt, back };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) return undefined;
      throw error;
    }
  }
}
