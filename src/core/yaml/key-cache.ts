import { unusual } from "./line-cursor.ts";
import { keyText, resolvePlain } from "./scalars.ts";

const slots = 8192;

/** For short texts faster than `startsWith`. */
function equals(known: string, text: string, start: number): boolean {
  for (let at = 0; at < known.length; at++) if (known.charCodeAt(at) !== text.charCodeAt(start + at)) return false;
  return true;
}

/** Plain keys that were read before: few, and repeated in every document. Bounded: a new key takes an old one's place. */
export class KeyCache {
  readonly #hashes = new Int32Array(slots);
  // Filled from the start: a sparse array would become a slow one.
  readonly #texts: string[] = new Array<string>(slots).fill("");
  readonly #keys: string[] = new Array<string>(slots).fill("");

  /** What the plain key between two offsets says; `hash` is any hash of that stretch. */
  key(text: string, start: number, end: number, hash: number): string {
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    const known = this.#texts[slot];
    if (
      known !== undefined &&
      known !== "" &&
      this.#hashes[slot] === hash &&
      known.length === end - start &&
      equals(known, text, start)
    ) {
      return this.#keys[slot] ?? known;
    }
    const raw = text.slice(start, end);
    const key = keyText(resolvePlain(raw), raw);
    if (key === undefined || raw === "<<") throw unusual;
    this.#hashes[slot] = hash;
    this.#texts[slot] = raw;
    this.#keys[slot] = key;
    return key;
  }
}
