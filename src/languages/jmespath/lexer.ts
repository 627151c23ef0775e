import { isArray, isObject, type JsonValue } from "../../core/json.ts";

export type TokenKind =
  | "identifier"
  | "quoted"
  | "number"
  | "string"
  | "literal"
  | "binding"
  | "."
  | "*"
  | ","
  | ":"
  | "{"
  | "}"
  | "["
  | "]"
  | "("
  | ")"
  | "@"
  | "[?"
  | "[]"
  | "||"
  | "|"
  | "&&"
  | "&"
  | "!"
  | "!="
  | "=="
  | "<"
  | "<="
  | ">"
  | ">="
  | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Text of an identifier, a binding (without its dollar sign) or a number, decoded text of a quoted identifier or raw string. */
  readonly text: string;
  /** Value of a literal. */
  readonly value: JsonValue;
  /** UTF-16 offset in the source. */
  readonly offset: number;
}

/** A source that is no expression; `offset` counts UTF-16 units. */
export class JmesPathSyntaxError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const symbols: readonly TokenKind[] = [
  ...(["[?", "[]", "||", "&&", "!=", "==", "<=", ">="] as const),
  ...([".", "*", ",", ":", "{", "}", "[", "]", "(", ")", "@", "|", "&", "!", "<", ">"] as const),
];
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const binding = /\$[A-Za-z_][A-Za-z0-9_]*/y;
const integer = /-?[0-9]*/y;

/** Splits an expression into tokens, the last of kind `end`. @throws JmesPathSyntaxError */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: TokenKind, end: number, text = "", value: JsonValue = null) => {
    tokens.push({ kind, text, value, offset: at });
    at = end;
  };
  const run = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0] ?? "";
  };
  while (at < source.length) {
    const char = source.charAt(at);
    if (" \t\r\n".includes(char)) {
      at++;
      continue;
    }
    const name = run(word);
    const digits = /[-0-9]/.test(char) ? run(integer) : "";
    if (name !== "") push("identifier", at + name.length, name);
    else if (digits !== "") push("number", at + digits.length, digits);
    else if (char === '"') {
      const end = closing(source, at);
      push("quoted", end, decodeQuoted(source.slice(at, end), at));
    } else if (char === "'") {
      const end = closing(source, at);
      push("string", end, source.slice(at + 1, end - 1).replaceAll("\\'", "'"));
    } else if (char === "`") {
      const end = closing(source, at);
      push("literal", end, "", decodeLiteral(source.slice(at + 1, end - 1).replaceAll("\\`", "`"), at));
    } else if (run(binding) !== "") {
      const text = run(binding);
      push("binding", at + text.length, text.slice(1));
    } else {
      const symbol = symbols.find((s) => source.startsWith(s, at));
      if (symbol === undefined) throw new JmesPathSyntaxError(`unknown character ${JSON.stringify(char)}`, at);
      push(symbol, at + symbol.length);
    }
  }
  push("end", at);
  return tokens;
}

/** The offset after the delimiter that closes the one at `start`; a backslash hides the character after it. */
function closing(source: string, start: number): number {
  const delimiter = source.charAt(start);
  for (let i = start + 1; i < source.length; i++) {
    const char = source.charAt(i);
    if (char === delimiter) return i + 1;
    if (char === "\\") i++;
  }
  throw new JmesPathSyntaxError(`unclosed delimiter ${delimiter}`, source.length);
}

function parseJson(text: string): { readonly value: JsonValue } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? { value } : undefined;
  } catch {
    return undefined;
  }
}

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

function decodeQuoted(text: string, offset: number): string {
  const parsed = parseJson(text);
  if (typeof parsed?.value === "string") return parsed.value;
  throw new JmesPathSyntaxError("bad escape in a quoted identifier", offset);
}

function decodeLiteral(text: string, offset: number): JsonValue {
  const parsed = parseJson(text);
  if (parsed === undefined) throw new JmesPathSyntaxError(`the literal \`${text}\` is not JSON`, offset);
  return freeze(parsed.value);
}

/** Literals are handed out on every evaluation, so nobody may change them. */
function freeze(value: JsonValue): JsonValue {
  if (isArray(value)) for (const item of value) freeze(item);
  else if (isObject(value)) for (const item of Object.values(value)) freeze(item ?? null);
  return Object.freeze(value);
}
