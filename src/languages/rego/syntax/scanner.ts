import type { Keywords, TokenKind } from "./token.ts";

/** A token; `errors` make it illegal. */
export interface Token {
  readonly kind: TokenKind;
  readonly offset: number;
  readonly end: number;
  /** As written; the parts of template strings without the backslash of `\{`. */
  readonly text: string;
  readonly errors: readonly string[];
}

const punctuation: { readonly [char: string]: TokenKind } = {
  "[": "[",
  "]": "]",
  "{": "{",
  "}": "}",
  "(": "(",
  ")": ")",
  ",": ",",
  ";": ";",
  ".": ".",
  "+": "plus",
  "-": "minus",
  "*": "mul",
  "/": "div",
  "%": "rem",
  "&": "&",
  "|": "|",
};

/** Operators that a following `=` makes another. */
const withEquals: { readonly [char: string]: readonly [alone: TokenKind, equals: TokenKind] } = {
  ":": [":", "assign"],
  "=": ["eq", "equal"],
  ">": ["gt", "gte"],
  "<": ["lt", "lte"],
  "!": ["illegal", "neq"],
};

const identifier = /[A-Za-z_](?:[A-Za-z_]|\p{Nd})*/uy;
const simpleEscapes = '\\"/bfnrt';
const byteOrderMark = "\ufeff";
const forbidden = new RegExp(`[\\u0000\\u{d800}-\\u{dfff}${byteOrderMark}]`, "u");

/** Cuts a source into tokens, one at a time and from anywhere: the parser goes back and forth. */
export class Scanner {
  readonly source: string;
  /** Where a character stands that may stand nowhere; -1: there is none. */
  readonly #forbidden: number;
  #errors: string[] = [];
  #at = 0;

  constructor(source: string) {
    this.source = source;
    const from = source.startsWith(byteOrderMark) ? 1 : 0;
    const found = source.slice(from).search(forbidden);
    this.#forbidden = found < 0 ? -1 : found + from;
  }

  /** Where the first token may begin. */
  get start(): number {
    return this.source.startsWith(byteOrderMark) ? 1 : 0;
  }

  /** Where the white space at `offset`, if any, ends. */
  spaceEnd(offset: number): number {
    let at = offset;
    while (isSpace(this.source[at])) at++;
    return at;
  }

  scan(offset: number, keywords: Keywords): Token {
    this.#begin(offset);
    const char = this.source[offset];
    if (char === undefined) return this.#token("eof", offset);
    if (isSpace(char)) {
      this.#at++;
      return this.#token("whitespace", offset);
    }
    if (isLetter(char)) {
      this.#skipIdentifier();
      return this.#token(keywords.kindOf(this.source.slice(offset, this.#at)), offset);
    }
    if (isDecimal(char)) return this.#token(this.#number(), offset);
    this.#at++;
    return this.#symbol(char, offset);
  }

  /** Continues a template string after the `}` of an expression; the `}` at `offset` is part of the token. */
  continueTemplate(offset: number, raw: boolean): Token {
    this.#begin(offset + 1);
    return this.#template(offset, raw);
  }

