import { z } from "zod";
import type { JsonValue } from "../../core/json.ts";

const names = z.array(z.string().min(1)).default([]);
const members = z.strictObject({ users: names, groups: names });

/** Who may log in and as what: `kind: Identities` of `castellan.dev/v1alpha1`. Unknown fields are errors. */
const identitiesSchema = z.strictObject({
  apiVersion: z.literal("castellan.dev/v1alpha1"),
  kind: z.literal("Identities"),
  metadata: z.strictObject({ name: z.string() }).optional(),
  oidc: z
    .strictObject({
      issuer: z.url(),
      clientId: z.string().min(1),
      /** The environment variable that holds the secret; a public client has none. */
      clientSecretEnv: z.string().min(1).optional(),
      /** Where the issuer sends people back: this server's address with `/login/callback`. */
      redirectUrl: z.url().refine((url) => new URL(url).pathname === "/login/callback", "must end in /login/callback"),
      scopes: z.array(z.string()).default(["openid", "profile", "email", "groups"]),
      usernameClaim: z.string().default("email"),
      groupsClaim: z.string().default("groups"),
    })
    .optional(),
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
});

export type Identities = z.infer<typeof identitiesSchema>;
export type OidcSettings = NonNullable<Identities["oidc"]>;

/** The identities of a document, or what is wrong with it, one line. */
export function readIdentities(
  document: JsonValue | undefined,
): { readonly ok: true; readonly identities: Identities } | { readonly ok: false; readonly problem: string } {
  const parsed = identitiesSchema.safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { ok: false, problem: `${issue?.path.join(".") || "the document"}: ${issue?.message ?? "is wrong"}` };
  }
  if (parsed.data.oidc === undefined && parsed.data.developmentUsers.length === 0) {
    return { ok: false, problem: "it names neither an OIDC issuer nor development users: nobody could log in" };
  }
  return { ok: true, identities: parsed.data };
}
