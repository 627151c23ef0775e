/** No size takes more; what is longer is none. */
const longest = 1024;

/**
 * Reads the sizes that a client sends, a JSON object each, as the server does: one text, whatever messages it comes in.
 * After something else the server takes no more sizes, and neither does this.
 */
export class TerminalSizes {
  #text = "";
  #ended = false;

  read(bytes: Buffer): readonly { readonly width: number; readonly height: number }[] {
    const sizes: { width: number; height: number }[] = [];
    if (this.#ended) return sizes;
    this.#text += bytes.toString("latin1");
    for (let end = this.#text.indexOf("}"); end >= 0; end = this.#text.indexOf("}")) {
      const size = sizeOf(this.#text.slice(0, end + 1));
      this.#text = this.#text.slice(end + 1);
      if (size === undefined) {
        this.#ended = true;
        return sizes;
      }
      sizes.push(size);
    }
    if (this.#text.length > longest) this.#ended = true;
    return sizes;
  }
}

function sizeOf(text: string): { width: number; height: number } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const size = { width: 0, height: 0 };
  for (const [key, value] of Object.entries(parsed)) {
    // Go's reader ignores the case of names.
    const name = key.toLowerCase();
    if (name !== "width" && name !== "height") continue;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0xffff) return undefined;
    size[name] = value;
  }
  return size;
}
