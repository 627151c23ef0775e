import { readFile } from "node:fs/promises";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { type Identities, readIdentities } from "../adapters/identity/identities.ts";
import type { LoginOptions } from "../server/api/login-routes.ts";
import { type CommandContext, UsageError } from "./command.ts";

export interface IdentityFlags {
  readonly identities?: string;
  readonly insecureDevelopmentIdentities?: boolean;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
}

export interface ConsoleIdentities extends Pick<LoginOptions, "members" | "issuer" | "developmentUsers" | "secure"> {
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Host names by which browsers know us beside the listener's. */
  readonly hosts: readonly string[];
  /** How browsers reach us; undefined: by the listener's address. */
  readonly publicUrl: string | undefined;
  /** The file's whole document; undefined where none was named. */
  readonly document: Identities | undefined;
  /** Development users are let in where the address is not loopback. */
  readonly developmentAnywhere: boolean;
}

export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);

/** Who may log in at a listener, as the flags and their files say. Throws `UsageError`. */
export async function consoleIdentities(host: string, flags: IdentityFlags, { io }: CommandContext): Promise<ConsoleIdentities> {
  const tls = await tlsOf(flags);
  const nobody = { members: {}, issuer: undefined, developmentUsers: [], secure: tls !== undefined, tls, hosts: [] };
  const developmentAnywhere = flags.insecureDevelopmentIdentities === true;
  if (flags.identities === undefined) return { ...nobody, publicUrl: undefined, document: undefined, developmentAnywhere };
  const document = await identitiesOf(flags.identities);
  const { roles, developmentUsers, oidc } = document;
  const publicUrl = document.publicUrl ?? oidc?.redirectUrl;
  const hosts = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  const secure = tls !== undefined || publicUrl?.startsWith("https:") === true;
  const none = { ...nobody, hosts, secure, publicUrl: publicUrl && new URL(publicUrl).origin, document, developmentAnywhere };
  if (developmentUsers.length > 0 && !isLoopback(host) && !developmentAnywhere) {
    throw new UsageError(
      `${flags.identities} has development users, who log in without proof, and ${host} is no loopback address: use an OIDC issuer, or say --insecure-development-identities`,
    );
  }
  if (oidc === undefined) return { ...none, members: withOwnGroups(roles), developmentUsers };
  const secret = oidc.clientSecretEnv === undefined ? undefined : io.env[oidc.clientSecretEnv];
  if (oidc.clientSecretEnv !== undefined && secret === undefined)
    throw new UsageError(
      `the environment variable ${oidc.clientSecretEnv} is not set: ${flags.identities} names it for the client's secret`,
    );
  const { oidcLogin } = await import("../adapters/identity/oidc.ts");
  const issuer = await oidcLogin(oidc, secret).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the OIDC issuer ${oidc.issuer} cannot be used: ${why}`);
  });
  return { ...none, members: roles, developmentUsers, issuer };
}

/** Development users may name their role in a group; the groups of an issuer are somebody else's. */
function withOwnGroups(listed: Identities["roles"]): LoginOptions["members"] {
  const own = (["viewer", "auditor", "policy-admin", "admin"] as const).map((role) => {
    const { users = [], groups = [] } = listed[role] ?? {};
    return [role, { users, groups: [...groups, `castellan:${role}`] }] as const;
  });
  return Object.fromEntries(own);
}

async function identitiesOf(file: string): Promise<Identities> {
  const { documents, diagnostics } = await loadPaths([file]);
  const [document, second] = documents;
  const broken = diagnostics.find(({ severity }) => severity === "error");
  if (broken !== undefined) throw new UsageError(`${file}: ${broken.message}`);
  const reading = readIdentities(second === undefined ? document?.value : undefined);
  if (!reading.ok) throw new UsageError(`${file}: ${second === undefined ? reading.problem : "it has more than one document"}`);
  return reading.identities;
}

async function tlsOf({ tlsCertificate, tlsKey }: IdentityFlags): Promise<ConsoleIdentities["tls"]> {
  if (tlsCertificate === undefined && tlsKey === undefined) return undefined;
  if (tlsCertificate === undefined || tlsKey === undefined)
    throw new UsageError("--tls-certificate and --tls-key belong together");
  const read = (file: string) =>
    readFile(file, "utf8").catch(() => {
      throw new UsageError(`${file} cannot be read`);
    });
  return { cert: await read(tlsCertificate), key: await read(tlsKey) };
}
