import { unusual } from "./line-cursor.ts";
import { keyText, resolvePlain } from "./scalars.ts";

/** The plain keys of one text: few, and repeated in every document. */
export class KeyCache {
  readonly #texts: string[] = [];
  readonly #keys: string[] = [];

  /** What the plain key between two offsets says; `hash` is any hash of that stretch. */
  key(text: string, start: number, end: number, hash: number): string {
    const slot = hash & 4095;
    const known = this.#texts[slot];
    if (known !== undefined && known.length === end - start && text.startsWith(known, start)) return this.#keys[slot] ?? known;
    const raw = text.slice(start, end);
    const key = keyText(resolvePlain(raw), raw);
    if (key === undefined || raw === "<<") throw unusual;
    this.#texts[slot] = raw;
    this.#keys[slot] = key;
    return key;
  }
}