  #begin(offset: number): void {
    this.#errors = [];
    this.#at = offset;
  }

  #token(kind: TokenKind, offset: number, text = this.source.slice(offset, this.#at)): Token {
    if (this.#forbidden >= 0 && offset <= this.#forbidden && this.#forbidden < this.#at) {
      const char = this.source[this.#forbidden];
      this.#errors.push(
        char === "\u0000"
          ? "illegal null character"
          : char === byteOrderMark
            ? "illegal byte-order mark"
            : "illegal utf-8 character",
      );
    }
    return { kind, offset, end: this.#at, text, errors: this.#errors };
  }

  #symbol(char: string, offset: number): Token {
    const pair = withEquals[char];
    if (pair !== undefined) {
      const equals = this.source[this.#at] === "=";
      if (equals) this.#at++;
      else if (char === "!") this.#errors.push("illegal ! character");
      return this.#token(pair[equals ? 1 : 0], offset);
    }
    const kind = punctuation[char];
    if (kind !== undefined) return this.#token(kind, offset);
    if (char === "#") return this.#comment(offset);
    if (char === '"') return this.#string(offset);
    if (char === "`") return this.#rawString(offset);
    if (char === "$") return this.#dollar(offset);
    if (char === "\u00a0") this.#errors.push("illegal non-breaking space character, use a regular space instead");
    if (char >= "\ud800" && char <= "\udbff") this.#at++;
    return this.#token("illegal", offset);
  }

  #dollar(offset: number): Token {
    const quote = this.source[this.#at];
    if (quote === '"' || quote === "`") {
      this.#at++;
      return this.#template(offset, quote === "`");
    }
    this.#errors.push("illegal $ character");
    return this.#token("illegal", offset);
  }

  #skipIdentifier(): void {
    identifier.lastIndex = this.#at;
    this.#at += identifier.exec(this.source)?.[0].length ?? 1;
  }

  #digits(): boolean {
    const from = this.#at;
    while (isDecimal(this.source[this.#at])) this.#at++;
    return this.#at > from;
  }

  #number(): TokenKind {
    this.#digits();
    if (this.source[this.#at] === ".") {
      this.#at++;
      if (!this.#digits()) this.#errors.push("expected fraction");
    }
    if (this.source[this.#at] === "e" || this.source[this.#at] === "E") {
      this.#at++;
      if (this.source[this.#at] === "+" || this.source[this.#at] === "-") this.#at++;
      if (!this.#digits()) this.#errors.push("expected exponent");
    }
    if (isLetter(this.source[this.#at])) {
      this.#errors.push("illegal number format");
      this.#skipIdentifier();
    }
    return "number";
  }

  #comment(offset: number): Token {
    const newline = this.source.indexOf("\n", this.#at);
    this.#at = newline < 0 ? this.source.length : newline;
    let end = this.#at;
    while (this.source[end - 1] === "\r") end--;
    return this.#token("comment", offset, this.source.slice(offset, end));
  }

  #string(offset: number): Token {
    for (;;) {
      const char = this.source[this.#at];
      if (char === undefined || char === "\n") {
        this.#errors.push("non-terminated string");
        break;
      }
      this.#at++;
      if (char === '"') break;
      if (char === "\\") this.#escape();
    }
    return this.#token("string", offset);
  }

  #escape(): void {
    const next = this.source[this.#at];
    if (next !== undefined && simpleEscapes.includes(next)) this.#at++;
    else if (next === "u") this.#at = Math.min(this.#at + 5, this.source.length);
    else this.#errors.push("illegal escape sequence");
  }

  #rawString(offset: number): Token {
    const end = this.source.indexOf("`", this.#at);
    if (end < 0) this.#errors.push("non-terminated string");
    this.#at = end < 0 ? this.source.length : end + 1;
    return this.#token("string", offset);
  }

  /** Up to the end of the string, or to the `{` of an expression. */
  #template(offset: number, raw: boolean): Token {
    const close = raw ? "`" : '"';
    const from = this.#at;
    let text = "";
    let copied = from;
    let ended = false;
    for (;;) {
      const char = this.source[this.#at];
      if (char === undefined || (char === "\n" && !raw)) {
        this.#errors.push("non-terminated string");
        break;
      }
      this.#at++;
      ended = char === close;
      if (ended || char === "{") break;
      if (char !== "\\") continue;
      if (this.source[this.#at] === "{") {
        text += this.source.slice(copied, this.#at - 1);
        copied = this.#at;
        this.#at++;
      } else if (!raw) this.#escape();
    }
    const closed = this.#errors.includes("non-terminated string") ? this.#at : this.#at - 1;
    text += this.source.slice(copied, Math.max(copied, closed));
    const part = ended ? ("template-string-end" as const) : ("template-string-part" as const);
    return this.#token(raw ? `raw-${part}` : part, offset, text);
  }
}

function isSpace(char: string | undefined): boolean {
  return char === " " || char === "\n" || char === "\t" || char === "\r";
}

function isLetter(char: string | undefined): boolean {
  return char !== undefined && ((char >= "a" && char <= "z") || (char >= "A" && char <= "Z") || char === "_");
}

function isDecimal(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9";
}
