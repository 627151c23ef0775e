import { hash, type KeyObject } from "node:crypto";
import { type Person, personKey } from "../../access/person.ts";
import type { CertificateVerifier } from "../../adapters/identity/client-certificate.ts";
import {
  type Proof,
  type ProofRefused,
  type ProvenIdentity,
  refused,
  type TokenVerifier,
} from "../../adapters/identity/proven-identity.ts";
import { type Authenticated, type Authenticator, type Directory, mostTokenBytes, type PresentedCredentials } from "./identity.ts";
import { type NameRules, namesProblem } from "./identity-names.ts";

export interface AdmissionRules extends NameRules {
  readonly directory: Directory;
  /** `AccessDesk.isLocked`. */
  readonly isLocked: (human: string) => boolean;
}

export interface AuthenticatorOptions {
  /** Of the issuers of bearer tokens; Castellan's own is one of them. */
  readonly tokens: readonly TokenVerifier[];
  readonly certificates?: CertificateVerifier | undefined;
  /** Whether tokens may be bound to client certificates of no authority. */
  readonly bound: boolean;
  readonly admit: Admit;
  readonly now: () => number;
}

/** Whether an identity whose proof was checked is let in, and as which person. */
export type Admit = (identity: ProvenIdentity) => Authenticated;

/** The one human behind a login, as the directory says now; nobody who is listed is `issuer#subject`. */
export const humanOf = (
  login: Pick<Person, "issuer" | "subject">,
  verifiedEmail: string | undefined,
  directory: Directory,
): string => directory(personKey(login), verifiedEmail) ?? personKey(login);

export const lockedOut = refused(403, "IDENTITY_LOCKED", "access is locked for this person: ask an administrator of Castellan");

/** The same for every way to log in: names that no identity provider may give, and locks. */
export function admission(rules: AdmissionRules): Admit {
  return (identity) => {
    const problem = namesProblem(identity, rules);
    if (problem !== undefined) return problem;
    const person = personOf(identity, rules.directory);
    return rules.isLocked(person.human) ? lockedOut : { ok: true, person };
  };
}

/** So many verified tokens are remembered; the one that was longest unused makes room. */
const mostRemembered = 10_000;
/** RFC 6750 2.1. */
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/** Tells who sends a request by exactly one credential: a bearer token or a client certificate. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { certificates, now } = options;
  const verified = new Map<string, ProvenIdentity>();

  async function ofToken(token: string): Promise<Proof> {
    const key = hash("sha256", token);
    const known = verified.get(key);
    verified.delete(key);
    if (known?.until !== undefined && now() < known.until) {
      verified.set(key, known);
      return { ok: true, identity: known };
    }
    const issuer = issuerOf(token);
    const verifier = options.tokens.find((one) => one.issuer() === issuer);
    if (verifier === undefined)
      return refused(401, "IDENTITY_INVALID", "the token is not of an issuer that this server knows, or no token: log in again");
    const proof = await verifier.verify(token);
    if (!proof.ok) return proof;
    const [oldest] = verified.keys();
    if (verified.size >= mostRemembered && oldest !== undefined) verified.delete(oldest);
    verified.set(key, proof.identity);
    return proof;
  }

  async function proofOf({ authorization, peer }: PresentedCredentials): Promise<Proof> {
    const [line, ...more] = authorization;
    if (more.length > 0) return refused(401, "IDENTITY_SEVERAL", "more than one Authorization header was sent");
    if (line !== undefined) {
      if (line.length > mostTokenBytes) {
        return refused(431, "IDENTITY_TOO_LARGE", `the Authorization header is longer than ${mostTokenBytes} bytes`);
      }
      const token = bearer.exec(line)?.[1];
      if (token === undefined) return refused(401, "IDENTITY_INVALID", "the Authorization header holds no bearer token");
      const proof = await ofToken(token);
      if (!proof.ok) return proof;
      return boundProblem(proof.identity, peer) ?? proof;
    }
    if (peer !== undefined && certificates !== undefined) return certificates.verify(peer);
    return refused(401, "IDENTITY_MISSING", "no credential was sent: run castellan login, and castellan kubeconfig");
  }

  return {
    clientCertificates:
      certificates === undefined && !options.bound
        ? undefined
        : {
            requestCert: true,
            rejectUnauthorized: false,
            allowPartialTrustChain: true,
            // Without this list OpenSSL would take those of the system for ours.
            ca: certificates === undefined ? [] : [certificates.authorities],
          },
    async authenticate(presented): Promise<Authenticated> {
      const proof = await proofOf(presented);
      return proof.ok ? options.admit(proof.identity) : proof;
    },
  };
}

/** A certificate beside a token is a second credential, unless the token is bound to it (RFC 8705) or to its key (RFC 9449). */
function boundProblem({ boundTo, boundToKey }: ProvenIdentity, peer: PresentedCredentials["peer"]): ProofRefused | undefined {
  const isBound = boundTo !== undefined || boundToKey !== undefined;
  if (peer === undefined) {
    return isBound
      ? refused(401, "IDENTITY_INVALID", "the token is bound to a client certificate, which was not shown")
      : undefined;
  }
  if (!isBound) return refused(401, "IDENTITY_SEVERAL", "both a bearer token and a client certificate were sent");
  const { raw, publicKey } = peer.certificate;
  const isRight =
    (boundTo === undefined || hash("sha256", raw, "base64url") === boundTo) &&
    (boundToKey === undefined || keyThumbprint(publicKey) === boundToKey);
  return isRight ? undefined : refused(401, "IDENTITY_INVALID", "the token is bound to another client certificate");
}

/** RFC 7638, of an elliptic curve's key; the handshake has proven that the peer has its private part. */
function keyThumbprint(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== "ec") return undefined;
  const { crv, kty, x, y } = key.export({ format: "jwk" });
  return hash("sha256", JSON.stringify({ crv, kty, x, y }), "base64url");
}

/** The `iss` of a token that nobody has verified yet: it only chooses who verifies. */
function issuerOf(token: string): string | undefined {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const issuer = typeof claims === "object" && claims !== null && "iss" in claims ? claims.iss : undefined;
    return typeof issuer === "string" ? issuer : undefined;
  } catch {
    return undefined;
  }
}

/** The person of an identity: the directory says which logins are one human. */
function personOf(identity: ProvenIdentity, directory: Directory): Person {
  const { issuer, subject, user, groups, groupsAt, isProgram, displayName, emailVerified } = identity;
  const email = emailVerified ? identity.email : undefined;
  const human = humanOf(identity, email, directory);
  const until = identity.loginUntil ?? identity.until;
  return { issuer, subject, user, groups, groupsAt, human, isProgram, displayName, email, until };
}
