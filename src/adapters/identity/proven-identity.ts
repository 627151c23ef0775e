/** What a proof (a token, a certificate) says about who shows it, after the checks that the proof itself allows. */
export interface ProvenIdentity {
  /** An OIDC issuer's URL, `certificate:<name of the authority>`, `development` or `castellan-operator`. */
  readonly issuer: string;
  /** Stable within the issuer. */
  readonly subject: string;
  /** With the prefix that the configuration gives to names of this issuer. */
  readonly user: string;
  /** Whole, as the issuer wrote them, with the prefix that the configuration gives; none where it said nothing. */
  readonly groups: readonly string[];
  /** When its provider said these groups, where that was before the proof itself was made; milliseconds since the epoch. */
  readonly groupsAt?: number | undefined;
  readonly isProgram: boolean;
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
  readonly emailVerified: boolean;
  /** When the proof ends, milliseconds since the epoch; undefined: whoever takes it says for how long. */
  readonly until?: number | undefined;
  /** When the login ends that stands behind a token which is renewed, milliseconds since the epoch. */
  readonly loginUntil?: number | undefined;
  /** RFC 8705: the proof is good only beside the client certificate with this SHA-256, base64url. */
  readonly boundTo?: string | undefined;
  /** RFC 9449: the proof is good only beside a client certificate of the key with this RFC 7638 thumbprint. */
  readonly boundToKey?: string | undefined;
}

/** Codes are those of `diagnostic-codes`. */
export interface ProofRefused {
  readonly ok: false;
  /** 401 the proof is no good, 403 who it proves is refused, 431 it is too large, 503 it could not be checked. */
  readonly status: 401 | 403 | 431 | 503;
  readonly code:
    | "IDENTITY_MISSING"
    | "IDENTITY_SEVERAL"
    | "IDENTITY_INVALID"
    | "IDENTITY_TOO_LARGE"
    | "IDENTITY_NAME_REFUSED"
    | "IDENTITY_LOCKED"
    | "IDENTITY_UNCHECKED";
  /** For whoever showed the proof; it never repeats a token or a group. */
  readonly message: string;
}

export type Proof = { readonly ok: true; readonly identity: ProvenIdentity } | ProofRefused;

export const refused = (status: ProofRefused["status"], code: ProofRefused["code"], message: string): ProofRefused => ({
  ok: false,
  status,
  code,
  message,
});

/** Checks bearer tokens of one issuer. */
export interface TokenVerifier {
  /** The `iss` of its tokens. */
  issuer(): string;
  verify(token: string): Promise<Proof>;
}
