import { z } from "zod";
import { parseDuration } from "../../core/duration.ts";
import type { JsonValue } from "../../core/json.ts";

const names = z.array(z.string().min(1)).default([]);
const members = z.strictObject({ users: names, groups: names });

/** Signatures with a public key (RFC 7518): a secret that is shared with the issuer proves nothing to a third party. */
const signingAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const claimNames = {
  groupsClaim: z.string().min(1).default("groups"),
  /** Before each user name; else `<issuer>#`, and nothing before e-mail addresses (as kube-apiserver does). */
  usernamePrefix: z.string().optional(),
  /** Before each group. */
  groupsPrefix: z.string().optional(),
};

const oidc = z.strictObject({
  issuer: z.url(),
  clientId: z.string().min(1),
  /** The environment variable that holds the secret; a public client has none. */
  clientSecretEnv: z.string().min(1).optional(),
  /** Where the issuer sends people back: this server's address with `/login/callback`. */
  redirectUrl: z.url().refine((url) => new URL(url).pathname === "/login/callback", "must end in /login/callback"),
  scopes: z.array(z.string()).default(["openid", "profile", "email", "groups"]),
  usernameClaim: z.string().min(1).default("email"),
  /** What it said of somebody's groups is good for approvals and grants for so long; then it is asked again, or they log in again. */
  groupsMaxAge: z
    .string()
    .default("1h")
    .refine((text) => (parseDuration(text) ?? 0n) > 0n, "must be a duration, as 90s, 30m or 8h"),
  ...claimNames,
});

const tokenIssuer = z.strictObject({
  issuer: z.url(),
  /** A token must be for one of these. */
  audiences: z.array(z.string().min(1)).min(1),
  usernameClaim: z.string().min(1).default("sub"),
  ...claimNames,
  /** Claims that a token must have with exactly this value. */
  requiredClaims: z.record(z.string(), z.string()).default({}),
  signingAlgorithms: z.array(z.enum(signingAlgorithms)).min(1).default(["RS256", "ES256"]),
  /** PEM file of the authority that issued the issuer's TLS certificate; else those of the system. */
  certificateAuthority: z.string().min(1).optional(),
  /** Tokens with such a claim are of programs, who never approve; without `value` the claim need only be there. */
  programs: z.array(z.strictObject({ claim: z.string().min(1), value: z.string().optional() })).default([]),
});

const certificateAuthority = z.strictObject({
  /** How records name it: `certificate:<name>`. */
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "must be of lower-case letters, digits and dashes"),
  /** PEM: the certificates that issue those of clients, intermediate ones too. */
  file: z.string().min(1),
  usernamePrefix: z.string().default(""),
  groupsPrefix: z.string().default(""),
  /** Its certificates are of programs, who never approve. */
  programs: z.boolean().default(false),
});

/** Who may log in and as what: `kind: Identities` of `castellan.dev/v1alpha1`. Unknown fields are errors. */
const identitiesSchema = z
  .strictObject({
    apiVersion: z.literal("castellan.dev/v1alpha1"),
    kind: z.literal("Identities"),
    metadata: z.strictObject({ name: z.string() }).optional(),
    /** How people reach the console, where that is neither the listener's address nor that of `oidc.redirectUrl`. */
    publicUrl: z
      .url()
      .refine((url) => new URL(url).pathname === "/", "must have no path")
      .optional(),
    /** Where people log in to the console and, through it, with `castellan login`. */
    oidc: oidc.optional(),
    /** Whose bearer tokens the gateway takes. */
    issuers: z.array(tokenIssuer).default([]),
    /** Whose client certificates the gateway takes. */
    certificates: z.array(certificateAuthority).default([]),
    /** Tokens of `castellan login` are good at the gateway only beside the key of the computer that they were given to. */
    boundTokens: z.boolean().default(false),
    /** Groups with these beginnings are refused too, whoever says them; `system:` and `castellan:` always are. */
    refusedGroupPrefixes: z.array(z.string().min(1)).default([]),
    /** Who has which role; a group `castellan:<role>` of a development user has it without being listed. */
    roles: z
      .strictObject({
        viewer: members.optional(),
        auditor: members.optional(),
        "policy-admin": members.optional(),
        admin: members.optional(),
      })
      .default({}),
    /** People who log in by their name alone, for development. */
    developmentUsers: z.array(z.strictObject({ name: z.string().min(1), groups: names })).default([]),
  })
  .superRefine((document, context) => {
    const problem = clashOf(document);
    if (problem !== undefined) context.addIssue({ code: "custom", ...problem });
  });

