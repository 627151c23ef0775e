import { readFile } from "node:fs/promises";
import type { Person } from "../access/person.ts";
import { type CertificateVerifier, clientCertificates } from "../adapters/identity/client-certificate.ts";
import { type Identities, usernamePrefixOf } from "../adapters/identity/identities.ts";
import type { TokenVerifier } from "../adapters/identity/proven-identity.ts";
import { tokenIssuer } from "../adapters/identity/token-issuer.ts";
import { StoredOauthRecords } from "../adapters/store/oauth-records.ts";
import type { Store } from "../adapters/store/store.ts";
import { parseDuration } from "../core/duration.ts";
import type { Api, ApiOptions } from "../server/api/api.ts";
import type { LoginOptions } from "../server/api/login-routes.ts";
import { rolesOf } from "../server/api/roles.ts";
import type { Sessions, User } from "../server/api/session.ts";
import { addOauthRoutes, type Connection } from "../server/oauth/oauth-routes.ts";
import type { Authenticated, Authenticator, Directory } from "../services/access/identity.ts";
import { audiences } from "../services/access/identity-audiences.ts";
import { type Admit, admission, createAuthenticator, humanOf, lockedOut } from "../services/access/identity-authenticator.ts";
import { openTokenKeys } from "../services/access/identity-keys.ts";
import { type NameRules, operatorIssuer } from "../services/access/identity-names.ts";
import { ownTokens } from "../services/access/identity-own-tokens.ts";
import { KnownLogins } from "../services/access/known-logins.ts";
import { UsageError } from "./command.ts";
import { type ConsoleIdentities, isLoopback } from "./console-identities.ts";

export interface IdentityParts {
  readonly store: Store;
  /** The data directory, for the key that signs tokens. */
  readonly data: string;
  readonly directory: Directory;
  /** `AccessDesk.isLocked`. */
  readonly isLocked: (human: string) => boolean;
  /** How the gateway is reached; undefined while there is none. */
  readonly connection: () => Connection | undefined;
}

export interface ServingIdentity {
  /** For `addLoginRoutes`. */
  readonly admit: Admit;
  /** For `createApi`: tokens of `castellan login`. */
  readonly tokenUser: NonNullable<ApiOptions["tokenUser"]>;
  /** For `addLoginRoutes`: who logged in at the issuer, and how it is asked again. */
  readonly onLogin: NonNullable<LoginOptions["onLogin"]>;
  /** People as their identity provider knows them by now. */
  readonly current: (person: Person) => Promise<Authenticated>;
  /** So long a provider's word on somebody's groups is good for approvals and grants, milliseconds. */
  readonly groupsMaxAge: number;
  /** For `createApi`: what has become of people since they logged in. */
  readonly renewed: NonNullable<ApiOptions["renewed"]>;
  /** Castellan as issuer of tokens. */
  addRoutes(api: Api, sessions: Sessions): void;
  /** For a gateway that listens on `host`: development users are let in on loopback alone, unless switched on by name. */
  authenticator(host: string): Authenticator;
}

/** A provider that can be asked is asked again of people who act so long after it was. */
const freshMilliseconds = 300_000;

/**
 * Everything about who people are, for the console's listener and for the gateway's. `address` is asked once somebody logs in: where
 * the console listens. Throws `UsageError` where a file that the identities name is not right.
 */
