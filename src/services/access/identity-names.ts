import { type ProofRefused, type ProvenIdentity, refused } from "../../adapters/identity/proven-identity.ts";
import { mostGroups } from "./identity.ts";

/** Who runs this server's machine; no other source may name somebody so. */
export const operatorIssuer = "castellan-operator";

/** What only Kubernetes and Castellan themselves may say. */
const reservedPrefixes = ["system:", "castellan:"];

export interface NameRules {
  /** Beginnings of groups that are refused beside those that always are. */
  readonly refusedGroupPrefixes: readonly string[];
  /** What the configuration puts before names, by issuer. */
  readonly usernamePrefixes: ReadonlyMap<string, string>;
}

/** Why an identity's names may not reach Kubernetes; undefined where they may. Never repeats a group. */
export function namesProblem(identity: ProvenIdentity, rules: NameRules): ProofRefused | undefined {
  const { issuer, user, groups } = identity;
  const own = rules.usernamePrefixes.get(issuer) ?? "";
  const name = user.slice(own.length);
  if (name === "" || !isHeaderSafe(user)) return nameRefused("the user's name is empty or has characters that no name has");
  const reserved = reservedPrefixes.find((prefix) => user.startsWith(prefix));
  if (reserved !== undefined) return nameRefused(`the user's name begins with ${reserved}, which no identity provider may say`);
  if (user === operatorIssuer && issuer !== operatorIssuer) return nameRefused("the user has the name of this server's operator");
  for (const [other, prefix] of rules.usernamePrefixes) {
    // Without this `b:ada` of an issuer without a prefix would be `ada` of the one with the prefix `b:`.
    if (other !== issuer && prefix.length > own.length && user.startsWith(prefix))
      return nameRefused(`the user's name begins as those of ${other} do`);
  }
  if (groups.length > mostGroups)
    return refused(431, "IDENTITY_TOO_LARGE", `the identity has ${groups.length} groups; ${mostGroups} are the most`);
  if (!groups.every((group) => group !== "" && isHeaderSafe(group)))
    return nameRefused("one of the groups is empty or has characters that no group has");
  const all = [...reservedPrefixes, ...rules.refusedGroupPrefixes];
  const prefix = all.find((beginning) => groups.some((group) => group.startsWith(beginning)));
  if (prefix === undefined) return undefined;
  return nameRefused(`one of the groups begins with ${prefix}, which no identity provider may say`);
}

/** Headers lose spaces at their ends: a name with such would become another's. */
function isHeaderSafe(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  return text === text.trim() && !/[\u0000-\u001f\u007f-\u009f]/.test(text) && text.isWellFormed();
}

const nameRefused = (message: string): ProofRefused => refused(403, "IDENTITY_NAME_REFUSED", message);