interface NameSource {
  readonly path: (string | number)[];
  readonly issuer: string;
  readonly prefix: string;
}

/** Two sources whose names could be mistaken for one another: the same name from both would be one user to Kubernetes. */
function clashOf(document: {
  readonly oidc?: OidcSettings | undefined;
  readonly issuers: readonly TokenIssuerSettings[];
  readonly certificates: readonly CertificateSettings[];
}): { readonly path: (string | number)[]; readonly message: string } | undefined {
  const sources: NameSource[] = [
    ...document.issuers.map((one, i) => ({ path: ["issuers", i], issuer: one.issuer, prefix: usernamePrefixOf(one) })),
    ...document.certificates.map((one, i) => ({
      path: ["certificates", i],
      issuer: `certificate:${one.name}`,
      prefix: one.usernamePrefix,
    })),
  ];
  if (document.oidc !== undefined) {
    sources.unshift({ path: ["oidc"], issuer: document.oidc.issuer, prefix: usernamePrefixOf(document.oidc) });
  }
  for (const [i, source] of sources.entries()) {
    for (const other of sources.slice(0, i)) {
      const isSame = other.issuer === source.issuer;
      // The console's issuer may be one of the gateway's: then it is one source, and must name people in one way.
      const isBoth = isSame && other.path[0] === "oidc";
      if (isSame && !isBoth) return { path: source.path, message: "is listed twice" };
      if (isBoth && other.prefix !== source.prefix) {
        return { path: [...source.path, "usernamePrefix"], message: "must be that of oidc, which is the same issuer" };
      }
      if (!isSame && other.prefix === source.prefix) {
        const message = `must differ from that of ${other.path.join(".")}: one name from both would be one user`;
        return { path: [...source.path, "usernamePrefix"], message };
      }
    }
  }
  return undefined;
}

export type Identities = z.infer<typeof identitiesSchema>;
export type OidcSettings = z.infer<typeof oidc>;
export type TokenIssuerSettings = z.infer<typeof tokenIssuer>;
export type CertificateSettings = z.infer<typeof certificateAuthority>;

/** What is put before the names of an issuer. */
export function usernamePrefixOf(
  settings: Pick<TokenIssuerSettings, "issuer" | "usernameClaim"> & { readonly usernamePrefix?: string | undefined },
): string {
  return settings.usernamePrefix ?? (settings.usernameClaim === "email" ? "" : `${settings.issuer}#`);
}

/** The identities of a document, or what is wrong with it, one line. */
export function readIdentities(
  document: JsonValue | undefined,
): { readonly ok: true; readonly identities: Identities } | { readonly ok: false; readonly problem: string } {
  const parsed = identitiesSchema.safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { ok: false, problem: `${issue?.path.join(".") || "the document"}: ${issue?.message ?? "is wrong"}` };
  }
  const { oidc, issuers, certificates, developmentUsers } = parsed.data;
  if (oidc === undefined && issuers.length === 0 && certificates.length === 0 && developmentUsers.length === 0) {
    const problem = "it names no OIDC issuer, no certificate authority and no development users: nobody could log in";
    return { ok: false, problem };
  }
  return { ok: true, identities: parsed.data };
}
