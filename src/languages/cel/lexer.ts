import type { CelIssue } from "./issue.ts";

export type TokenKind = "ident" | "quoted-ident" | "int" | "uint" | "float" | "string" | "bytes" | "operator" | "keyword" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

const keywords = new Set(["true", "false", "null", "in"]);
const longestKeyword = 5;
/** By their first character's code; the longer one first. */
const operators: readonly (readonly string[] | undefined)[] = operatorTable([
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  ..."<>[]{}().,-!?:+*/%",
]);

function operatorTable(texts: readonly string[]): readonly (readonly string[] | undefined)[] {
  const table: (string[] | undefined)[] = Array.from({ length: 128 }, () => undefined);
  for (const operator of texts) {
    const code = operator.charCodeAt(0);
    table[code] = [...(table[code] ?? []), operator];
  }
  return table;
}

const number = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|0x[0-9a-fA-F]+[uU]?|\d+[uU]?/y;
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
    const blank = blankEnd(source, offset);
    if (blank > offset) {
      offset = blank;
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

/** Where white space and comments from `offset` on end. */
function blankEnd(source: string, offset: number): number {
  const code = source.charCodeAt(offset);
  const mayBe = code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0x2f;
  return mayBe ? offset + (matchAt(space, source, offset)?.length ?? 0) : offset;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function nameEnd(source: string, offset: number): number {
  let end = offset;
  for (let code = source.charCodeAt(end); isLetter(code) || isDigit(code); code = source.charCodeAt(end)) end++;
  return end;
}

/** `r`, `b`, `R`, `B` and the two quotes. */
function mayBeginText(code: number): boolean {
  return code === 0x22 || code === 0x27 || code === 0x72 || code === 0x62 || code === 0x52 || code === 0x42;
}

function operatorAt(source: string, offset: number, code: number): string | undefined {
  for (const operator of operators[code] ?? []) {
    if (operator.length === 1 || source.charCodeAt(offset + 1) === operator.charCodeAt(1)) return operator;
  }
  return undefined;
}

function tokenAt(source: string, offset: number): Token | undefined {
  const code = source.charCodeAt(offset);
  if (mayBeginText(code)) {
    const literal = matchAt(text, source, offset);
    if (literal !== undefined) return { kind: /^[bB]/.test(literal) ? "bytes" : "string", text: literal, offset };
  }
  if (isLetter(code)) {
    const name = source.slice(offset, nameEnd(source, offset));
    const isKeyword = name.length <= longestKeyword && keywords.has(name);
    return { kind: isKeyword ? "keyword" : "ident", text: name, offset };
  }
  if (isDigit(code) || (code === 0x2e && isDigit(source.charCodeAt(offset + 1)))) {
    const digits = matchAt(number, source, offset);
    if (digits !== undefined) return { kind: numberKind(digits), text: digits, offset };
  }
  const escaped = code === 0x60 ? matchAt(quoted, source, offset) : undefined;
  if (escaped !== undefined) return { kind: "quoted-ident", text: escaped, offset };
  const operator = operatorAt(source, offset, code);
  return operator === undefined ? undefined : { kind: "operator", text: operator, offset };
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
