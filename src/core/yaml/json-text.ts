import type { JsonValue } from "../json.ts";
import { type DuplicateKey, maximumDepth, setMember } from "./compose.ts";
import { exactInteger } from "./scalars.ts";

/** Why a text is not JSON, and where. */
export class JsonSyntaxError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** One value of a JSON text; `end` is where it ends. */
export interface JsonItem {
  readonly value: JsonValue;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads JSON values that follow one another, with or without white space between them, as `kubectl -f` does.
 * Own reader: `JSON.parse` rounds 64-bit integers, hides duplicate keys and tells no positions.
 */
export class JsonReader {
  readonly duplicates: DuplicateKey[] = [];
  readonly #text: string;
  #at: number;
  #depth = 0;

  constructor(text: string, at = 0) {
    this.#text = text;
    this.#at = at;
  }

  /** The next value; undefined at the end of the text. Throws `JsonSyntaxError`. */
  next(): JsonItem | undefined {
    this.#space();
    if (this.#at >= this.#text.length) return undefined;
    const start = this.#at;
    const value = this.#value();
    return { value, start, end: this.#at };
  }

  #value(): JsonValue {
    switch (this.#text.charCodeAt(this.#at)) {
      case 123:
        return this.#object();
      case 91:
        return this.#array();
      case 34:
        return this.#string();
      case 116:
        return this.#word("true", true);
      case 102:
        return this.#word("false", false);
      case 110:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(): JsonValue {
    const object: Record<string, JsonValue> = {};
    this.#enter();
    if (!this.#take(125)) {
      do {
        this.#space();
        const start = this.#at;
        if (this.#text.charCodeAt(start) !== 34) this.#fail("expected a quoted key");
        const key = this.#string();
        if (Object.hasOwn(object, key)) this.duplicates.push({ key, offset: start });
        if (!this.#take(58)) this.#fail("expected ':' after a key");
        this.#space();
        setMember(object, key, this.#value());
      } while (this.#take(44));
      if (!this.#take(125)) this.#fail("expected ',' or '}'");
    }
    this.#depth--;
    return object;
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    this.#enter();
    if (!this.#take(93)) {
      do {
        this.#space();
        items.push(this.#value());
      } while (this.#take(44));
      if (!this.#take(93)) this.#fail("expected ',' or ']'");
    }
    this.#depth--;
    return items;
  }

  #enter(): void {
    if (++this.#depth > maximumDepth) this.#fail("the document nests too deep");
    this.#at++;
  }

  #string(): string {
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; ; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 34) {
        this.#at = at + 1;
        if (!escaped) return this.#text.slice(start + 1, at);
        return this.#unescape(start, at + 1);
      }
      if (code === 92) {
        escaped = true;
        at++;
      } else if (!(code >= 32)) {
        this.#at = at;
        this.#fail(Number.isNaN(code) ? "the text ends inside a string" : "a control character inside a string");
      }
    }
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start, end));
    } catch {
      this.#at = start;
      this.#fail("a bad escape in a string");
    }
  }

  #word(word: string, value: boolean | null): JsonValue {
    if (!this.#text.startsWith(word, this.#at)) this.#fail("expected a value");
    this.#at += word.length;
    return value;
  }

  #number(): number | bigint {
    numberForm.lastIndex = this.#at;
    const digits = numberForm.exec(this.#text)?.[0];
    if (digits === undefined) this.#fail("expected a value");
    const value = Number(digits);
    if (!Number.isFinite(value)) this.#fail("a number beyond all range");
    this.#at += digits.length;
    if (Number.isSafeInteger(value) || !wholeNumber.test(digits)) return value + 0;
    return exactInteger(BigInt(digits)) ?? value;
  }

  #space(): void {
    for (; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
    }
  }

  #take(code: number): boolean {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #fail(message: string): never {
    throw new JsonSyntaxError(message, Math.min(this.#at, this.#text.length));
  }
}

const numberForm = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const wholeNumber = /^-?[0-9]+$/;
