import type { Person } from "../../access/person.ts";
import type { HeaderFields } from "./header-fields.ts";

/** What a grant adds to a call: the group its role is bound to, and the signed token that the webhook verifies. */
export interface GrantedIdentity {
  readonly group: string;
  readonly token: string;
}

export type IdentityFields =
  | { readonly ok: true; readonly fields: HeaderFields }
  | { readonly ok: false; readonly message: string };

/** The groups that only a grant may give, and those that only the API server gives. */
const reserved = /^(?:system|castellan):/;
const account = /^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$/;
const node = /^system:node:[a-z0-9.-]+$/;
const grantKey = "castellan.dev/grant";

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const control = /[\u0000-\u001f\u007f]/;

/** The API server trims blanks at both ends: a name with such would become another's. */
const isSafe = (text: string) => text !== "" && text === text.trim() && !control.test(text) && text.isWellFormed();

/** One byte a character, as header values are written. */
const bytesOf = (text: string) => Buffer.from(text, "utf8").toString("latin1");

/**
 * The Impersonate fields of a person, one group a line, written from typed data alone. Of service accounts and nodes only the name is
 * sent: groups beside it would be refused by constrained impersonation, and the API server adds them itself. Authenticators refuse
 * reserved names before; here they are refused whatever said them.
 */
export function identityFields(person: Person, grant: GrantedIdentity | undefined): IdentityFields {
  const { user, groups, uid, extra = {} } = person;
  if (!isSafe(user)) return refused("the user's name is empty or has characters that no name has");
  const bad = groups.find((group) => !isSafe(group) || reserved.test(group));
  if (bad !== undefined) return refused(`the group ${JSON.stringify(bad)} is one that no identity provider may give`);
  const isAccount = account.test(user) || node.test(user);
  if (user.startsWith("system:") && !(isAccount && person.isProgram)) {
    return refused(`the user ${JSON.stringify(user)} is one that no identity provider may name`);
  }
  const fields: (readonly [string, string])[] = [["Impersonate-User", bytesOf(user)]];
  if (isAccount) return grant === undefined ? { ok: true, fields } : refused("service accounts and nodes use no grants");
  for (const group of groups) fields.push(["Impersonate-Group", bytesOf(group)]);
  if (grant !== undefined) fields.push(["Impersonate-Group", bytesOf(grant.group)]);
  if (uid !== undefined && uid !== "") {
    if (!isSafe(uid)) return refused("the user's UID has characters that no UID has");
    fields.push(["Impersonate-Uid", bytesOf(uid)]);
  }
  for (const [key, values] of Object.entries(extra)) {
    if (!/^[a-z0-9./_-]+$/.test(key) || key.startsWith("castellan.dev/"))
      return refused(`the extra ${JSON.stringify(key)} is refused`);
    for (const value of values) {
      if (!isSafe(value)) return refused(`the extra ${JSON.stringify(key)} has a value that no header can hold`);
      fields.push([`Impersonate-Extra-${encodeURIComponent(key)}`, bytesOf(value)]);
    }
  }
  if (grant !== undefined) fields.push([`Impersonate-Extra-${encodeURIComponent(grantKey)}`, grant.token]);
  return { ok: true, fields };
}

const refused = (message: string): IdentityFields => ({ ok: false, message });
