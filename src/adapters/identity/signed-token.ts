import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { type Proof, refused } from "./proven-identity.ts";

/** Clocks of issuers may differ from ours by so much. */
const skewSeconds = 10;

export interface TokenExpectations {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly now: () => number;
}

/**
 * Checks signature, issuer, audience and times of a JSON Web Token (RFC 7519, RFC 8725); `read` then says whom its claims name, or
 * what is wrong with them. What could not be checked is 503, never passed.
 */
export async function verifySigned(
  token: string,
  keys: () => Promise<JWTVerifyGetKey>,
  { issuer, audiences, algorithms, now }: TokenExpectations,
  read: (claims: JWTPayload, until: number) => Proof | string,
): Promise<Proof> {
  try {
    const { payload } = await jwtVerify(token, await keys(), {
      issuer,
      audience: [...audiences],
      algorithms: [...algorithms],
      clockTolerance: skewSeconds,
      currentDate: new Date(now()),
      requiredClaims: ["exp", "sub"],
    });
    const found = read(payload, ((payload.exp ?? 0) + skewSeconds) * 1000);
    return typeof found === "string" ? refused(401, "IDENTITY_INVALID", found) : found;
  } catch (error) {
    return refusalOf(error, issuer);
  }
}

/** The library's own messages are not passed on: they may quote what a token says. */
function refusalOf(error: unknown, issuer: string): Proof {
  if (error instanceof errors.JWTExpired) return refused(401, "IDENTITY_INVALID", "the token has expired: log in again");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused(401, "IDENTITY_INVALID", `the token's ${error.claim} is not the one that this server asks for`);
  }
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || error.code === "ERR_JOSE_GENERIC") {
    return refused(503, "IDENTITY_UNCHECKED", `the token could not be checked: the keys of ${issuer} cannot be fetched`);
  }
  return refused(401, "IDENTITY_INVALID", "the token's signature, key or form is not right");
}
