/** A value that JSON.stringify and js-yaml write: no undefined members, no bigint. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** Integers beyond 2^53 become decimal text, as in the JSON form of Protocol Buffers. */
export function toPlain(value: unknown): Plain {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return value.toString();
    case "object": {
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(toPlain);
      const entries = Object.entries(value).filter(([, member]) => member !== undefined);
      return Object.fromEntries(entries.map(([key, member]) => [key, toPlain(member)]));
    }
    default:
      throw new Error(`not data: ${typeof value}`);
  }
}

/** JSON with two spaces of indent, the same as of the plain value. */
export function jsonText(value: object): string {
  return `${tryJson(value) ?? JSON.stringify(value, (_, member) => (typeof member === "bigint" ? member.toString() : member), 2)}\n`;
}

/** Without a function that looks at every member, which takes several times as long; undefined where there is a bigint. */
function tryJson(value: object): string | undefined {
  try {
    return JSON.stringify(value, undefined, 2);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
