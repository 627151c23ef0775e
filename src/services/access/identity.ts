import type { X509Certificate } from "node:crypto";
import type { Person } from "../../access/person.ts";
import type { Proof, ProofRefused, ProvenIdentity } from "../../adapters/identity/proven-identity.ts";

export type { AskAgain } from "../../adapters/identity/oidc.ts";
export type { Proof, ProofRefused, ProvenIdentity };

/** What a request and its connection show of who sends it. */
export interface PresentedCredentials {
  /** The values of all `Authorization` lines, as they came: more than one is refused. */
  readonly authorization: readonly string[];
  /** The certificate of the TLS peer, and whether OpenSSL accepted its chain (`TLSSocket.authorized`). */
  readonly peer?: { readonly certificate: X509Certificate; readonly authorized: boolean } | undefined;
}

export type Authenticated = { readonly ok: true; readonly person: Person } | ProofRefused;

/** Says who sends a request. Every edge asks for each request: expiry and locks are looked at each time. */
export interface Authenticator {
  authenticate(presented: PresentedCredentials): Promise<Authenticated>;
  /** How a TLS listener must ask for client certificates; undefined: it need not. */
  readonly clientCertificates:
    | {
        readonly requestCert: true;
        readonly rejectUnauthorized: false;
        readonly allowPartialTrustChain: true;
        readonly ca: string[];
      }
    | undefined;
}

/** The one human behind a login, by what was declared; undefined where nothing was. E-mail addresses are given only if verified. */
export type Directory = (key: string, verifiedEmail: string | undefined) => string | undefined;

/** Larger tokens are refused with 431. */
export const mostTokenBytes = 16 * 1024;
/** What a listener must take of all headers together (Node's own limit is 16 KiB), so that such a token comes through. */
export const mostHeaderBytes = 2 * mostTokenBytes;
/** More groups are refused with 431: each becomes a header. */
export const mostGroups = 512;
