/** Whom a request asks to act as. */
export interface WantedUser {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  /** By key, in order of first appearance; keys are lower case and percent-decoded. */
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** Header fields in the order sent: name and value. */
export type HeaderFields = readonly (readonly [string, string])[];

const extraPrefix = "Impersonate-Extra-";

/** Canonical form of a field name, as Go's textproto writes it. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (c) => c.toUpperCase());
}

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** Reads the `Impersonate-*` fields; an absent or empty user with nothing else asked means no impersonation. */
export function wantedUser(headers: HeaderFields): WantedUser {
  const first = (name: string) => headers.find(([n]) => canonical(n) === name)?.[1] ?? "";
  const extra = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const field = canonical(name);
    if (!field.startsWith(extraPrefix)) continue;
    const key = unescapeKey(field.slice(extraPrefix.length).toLowerCase());
    extra.set(key, [...(extra.get(key) ?? []), value]);
  }
  return {
    user: first("Impersonate-User"),
    uid: first("Impersonate-Uid"),
    groups: headers.filter(([n]) => canonical(n) === "Impersonate-Group").map(([, value]) => value),
    extra,
  };
}
