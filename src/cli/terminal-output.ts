const escapeCode = 0x1b;
/** CSI sequences that move, erase and colour, by their last character. */
const drawing = new Set("@ABCDEFGHJKLMPSTXZ`adefmrsu");
/** Modes that a recording may switch: how keys are sent, wrapping, the cursor, the other screen. */
const modes = new Set(["1", "7", "12", "25", "47", "1047", "1048", "1049"]);
/** Characters behind a single escape: saving the cursor, keypad, scrolling. */
const short = new Set("78=>DEM");
const longestSequence = 64;

/**
 * Lets through what draws in a terminal, and nothing that would write to its clipboard, rename it, ask it for an answer or load
 * keys: whoever is recorded chooses what is shown. Sequences may be parted over several texts.
 */
export class DrawingOnly {
  #pending = "";
  /** Within a string (OSC, DCS, ...) that ends at BEL or ESC \. */
  #inString = false;

  push(text: string): string {
    let out = "";
    for (const char of text) out += this.#take(char, char.codePointAt(0) ?? 0);
    return out;
  }

  #take(char: string, code: number): string {
    if (this.#inString) {
      const isOver = code === 0x07 || code === 0x9c || (char === "\\" && this.#pending === "\u001b");
      this.#pending = code === escapeCode ? char : "";
      if (isOver) this.#inString = false;
      return "";
    }
    if (code === escapeCode) {
      this.#pending = char;
      return "";
    }
    if (this.#pending !== "") return this.#sequence(char);
    // C1: one character for what else begins with an escape.
    if (code >= 0x80 && code <= 0x9f) {
      this.#inString = [0x90, 0x98, 0x9d, 0x9e, 0x9f].includes(code);
      return "";
    }
    const isLayout = char === "\n" || char === "\r" || char === "\t" || char === "\b";
    return code >= 0x20 && code !== 0x7f ? char : isLayout ? char : "";
  }

  #sequence(char: string): string {
    const sequence = this.#pending + char;
    this.#pending = "";
    if (sequence.length === 2) {
      if (char === "[" || char === "(" || char === ")") this.#pending = sequence;
      else if ("]P^_X".includes(char)) this.#inString = true;
      else return short.has(char) ? sequence : "";
      return "";
    }
    if (sequence[1] !== "[") return /[0A-Z]/.test(char) ? sequence : "";
    const isOpen = char >= "\u0020" && char <= "?";
    if (isOpen && sequence.length < longestSequence) this.#pending = sequence;
    if (isOpen) return "";
    return isDrawing(sequence.slice(2, -1), char) ? sequence : "";
  }
}

function isDrawing(parameters: string, last: string): boolean {
  if (last === "h" || last === "l")
    return (
      parameters.startsWith("?") &&
      parameters
        .slice(1)
        .split(";")
        .every((mode) => modes.has(mode))
    );
  return drawing.has(last) && /^[\d;:]*$/.test(parameters);
}

/** Puts a terminal back as it was before something was drawn in it. */
export const drawingEnd = "\u001b[0m\u001b[?25h\u001b[?1049l\u001b[?7h\n";
