/** One place of a pattern: which characters fit, and how often. */
interface Atom {
  /** Undefined: any character. */
  readonly chars: ReadonlySet<string> | undefined;
  readonly repeat: "once" | "star" | "plus";
}

/** More characters in one class are taken for an attack. */
const largestClass = 70_000;

class GlobProblem {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

class AtomReader {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#chars = Array.from(text);
  }

  atoms(): readonly Atom[] {
    const found: Atom[] = [];
    while (this.#at < this.#chars.length) {
      const chars = this.#atom();
      const flag = this.#chars[this.#at];
      if (flag === "*" || flag === "+") this.#at++;
      found.push({ chars, repeat: flag === "*" ? "star" : flag === "+" ? "plus" : "once" });
    }
    return found;
  }

  #atom(): ReadonlySet<string> | undefined {
    const { char, escaped } = this.#next();
    if (escaped) return new Set([char]);
    if (char === ".") return undefined;
    if (char === "[") return this.#set();
    if (char === "]") throw this.#problem("set-close ']' with no preceding '['");
    if (char === "*" || char === "+") throw this.#problem(`flag '${char}' must be preceded by a non-flag`);
    return new Set([char]);
  }

  #set(): ReadonlySet<string> {
    const chars = new Set<string>();
    let previous: string | undefined;
    while (this.#at < this.#chars.length) {
      const { char, escaped } = this.#next();
      if (!escaped && char === "]") return chars;
      if (!escaped && char === "-") {
        this.#range(previous, chars);
        previous = undefined;
      } else {
        chars.add(char);
        previous = char;
      }
    }
    throw this.#problem("found [ without matching ]");
  }

  #range(low: string | undefined, chars: Set<string>): void {
    if (low === undefined) throw this.#problem("range character '-' must be preceded by a Unicode character");
    if (this.#at >= this.#chars.length - 1) {
      throw this.#problem("range character '-' must be followed by a Unicode character");
    }
    const { char: high, escaped } = this.#next();
    if (!escaped && (high === "]" || high === "-")) {
      throw this.#problem("range character '-' cannot be followed by a special symbol");
    }
    const from = low.codePointAt(0) ?? 0;
    const to = high.codePointAt(0) ?? 0;
    if (to < from) throw this.#problem(`range is out of order: '${high}' comes before '${low}' in Unicode`);
    if (chars.size + to - from > largestClass) throw this.#problem("range is too large");
    for (let code = from; code <= to; code++) chars.add(String.fromCodePoint(code));
  }

  #next(): { readonly char: string; readonly escaped: boolean } {
    const char = this.#chars[this.#at++] ?? "";
    if (char !== "\\") return { char, escaped: false };
    const escaped = this.#chars[this.#at++];
    if (escaped === undefined) throw this.#problem("input ends with a \\ (escape) character");
    return { char: escaped, escaped: true };
  }

  #problem(message: string): GlobProblem {
    return new GlobProblem(`input:${this.#chars.join("")}, pos:${this.#at}, ${message}: the input provided is invalid`);
  }
}

function shareCharacter(a: Atom, b: Atom): boolean {
  if (a.chars === undefined) return b.chars === undefined || b.chars.size > 0;
  if (b.chars === undefined) return a.chars.size > 0;
  const [small, large] = a.chars.size <= b.chars.size ? [a.chars, b.chars] : [b.chars, a.chars];
  return small.values().some((char) => large.has(char));
}

/**
 * Whether some non-empty text fits both patterns of characters, `.`, `[a-z]`, `*` and `+`; a message where one is no
 * such pattern. Walks the pairs of places that both patterns can have reached at once.
 */
export function globsIntersect(left: string, right: string, spend: (steps: number) => void): boolean | string {
  try {
    return meet(new AtomReader(left).atoms(), new AtomReader(right).atoms(), spend);
  } catch (problem) {
    if (problem instanceof GlobProblem) return problem.message;
    throw problem;
  }
}

function meet(a: readonly Atom[], b: readonly Atom[], spend: (steps: number) => void): boolean {
  if (a.length === 0 && b.length === 0) return true;
  const seen = new Set<string>();
  const pending: (readonly [i: number, j: number, consumed: boolean])[] = [[0, 0, false]];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const [i, j, consumed] = place;
    const id = place.join();
    if (seen.has(id)) continue;
    seen.add(id);
    spend(1);
    if (i === a.length && j === b.length && consumed) return true;
    const x = a[i];
    const y = b[j];
    if (x?.repeat === "star") pending.push([i + 1, j, consumed]);
    if (y?.repeat === "star") pending.push([i, j + 1, consumed]);
    if (x === undefined || y === undefined || !shareCharacter(x, y)) continue;
    // After one more common character each side goes on, or stays where its atom repeats.
    for (const nextI of after(i, x)) for (const nextJ of after(j, y)) pending.push([nextI, nextJ, true]);
  }
  return false;
}

function after(at: number, atom: Atom): readonly number[] {
  return atom.repeat === "once" ? [at + 1] : [at, at + 1];
}
