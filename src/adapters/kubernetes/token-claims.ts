import type { Instant } from "../../core/host.ts";
import { asString, type JsonValue, member } from "../../core/json.ts";

/** What a service account's token says of itself (RFC 7519). Nobody has checked its signature: the API server does. */
export interface TokenClaims {
  /** `system:serviceaccount:<namespace>:<name>` */
  readonly subject: string | undefined;
  readonly issued: Instant | undefined;
  /** Undefined: it does not end. */
  readonly ends: Instant | undefined;
}

/** Undefined where it is no JSON Web Token: such tokens say nothing. */
export function tokenClaims(token: string): TokenClaims | undefined {
  const [, payload, signature, more] = token.split(".");
  if (payload === undefined || signature === undefined || more !== undefined) return undefined;
  let claims: JsonValue;
  try {
    claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  return { subject: asString(member(claims, "sub")), issued: instant(claims, "iat"), ends: instant(claims, "exp") };
}

/** Of a claim in seconds since 1970. */
function instant(claims: JsonValue, name: string): Instant | undefined {
  const seconds = member(claims, name);
  return typeof seconds === "number" && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
