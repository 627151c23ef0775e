import { quote } from "../../values/print.ts";
import { GraphqlProblem, type Place } from "./node.ts";

export type TokenKind =
  | "<EOF>"
  | "!"
  | "$"
  | "&"
  | "("
  | ")"
  | "..."
  | ":"
  | "="
  | "@"
  | "["
  | "]"
  | "{"
  | "}"
  | "|"
  | "Name"
  | "Int"
  | "Float"
  | "String"
  | "BlockString"
  | "Comment"
  | "<Invalid>";

export interface Token {
  readonly kind: TokenKind;
  readonly value: string;
  readonly place: Place;
  /** Of an invalid token: why, raised once the token is taken. */
  readonly problem?: GraphqlProblem;
}

/** The token as messages name it. */
export function describeToken({ kind, value }: Token): string {
  return value === "" ? kind : `${kind} ${quote(value)}`;
}

const punctuators: ReadonlySet<string> = new Set<TokenKind>(["!", "$", "&", "(", ")", ":", "=", "@", "[", "]", "{", "}", "|"]);
const isPunctuator = (char: string): char is TokenKind => punctuators.has(char);

const nameShape = /[_A-Za-z][_0-9A-Za-z]*/y;
const numberShape = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const commentShape = /#[^\n\r]*/y;

/** Tokens of the GraphQL specification's lexical grammar; commas are spaces. */
export class Lexer {
  readonly #input: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(input: string) {
    this.#input = input;
  }

  next(): Token {
    this.#space();
    const start = this.#at;
    const char = this.#input.charAt(start);
    if (char === "") return this.#token("<EOF>", "", start);
    if (isPunctuator(char)) {
      this.#at++;
      return this.#token(char, "", start);
    }
    if (this.#input.startsWith("...", start)) {
      this.#at += 3;
      return this.#token("...", "", start);
    }
    if (char === "#") return this.#shaped("Comment", commentShape, start);
    if (/[_A-Za-z]/.test(char)) return this.#shaped("Name", nameShape, start);
    if (/[-\d]/.test(char)) return this.#number(start);
    if (char === '"') return this.#input.startsWith('"""', start) ? this.#block() : this.#string();
    if (char === "'") {
      return this.#invalid("Unexpected single quote character ('), did you mean to use a double quote (\")?");
    }
    return this.#invalid(`Cannot parse the unexpected character "${char}".`);
  }

  #place(at: number): Place {
    return { line: this.#line, column: Array.from(this.#input.slice(this.#lineStart, at)).length + 1 };
  }

  #token(kind: TokenKind, value: string, start: number): Token {
    return { kind, value, place: this.#place(start) };
  }

  #invalid(message: string): Token {
    const place = this.#place(this.#at);
    return { kind: "<Invalid>", value: "", place, problem: new GraphqlProblem(message, place) };
  }

  #shaped(kind: TokenKind, shape: RegExp, start: number): Token {
    shape.lastIndex = start;
    const value = shape.exec(this.#input)?.[0] ?? "";
    this.#at += value.length;
    return this.#token(kind, value, start);
  }

  #number(start: number): Token {
    numberShape.lastIndex = start;
    const value = numberShape.exec(this.#input)?.[0];
    const next = this.#input.charAt(start + (value ?? "-").length);
    if (value === undefined || next === ".") {
      this.#at += (value ?? "-").length;
      return this.#invalid(`Invalid number, expected digit but got: ${next === "" ? "<EOF>" : `"${next}"`}.`);
    }
    this.#at += value.length;
    if (/^-?0$/.test(value) && /\d/.test(next)) {
      return this.#invalid(`Invalid number, unexpected digit after 0: "${next}".`);
    }
    return this.#token(/[.eE]/.test(value) ? "Float" : "Int", value, start);
  }

  #space(): void {
    for (;;) {
      const char = this.#input.charAt(this.#at);
      if (char === "\n" || char === "\r") {
        this.#at += char === "\r" && this.#input.charAt(this.#at + 1) === "\n" ? 2 : 1;
        this.#line++;
        this.#lineStart = this.#at;
      } else if (char === " " || char === "\t" || char === "," || char === "\ufeff") this.#at++;
      else return;
    }
  }

  #string(): Token {
    const start = ++this.#at;
    let value = "";
    for (;;) {
      const char = this.#input.charAt(this.#at);
      if (char === '"') {
        const token = this.#token("String", value, start);
        this.#at++;
        return token;
      }
      if (char === "" || char === "\n" || char === "\r") return this.#invalid("Unterminated string.");
      if (char < " " && char !== "\t") return this.#invalid(`Invalid character within String: "${unicode(char)}".`);
      this.#at++;
      if (char !== "\\") {
        value += char;
        continue;
      }
      const escaped = this.#escape();
      if (escaped === undefined) return this.#invalid(`Invalid character escape sequence: \\${this.#input.charAt(this.#at)}.`);
      value += escaped;
    }
  }

  #escape(): string | undefined {
    const char = this.#input.charAt(this.#at);
    if (char === "u") {
      const digits = this.#input.slice(this.#at + 1, this.#at + 5);
      if (!/^[\da-fA-F]{4}$/.test(digits)) return undefined;
      this.#at += 5;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const simple: { readonly [char: string]: string } = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
    const plain = simple[char] ?? (/["/\\]/.test(char) ? char : undefined);
    if (plain !== undefined) this.#at++;
    return plain;
  }

  #block(): Token {
    this.#at += 3;
    const start = this.#at;
    let value = "";
    for (;;) {
      const quotes = /^"{3,}/.exec(this.#input.slice(this.#at, this.#at + 100))?.[0];
      if (quotes !== undefined) {
        const token = this.#token("BlockString", blockText(value + quotes.slice(3)), start);
        this.#at += quotes.length;
        return token;
      }
      const char = this.#input.charAt(this.#at);
      if (char === "") return this.#invalid("Unterminated string.");
      if (this.#input.startsWith('\\"""', this.#at)) {
        value += '"""';
        this.#at += 4;
        continue;
      }
      this.#at += this.#input.startsWith("\r\n", this.#at) ? 2 : 1;
      value += char === "\r" ? "\n" : char;
      if (char === "\n" || char === "\r") {
        this.#line++;
        this.#lineStart = this.#at;
      }
    }
  }
}

const unicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Without the common indentation and the blank lines at both ends. */
function blockText(raw: string): string {
  const lines = raw.split("\n");
  const indentOf = (line: string) => /^[ \t]*/.exec(line)?.[0].length ?? 0;
  const indents = lines.filter((line) => line.trim() !== "").map(indentOf);
  const common = Math.min(...indents, Number.MAX_SAFE_INTEGER);
  const cut = lines.map((line, i) => (i === 0 || common === Number.MAX_SAFE_INTEGER ? line : line.slice(common)));
  while (cut.length > 0 && /^[ \t]*$/.test(cut[0] ?? "")) cut.shift();
  while (cut.length > 0 && /^[ \t]*$/.test(cut.at(-1) ?? "")) cut.pop();
  return cut.join("\n");
}