export async function serveIdentity(
  console: ConsoleIdentities,
  parts: IdentityParts,
  {
    address,
    now,
    onError,
  }: { readonly address: () => string; readonly now: () => number; readonly onError: (e: unknown) => void },
): Promise<ServingIdentity> {
  const { document } = console;
  const issuer = () => console.publicUrl ?? address();
  const rules = nameRulesOf(document);
  const admit = admission({ ...rules, directory: parts.directory, isLocked: parts.isLocked });
  const bound = document?.boundTokens === true;
  const keys = await openTokenKeys(parts.data, parts.store.db, now);
  const own = (audience: string, development: boolean) =>
    ownTokens({ issuer, audience, keys: keys.keys, development, bound: bound && audience === audiences.kubernetes, now });
  const issuers = await issuersOf(document, now);
  const certificates = await certificatesOf(document, now);
  const forConsole = createAuthenticator({ tokens: [own(audiences.console, true)], bound: false, admit, now });
  const groupsMaxAge = Number((parseDuration(document?.oidc?.groupsMaxAge ?? "1h") ?? 0n) / 1_000_000n);
  const logins = new KnownLogins({
    admit,
    freshMilliseconds: Math.min(freshMilliseconds, groupsMaxAge / 2),
    now,
    onTrouble: onError,
  });
  const current = (person: Person) => logins.current(person);
  const humanNow = (person: Person) => humanOf(person, person.email, parts.directory);
  return {
    admit,
    onLogin: (person, again, until) => logins.began(person, again, until),
    current,
    groupsMaxAge,
    async tokenUser(authorization) {
      const shown = await forConsole.authenticate({ authorization });
      const said = shown.ok ? await current(shown.person) : shown;
      if (!said.ok) return said;
      const { person } = said;
      const groups = [...person.groups, ...ownRoleGroups(console, person.issuer, person.subject)];
      return {
        ok: true,
        user: { name: person.user, groups, roles: rolesFor(console, person.issuer, person.user, groups), person },
      };
    },
    async renewed(user) {
      if (user.person === undefined) return { ok: true, user };
      const said = await current(user.person);
      if (!said.ok) return said;
      const { person } = said;
      const human = humanNow(person);
      if (parts.isLocked(human)) return lockedOut;
      const isSame = person.groupsAt === user.person.groupsAt;
      const { user: name, issuer: by, groups } = person;
      const now = isSame ? user : { ...user, name, groups, roles: rolesFor(console, by, name, groups) };
      return { ok: true, user: { ...now, person: { ...person, human } } };
    },
    addRoutes(api, sessions) {
      addOauthRoutes(api, {
        ...keys,
        issuer,
        bound,
        sessions,
        records: new StoredOauthRecords(parts.store.db, now),
        isLocked: (person) => parts.isLocked(humanNow(person)),
        current,
        hasLogin: console.issuer !== undefined || console.developmentUsers.length > 0,
        connection: parts.connection,
        now,
        onError,
      });
    },
    authenticator(host) {
      const development = console.developmentAnywhere || isLoopback(host);
      return createAuthenticator({
        tokens: [own(audiences.kubernetes, development), ...issuers],
        certificates,
        bound,
        admit,
        now,
      });
    },
  };
}

function nameRulesOf(document: Identities | undefined): NameRules {
  const usernamePrefixes = new Map<string, string>();
  if (document?.oidc !== undefined) usernamePrefixes.set(document.oidc.issuer, usernamePrefixOf(document.oidc));
  for (const one of document?.issuers ?? []) usernamePrefixes.set(one.issuer, usernamePrefixOf(one));
  for (const one of document?.certificates ?? []) usernamePrefixes.set(`certificate:${one.name}`, one.usernamePrefix);
  return { usernamePrefixes, refusedGroupPrefixes: document?.refusedGroupPrefixes ?? [] };
}

async function issuersOf(document: Identities | undefined, now: () => number): Promise<readonly TokenVerifier[]> {
  const all = (document?.issuers ?? []).map(async (settings) => {
    const { certificateAuthority: file } = settings;
    return tokenIssuer(settings, file === undefined ? undefined : await textOf(file), now);
  });
  return Promise.all(all);
}

async function certificatesOf(document: Identities | undefined, now: () => number): Promise<CertificateVerifier | undefined> {
  const settings = document?.certificates ?? [];
  if (settings.length === 0) return undefined;
  const authorities = await Promise.all(settings.map(async (one) => ({ settings: one, pem: await textOf(one.file) })));
  try {
    return clientCertificates(authorities, now);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const textOf = (file: string): Promise<string> =>
  readFile(file, "utf8").catch(() => {
    throw new UsageError(`${file}, which the identities name, cannot be read`);
  });

/** The groups of a development user that give a role here; tokens do not carry them. */
function ownRoleGroups({ developmentUsers }: ConsoleIdentities, issuer: string, subject: string): readonly string[] {
  if (issuer !== "development") return [];
  const { groups = [] } = developmentUsers.find(({ name }) => name === subject) ?? {};
  return groups.filter((group) => group.startsWith("castellan:"));
}

const rolesFor = (console: ConsoleIdentities, issuer: string, name: string, groups: readonly string[]): User["roles"] =>
  issuer === operatorIssuer ? ["admin"] : rolesOf(name, groups, console.members);

/** Who has the server's machine. As a program it may do everything but approve. */
export function operatorUser(isProgram: boolean): User {
  const person = {
    issuer: operatorIssuer,
    subject: "operator",
    user: operatorIssuer,
    groups: [],
    human: `${operatorIssuer}#operator`,
    isProgram,
  };
  return { name: "operator", groups: [], roles: ["admin"], person };
}
