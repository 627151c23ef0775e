import { type Proof, type ProvenIdentity, refused } from "./proven-identity.ts";

export interface ClaimNames {
  readonly issuer: string;
  readonly usernameClaim: string;
  readonly usernamePrefix: string;
  readonly groupsClaim: string;
  readonly groupsPrefix: string;
  readonly programs: readonly { readonly claim: string; readonly value?: string | undefined }[];
}

interface Claims {
  readonly [claim: string]: unknown;
}

/** Whom verified claims name. `until` is when they end, milliseconds since the epoch. */
export function identityOfClaims(claims: Claims, names: ClaimNames, until: number | undefined): Proof {
  const subject = claims["sub"];
  const name = claims[names.usernameClaim];
  if (typeof subject !== "string" || subject === "") return refused(401, "IDENTITY_INVALID", "the token has no subject");
  if (typeof name !== "string" || name === "")
    return refused(401, "IDENTITY_INVALID", `the token has no ${names.usernameClaim}, which names its user`);
  if (names.usernameClaim === "email" && claims["email_verified"] === false)
    return refused(401, "IDENTITY_INVALID", "the issuer has not verified the e-mail address");
  const groups = groupsOf(claims[names.groupsClaim]);
  if (groups === undefined)
    return refused(401, "IDENTITY_INVALID", `the token's ${names.groupsClaim} are neither a name nor a list of names`);
  const identity: ProvenIdentity = {
    issuer: names.issuer,
    subject,
    user: names.usernamePrefix + name,
    groups: groups.map((group) => names.groupsPrefix + group),
    isProgram: isProgram(claims, names.programs),
    displayName: text(claims["name"]),
    email: text(claims["email"]),
    // Who names people by their addresses vouches for them, unless it says otherwise.
    emailVerified: claims["email_verified"] === true || names.usernameClaim === "email",
    until,
    boundTo: certificateOf(claims["cnf"]),
  };
  return { ok: true, identity };
}

/** A claim that is not there gives no groups: nobody is asked instead. */
function groupsOf(claim: unknown): readonly string[] | undefined {
  if (claim === undefined || claim === null) return [];
  if (typeof claim === "string") return [claim];
  if (!Array.isArray(claim) || !claim.every((group) => typeof group === "string")) return undefined;
  return claim;
}

/** How Entra, Auth0 and Keycloak mark the tokens that programs get for themselves; RFC 9068 2.2: they are their own subject. */
function isProgram(claims: Claims, configured: ClaimNames["programs"]): boolean {
  const { sub } = claims;
  if (sub === claims["client_id"] || sub === claims["azp"]) return true;
  if (claims["idtyp"] === "app" || claims["gty"] === "client-credentials") return true;
  if (text(claims["preferred_username"])?.startsWith("service-account-") === true) return true;
  return configured.some(({ claim, value }) => (value === undefined ? claims[claim] !== undefined : claims[claim] === value));
}

function certificateOf(confirmation: unknown): string | undefined {
  if (typeof confirmation !== "object" || confirmation === null || !("x5t#S256" in confirmation)) return undefined;
  return text(confirmation["x5t#S256"]);
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
