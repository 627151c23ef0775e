import type { Host } from "../../../core/host.ts";
import { JmesPathError } from "../errors.ts";

/** Adds random text to `out`. */
type Generator = (out: Output) => void;

/** Repeats without an upper bound stop here, as Kyverno's do. */
const unbounded = 4096;
const maxLength = 100_000;

class Output {
  text = "";
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.#host.random() * bound);
  }

  add(text: string): void {
    this.text += text;
    if (this.text.length > maxLength) throw new JmesPathError("random: the text becomes too long");
  }
}

/** A random text that a regular expression matches. @throws JmesPathError for a pattern that cannot be generated from */
export function generateText(pattern: string, host: Host): string {
  if (pattern === "") throw new JmesPathError("no pattern provided");
  const generator = new PatternReader(pattern).read();
  const out = new Output(host);
  generator(out);
  return out.text;
}

type Range = readonly [number, number];

const digits: readonly Range[] = [[0x30, 0x39]];
const upperCase: readonly Range[] = [[0x41, 0x5a]];
const lowerCase: readonly Range[] = [[0x61, 0x7a]];
const word = [...digits, ...upperCase, [0x5f, 0x5f] as const, ...lowerCase];
const printable: readonly Range[] = [[0x20, 0x7e]];
const namedClasses: { readonly [name: string]: readonly Range[] } = {
  alnum: [...digits, ...upperCase, ...lowerCase],
  alpha: [...upperCase, ...lowerCase],
  digit: digits,
  lower: lowerCase,
  upper: upperCase,
  word,
  xdigit: [...digits, [0x41, 0x46], [0x61, 0x66]],
  space: [[0x20, 0x20]],
  print: printable,
};
const escapes: { readonly [char: string]: readonly Range[] } = { d: digits, w: word, s: [[0x20, 0x20]] };
const controls: { readonly [char: string]: string } = { n: "\n", t: "\t", r: "\r" };

function oneOf(ranges: readonly Range[]): Generator {
  const size = ranges.reduce((sum, [low, high]) => sum + high - low + 1, 0);
  return (out) => {
    let index = out.below(size);
    for (const [low, high] of ranges) {
      if (index <= high - low) return out.add(String.fromCodePoint(low + index));
      index -= high - low + 1;
    }
  };
}

/** The printable characters that `ranges` leaves out. */
function complement(ranges: readonly Range[]): readonly Range[] {
  const left: Range[] = [];
  for (let code = 0x20; code <= 0x7e; code++) {
    if (!ranges.some(([low, high]) => code >= low && code <= high)) left.push([code, code]);
  }
  return left;
}

class PatternReader {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  read(): Generator {
    const generator = this.#alternatives();
    if (this.#at < this.#chars.length) throw this.#bad("unexpected )");
    return generator;
  }

  #bad(problem: string): JmesPathError {
    return new JmesPathError(`random: ${problem} in pattern ${JSON.stringify(this.#chars.join(""))}`);
  }

  #peek(): string {
    return this.#chars[this.#at] ?? "";
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #next(): string {
    const char = this.#peek();
    if (char === "") throw this.#bad("unexpected end");
    this.#at++;
    return char;
  }

  #alternatives(): Generator {
    if (++this.#depth > 100) throw this.#bad("groups nest too deeply");
    const alternatives = [this.#sequence()];
    while (this.#take("|")) alternatives.push(this.#sequence());
    this.#depth--;
    return (out) => alternatives[out.below(alternatives.length)]?.(out);
  }

  #sequence(): Generator {
    const items: Generator[] = [];
    while (this.#peek() !== "" && this.#peek() !== "|" && this.#peek() !== ")") items.push(this.#repeated(this.#atom()));
    return (out) => {
      for (const item of items) item(out);
    };
  }

  #atom(): Generator {
    const char = this.#next();
    switch (char) {
      case "(": {
        if (this.#take("?") && !this.#take(":")) throw this.#bad("unsupported group");
        const group = this.#alternatives();
        if (!this.#take(")")) throw this.#bad("missing )");
        return group;
      }
      case "[":
        return oneOf(this.#characterClass());
      case ".":
        return oneOf(printable);
      case "^":
      case "$":
        return () => undefined;
      case "*":
      case "+":
      case "?":
        throw this.#bad(`nothing to repeat before ${char}`);
      case "\\": {
        const escaped = this.#next();
        const ranges = escapes[escaped];
        return ranges === undefined ? (out) => out.add(controls[escaped] ?? escaped) : oneOf(ranges);
      }
      default:
        return (out) => out.add(char);
    }
  }

  #repeated(atom: Generator): Generator {
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    const [low, high] = bounds;
    return (out) => {
      for (let n = low + out.below(high - low + 1); n > 0; n--) atom(out);
    };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take("*")) return [0, unbounded];
    if (this.#take("+")) return [1, unbounded];
    if (this.#take("?")) return [0, 1];
    const counts = /^\{(\d+)(,?)(\d*)\}/.exec(this.#chars.slice(this.#at, this.#at + 16).join(""));
    if (counts === null) return undefined;
    this.#at += counts[0].length;
    const low = Number(counts[1]);
    const high = counts[2] === "" ? low : counts[3] === "" ? Math.max(low, unbounded) : Number(counts[3]);
    if (high > 1000 && counts[3] !== "") throw this.#bad("a repeat count above 1000");
    if (high < low) throw this.#bad("a bad repeat count");
    return [low, high];
  }

  #characterClass(): readonly Range[] {
    const negated = this.#take("^");
    const ranges: Range[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      const named = /^\[:(\w+):\]/.exec(this.#chars.slice(this.#at, this.#at + 12).join(""));
      const set = named === null ? this.#escapedSet() : namedClasses[named[1] ?? ""];
      if (named !== null) this.#at += named[0].length;
      if (set !== undefined) ranges.push(...set);
      else ranges.push(this.#range());
    }
    this.#at++;
    const chosen = negated ? complement(ranges) : ranges;
    if (chosen.length === 0) throw this.#bad("an empty character class");
    return chosen;
  }

  #escapedSet(): readonly Range[] | undefined {
    const set = this.#peek() === "\\" ? escapes[this.#chars[this.#at + 1] ?? ""] : undefined;
    if (set !== undefined) this.#at += 2;
    return set;
  }

  #range(): Range {
    const low = this.#codePoint();
    if (this.#peek() !== "-" || this.#chars[this.#at + 1] === "]") return [low, low];
    this.#at++;
    const high = this.#codePoint();
    if (high < low) throw this.#bad("a character range out of order");
    return [low, high];
  }

  #codePoint(): number {
    const char = this.#next();
    if (char !== "\\") return char.codePointAt(0) ?? 0;
    const escaped = this.#next();
    return (controls[escaped] ?? escaped).codePointAt(0) ?? 0;
  }
}
