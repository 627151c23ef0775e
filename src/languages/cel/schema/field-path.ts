import { type CelSchema, valueSchema } from "./schema.ts";

const escapes: { readonly [char: string]: string } = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

function unquoted(text: string): string | undefined {
  let sound = true;
  const plain = text.replace(/\\(.)/g, (_, char: string) => {
    const escaped = escapes[char];
    if (escaped === undefined) sound = false;
    return escaped ?? "";
  });
  return sound ? plain : undefined;
}

/** Delimiters, texts in single quotes, and what is between. */
function tokensOf(path: string): readonly string[] {
  return path.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]']+|'.*/gs) ?? [];
}

/**
 * A rule's `fieldPath` (`.a.b`, `['a.b']`) as errors show it; undefined where it leads nowhere in the schema.
 */
export function normalizeFieldPath(path: string, schema: CelSchema): string | undefined {
  const tokens = tokensOf(path);
  let current: CelSchema | undefined = schema;
  let text = "";
  for (let i = 0; i < tokens.length; ) {
    const bracket = tokens[i] === "[";
    if (!bracket && tokens[i] !== ".") return undefined;
    const token = tokens[i + 1];
    const quoted = token !== undefined && /^'.*'$/s.test(token) ? unquoted(token.slice(1, -1)) : undefined;
    const name = bracket ? quoted : token;
    if (name === undefined || (bracket && tokens[i + 2] !== "]")) return undefined;
    const properties: CelSchema["properties"] = current.properties;
    text += properties === undefined ? `[${name}]` : text === "" ? name : `.${name}`;
    current = properties === undefined ? valueSchema(current) : properties[name];
    if (current === undefined) return undefined;
    i += bracket ? 3 : 2;
  }
  return text;
}
