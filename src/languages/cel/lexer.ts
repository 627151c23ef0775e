import type { CelIssue } from "./issue.ts";

export type TokenKind = "ident" | "quoted-ident" | "int" | "uint" | "float" | "string" | "bytes" | "operator" | "keyword" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

const keywords = new Set(["true", "false", "null", "in"]);
const twoCharacter = new Set(["==", "!=", "<=", ">=", "&&", "||"]);
const oneCharacter = new Set("<>[]{}().,-!?:+*/%");

const number = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|0x[0-9a-fA-F]+[uU]?|\d+[uU]?/y;
const identifier = /[A-Za-z_]\w*/y;
const quoted = /`[\w./ -]+`/y;
const space = /(?:[\t \r\n\f]|\/\/[^\n]*)+/y;
const escapeSequence = String.raw`\\(?:[abfnrtv"'\\?${"`"}]|[0-3][0-7]{2}|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})`;
const text = new RegExp(
  [
    '[bB]?[rR]"""[^]*?"""',
    "[bB]?[rR]'''[^]*?'''",
    String.raw`[bB]?"""(?:${escapeSequence}|[^\\])*?"""`,
    String.raw`[bB]?'''(?:${escapeSequence}|[^\\])*?'''`,
    String.raw`[bB]?[rR]"[^"\n\r]*"`,
    String.raw`[bB]?[rR]'[^'\n\r]*'`,
    String.raw`[bB]?"(?:${escapeSequence}|[^\\"\n\r])*"`,
    String.raw`[bB]?'(?:${escapeSequence}|[^\\'\n\r])*'`,
  ].join("|"),
  "y",
);

function matchAt(pattern: RegExp, source: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0];
}

/** Splits an expression into tokens, the last of which is `end`; characters that start no token are issues and left out. */
export function tokenize(source: string): { readonly tokens: readonly Token[]; readonly issues: readonly CelIssue[] } {
  const tokens: Token[] = [];
  const issues: CelIssue[] = [];
  let offset = 0;
  while (offset < source.length) {
    const blank = matchAt(space, source, offset);
    if (blank !== undefined) {
      offset += blank.length;
      continue;
    }
    const token = tokenAt(source, offset);
    if (token === undefined) {
      const bad = unrecognized(source, offset);
      issues.push({
        code: "CEL_SYNTAX",
        message: `Syntax error: token recognition error at: '${bad}'`,
        offset,
        length: bad.length,
      });
      offset += bad.length;
    } else {
      tokens.push(token);
      offset += token.text.length;
    }
  }
  tokens.push({ kind: "end", text: "<EOF>", offset: source.length });
  return { tokens, issues };
}

function tokenAt(source: string, offset: number): Token | undefined {
  const first = source.charAt(offset);
  if (/["'rRbB]/.test(first)) {
    const literal = matchAt(text, source, offset);
    if (literal !== undefined) return { kind: /^[bB]/.test(literal) ? "bytes" : "string", text: literal, offset };
  }
  const name = matchAt(identifier, source, offset);
  if (name !== undefined) return { kind: keywords.has(name) ? "keyword" : "ident", text: name, offset };
  const digits = matchAt(number, source, offset);
  if (digits !== undefined) return { kind: numberKind(digits), text: digits, offset };
  const escaped = matchAt(quoted, source, offset);
  if (escaped !== undefined) return { kind: "quoted-ident", text: escaped, offset };
  const two = source.slice(offset, offset + 2);
  if (twoCharacter.has(two)) return { kind: "operator", text: two, offset };
  return oneCharacter.has(first) ? { kind: "operator", text: first, offset } : undefined;
}

function numberKind(digits: string): TokenKind {
  if (/[uU]$/.test(digits)) return "uint";
  return /^0x/.test(digits) || !/[.eE]/.test(digits) ? "int" : "float";
}

/** What ANTLR's message shows of the text it could not read: an unfinished string up to the end of its line. */
function unrecognized(source: string, offset: number): string {
  const rest = source.slice(offset);
  return /^[bBrR]{0,2}["'][^\n\r]*/.exec(rest)?.[0] ?? Array.from(rest.slice(0, 2))[0] ?? "";
}
