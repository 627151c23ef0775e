/** Somebody, or a program, whose identity was proven at the edge. Never built from what a request says about itself. */
export interface Person {
  /** Who vouches for it: an OIDC issuer's URL, `certificate:<name of the authority>`, or `development`. */
  readonly issuer: string;
  /** Stable within the issuer: the `sub` claim, a certificate's common name. */
  readonly subject: string;
  /** The user's name as Kubernetes is told it. Never empty. */
  readonly user: string;
  /** As Kubernetes is told them; exact, never split or shortened. */
  readonly groups: readonly string[];
  /**
   * When an identity provider last said these groups, of a login that outlives its word. Undefined: they are of a file, or of a proof that
   * is the provider's own word until it ends (its token, a certificate).
   */
  readonly groupsAt?: number | undefined;
  readonly uid?: string | undefined;
  readonly extra?: { readonly [key: string]: readonly string[] } | undefined;
  /** The one human behind it, by the directory's aliases; else `issuer#subject`. Two logins of one human have one value. */
  readonly human: string;
  /** Programs never approve. */
  readonly isProgram: boolean;
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
  /**
   * When the proof itself ends, milliseconds since the epoch: a token's `exp`, a certificate's notAfter. Behind our own tokens, which
   * live for minutes and are renewed, it is the end of the login: what was begun with one goes on with the next.
   */
  readonly until?: number | undefined;
}

/** What identifies a person across issuers, for digests and comparisons: user names alone collide. */
export const personKey = ({ issuer, subject }: Pick<Person, "issuer" | "subject">): string => `${issuer}#${subject}`;
