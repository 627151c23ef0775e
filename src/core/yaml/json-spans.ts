import type { JsonPath } from "../json.ts";
import type { Extent, Spans } from "./span-table.ts";

interface Child {
  /** Undefined: an item of a list. */
  readonly key: Extent | undefined;
  readonly value: Extent;
}

type Children = ReadonlyMap<string | number, Child>;

/**
 * Where the parts of a JSON value stand in a text that was read before. Few of them are asked for: the text is walked
 * along the path, and each object and list on it once.
 */
export class JsonSpans implements Spans {
  readonly #text: string;
  readonly #root: Extent;
  /** By where the object or the list begins. */
  readonly #walked = new Map<number, Children>();

  constructor(text: string, start: number) {
    this.#text = text;
    this.#root = { start, end: this.#behind(start) };
  }

  value(path: JsonPath): Extent {
    let value = this.#root;
    for (const step of path) {
      const child = this.#children(value).get(step);
      if (child === undefined) break;
      value = child.value;
    }
    return value;
  }

  key(path: JsonPath): Extent | undefined {
    let found: Child = { key: undefined, value: this.#root };
    for (const step of path) {
      const child = this.#children(found.value).get(step);
      if (child === undefined) return undefined;
      found = child;
    }
    return found.key;
  }

  #children({ start }: Extent): Children {
    const known = this.#walked.get(start);
    if (known !== undefined) return known;
    const code = this.#text.charCodeAt(start);
    const children = code === brace ? this.#members(start) : code === bracket ? this.#items(start) : none;
    this.#walked.set(start, children);
    return children;
  }

  #members(start: number): Children {
    const members = new Map<string, Child>();
    for (let at = this.#next(start + 1); this.#text.charCodeAt(at) === quote; ) {
      const key = { start: at, end: this.#behindString(at) };
      const value = this.#value(this.#next(key.end) + 1);
      // Of duplicate keys the last one stands.
      members.set(this.#name(key), { key, value });
      at = this.#behindComma(value.end);
    }
    return members;
  }

  #items(start: number): Children {
    const items = new Map<number, Child>();
    let at = this.#next(start + 1);
    while (at < this.#text.length && this.#text.charCodeAt(at) !== bracket + 2) {
      const value = this.#value(at);
      items.set(items.size, { key: undefined, value });
      at = this.#behindComma(value.end);
    }
    return items;
  }

  #value(from: number): Extent {
    const start = this.#next(from);
    return { start, end: this.#behind(start) };
  }

  #name({ start, end }: Extent): string {
    const name = this.#text.slice(start + 1, end - 1);
    return name.includes("\\") ? JSON.parse(`"${name}"`) : name;
  }

  #behindComma(end: number): number {
    const at = this.#next(end);
    return this.#text.charCodeAt(at) === comma ? this.#next(at + 1) : at;
  }

  /** The first character at or behind `from` that is no white space. */
  #next(from: number): number {
    for (let at = from; ; at++) {
      const code = this.#text.charCodeAt(at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at;
    }
  }

  /** Behind the value at `start`. */
  #behind(start: number): number {
    let depth = 0;
    for (let at = start; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === quote) {
        at = this.#behindString(at) - 1;
        if (depth === 0) return at + 1;
      } else if (code === brace || code === bracket) depth++;
      else if (code === brace + 2 || code === bracket + 2) {
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
      } else if (depth === 0 && (code === comma || code <= 32)) return at;
    }
    return this.#text.length;
  }

  #behindString(start: number): number {
    for (let end = this.#text.indexOf('"', start + 1); end >= 0; end = this.#text.indexOf('"', end + 1)) {
      let before = end;
      while (this.#text.charCodeAt(before - 1) === 92) before--;
      if ((end - before) % 2 === 0) return end + 1;
    }
    return this.#text.length;
  }
}

const none: Children = new Map();
const quote = 34;
const comma = 44;
/** The closing one is two further, as with braces. */
const bracket = 91;
const brace = 123;
