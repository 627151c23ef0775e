import { numberProblem, parseNumber } from "./number.ts";
import { RegoObject, type Value } from "./value.ts";

export type JsonParse = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

/** Reads one JSON text; numbers keep every digit and their spelling. Messages are those of Go's encoding/json. */
export function parseJson(text: string): JsonParse {
  const parser = new JsonParser(text);
  const value = parser.document();
  return value === undefined ? { ok: false, message: parser.problem } : { ok: true, value };
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const plainString = /[ !#-[\]-\u{10ffff}]*/uy;
const deepest = 10_000;
const simpleEscapes: { readonly [char: string]: string } = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Every method answers undefined where it fails, once `problem` is set. */
class JsonParser {
  readonly #text: string;
  #at = 0;
  problem = "";

  constructor(text: string) {
    this.#text = text;
  }

  document(): Value | undefined {
    this.#space();
    if (this.#at === this.#text.length) return this.#fail("EOF");
    const value = this.#value(0);
    if (value === undefined) return undefined;
    this.#space();
    return this.#at < this.#text.length ? this.#trailing() : value;
  }

  /** What follows is named where it is JSON by itself. */
  #trailing(): undefined {
    const [, string, other] = /^(?:"([^"]*)"|([-\d.eE+]+|[[{]|\w+))/.exec(this.#text.slice(this.#at)) ?? [];
    const isToken = string !== undefined || /^(?:[-\d[{]|true$|false$)/.test(other ?? "");
    if (!isToken) return this.#unexpected("looking for beginning of value");
    return this.#fail(`error: invalid character '${string ?? other ?? ""}' after top-level value`);
  }

  #value(depth: number): Value | undefined {
    if (depth > deepest) return this.#fail("exceeded max depth");
    this.#space();
    const char = this.#text.charAt(this.#at);
    if (char === '"') return this.#string();
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === "t") return this.#word("true", true);
    if (char === "f") return this.#word("false", false);
    if (char === "n") return this.#word("null", null);
    if (char === "-" || (char >= "0" && char <= "9")) return this.#number();
    return this.#unexpected("looking for beginning of value");
  }

  #object(depth: number): Value | undefined {
    this.#at++;
    const members: [Value, Value][] = [];
    this.#space();
    if (this.#take("}")) return RegoObject.empty;
    for (;;) {
      this.#space();
      if (this.#text.charAt(this.#at) !== '"') {
        return this.#unexpected("looking for beginning of object key string");
      }
      const key = this.#string();
      if (key === undefined) return undefined;
      this.#space();
      if (!this.#take(":")) return this.#unexpected("after object key");
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      members.push([key, value]);
      this.#space();
      if (this.#take("}")) return RegoObject.of(members);
      if (!this.#take(",")) return this.#unexpected("after object key:value pair");
    }
  }

  #array(depth: number): Value | undefined {
    this.#at++;
    const items: Value[] = [];
    this.#space();
    if (this.#take("]")) return items;
    for (;;) {
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      items.push(value);
      this.#space();
      if (this.#take("]")) return items;
      if (!this.#take(",")) return this.#unexpected("after array element");
    }
  }

  #string(): string | undefined {
    this.#at++;
    let text = "";
    for (;;) {
      plainString.lastIndex = this.#at;
      const plain = plainString.exec(this.#text)?.[0] ?? "";
      text += plain;
      this.#at += plain.length;
      if (this.#take('"')) return text;
      if (!this.#take("\\")) return this.#unexpected("in string literal");
      const escaped = this.#escape();
      if (escaped === undefined) return undefined;
      text += escaped;
    }
  }

  #escape(): string | undefined {
    const char = this.#text.charAt(this.#at);
    if (char !== "u") {
      const simple = simpleEscapes[char];
      if (simple === undefined) return this.#unexpected("in string escape code");
      this.#at++;
      return simple;
    }
    const unit = this.#hex();
    if (unit === undefined) return undefined;
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    const low = /^\\u([dD][c-fC-F][\da-fA-F]{2})/.exec(this.#text.slice(this.#at, this.#at + 6))?.[1];
    if (unit > 0xdbff || low === undefined) return "\ufffd";
    this.#at += 6;
    return String.fromCharCode(unit, Number.parseInt(low, 16));
  }

  #hex(): number | undefined {
    const digits = /^[\da-fA-F]{0,4}/.exec(this.#text.slice(this.#at + 1, this.#at + 5))?.[0] ?? "";
    this.#at += 1 + digits.length;
    if (digits.length < 4) return this.#unexpected("in \\u hexadecimal character escape");
    return Number.parseInt(digits, 16);
  }

  #number(): Value | undefined {
    number.lastIndex = this.#at;
    const text = number.exec(this.#text)?.[0];
    if (text === undefined) {
      this.#at++;
      return this.#unexpected("in numeric literal");
    }
    this.#at += text.length;
    const problem = numberProblem(text);
    return problem === undefined ? parseNumber(text) : this.#fail(problem);
  }

  #word<T extends Value>(word: string, value: T): T | undefined {
    for (const char of word) {
      if (!this.#take(char)) return this.#unexpected(`in literal ${word} (expecting '${char}')`);
    }
    return value;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at++;
    return true;
  }

  #unexpected(where: string): undefined {
    const char = this.#text.codePointAt(this.#at);
    if (char === undefined) return this.#fail("unexpected EOF");
    return this.#fail(`invalid character ${quoteChar(String.fromCodePoint(char))} ${where}`);
  }

  #fail(problem: string): undefined {
    this.problem = problem;
    return undefined;
  }
}

function quoteChar(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}
