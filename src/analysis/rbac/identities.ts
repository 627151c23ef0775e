import { type Diagnostic, type Loaded, loaded } from "../../core/diagnostic.ts";
import { asString, isArray, type JsonValue, member } from "../../core/json.ts";
import type { SourceDocument } from "../../core/source.ts";
import { superUsers } from "./authorize.ts";
import { serviceAccountUser } from "./rbac-index.ts";

/**
 * Groups of users, which Kubernetes does not store: they come from certificates and from the identity provider.
 *
 *     apiVersion: castellan.dev/v1alpha1
 *     kind: Identities
 *     users:
 *       - name: ada@example.com
 *         groups: [data-science]
 */
export class Identities {
  readonly #groups: ReadonlyMap<string, readonly string[]>;

  constructor(groups: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#groups = groups;
  }

  /** Undefined where nobody said in which groups the user is. */
  groupsOf(user: string): readonly string[] | undefined {
    return this.#groups.get(user);
  }

  members(group: string): readonly string[] {
    return [...this.#groups].filter(([, groups]) => groups.includes(group)).map(([user]) => user);
  }

  users(): readonly string[] {
    return [...this.#groups.keys()];
  }
}

const anonymous = "system:anonymous";
const authenticated = "system:authenticated";
const unauthenticated = "system:unauthenticated";

const serviceAccountPattern = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** The service account behind a user name; undefined for people and components. */
export function serviceAccountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = serviceAccountPattern.exec(user) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** `ns:name` and `serviceaccount:ns:name` as the user name they stand for; other names as they are. */
export function userName(text: string): string {
  const [, namespace, name] = /^(?:sa|serviceaccount):([^:/]+)[:/]([^:/]+)$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? text : serviceAccountUser(namespace, name);
}

/**
 * All groups a user is in: those named, those that follow from a service account's name, and `system:authenticated`
 * for everybody who is not anonymous, as the API server adds them on impersonation.
 */
export function effectiveGroups(user: string, named: readonly string[]): readonly string[] {
  const account = serviceAccountOf(user);
  const own =
    account === undefined || named.length > 0 ? named : ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`];
  if (user === anonymous) return [...new Set([...own, unauthenticated])];
  return own.includes(unauthenticated) ? own : [...new Set([...own, authenticated])];
}

/** Groups that people get from an identity provider, not from Kubernetes itself. */
export function isExternalGroup(group: string): boolean {
  return group !== superUsers && !group.startsWith("system:");
}

/** Reads documents of kind Identities. A malformed entry is an `IDENTITIES_INVALID` error, and the rest still counts. */
export function readIdentities(documents: readonly SourceDocument[]): Loaded<Identities> {
  const groups = new Map<string, readonly string[]>();
  const diagnostics: Diagnostic[] = [];
  for (const document of documents) {
    const invalid = (path: readonly (string | number)[], message: string) =>
      diagnostics.push({ code: "IDENTITIES_INVALID", severity: "error", message, span: document.locate(path) });
    if (member(document.value, "kind") !== "Identities") {
      invalid([], "the document is not of kind Identities");
      continue;
    }
    const users = member(document.value, "users");
    if (!isArray(users)) invalid(["users"], "users is not a list");
    else for (const [i, user] of users.entries()) readUser(user, groups, (message) => invalid(["users", i], message));
  }
  return loaded(new Identities(groups), diagnostics);
}

function readUser(user: JsonValue, groups: Map<string, readonly string[]>, invalid: (message: string) => void): void {
  const name = asString(member(user, "name"));
  const list = member(user, "groups") ?? [];
  if (name === undefined || name === "") invalid("a user has no name");
  else if (!isArray(list) || !list.every((group) => typeof group === "string"))
    invalid(`groups of ${name} is not a list of strings`);
  else groups.set(name, [...new Set([...(groups.get(name) ?? []), ...list])]);
}
