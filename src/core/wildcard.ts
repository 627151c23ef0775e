/** Whether `pattern` holds `*` or `?`. */
export function containsWildcard(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes("?");
}

/**
 * Glob matching as Kyverno and Gatekeeper understand it: `*` is any run of characters, `?` exactly one;
 * there is no escape. Time is O(pattern x text) at worst.
 */
export function matchWildcard(pattern: string, text: string): boolean {
  if (pattern === "*") return true;
  if (!containsWildcard(pattern)) return pattern === text;
  return pattern.includes("?") ? matchCharacters(pattern, text) : matchPieces(pattern.split("*"), text);
}

/** The same test for many texts. */
export function compileWildcard(pattern: string): (text: string) => boolean {
  if (pattern === "*") return () => true;
  if (pattern === "?*" || pattern === "*?") return (text) => text !== "";
  if (!containsWildcard(pattern)) return (text) => text === pattern;
  if (pattern.includes("?")) return (text) => matchCharacters(pattern, text);
  const pieces = pattern.split("*");
  return (text) => matchPieces(pieces, text);
}

/** `pieces` are what stands between the stars: the first begins the text, the last ends it, the others come in between. */
function matchPieces(pieces: readonly string[], text: string): boolean {
  const first = pieces[0] ?? "";
  const last = pieces[pieces.length - 1] ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i] ?? "";
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

const star = 0x2a;
const question = 0x3f;

function matchCharacters(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starAt = -1;
  let resume = 0;
  while (t < text.length) {
    const c = p < pattern.length ? pattern.charCodeAt(p) : -1;
    if (c === star) {
      starAt = p++;
      resume = t;
    } else if (c === question) {
      p++;
      t += lengthAt(text, t);
    } else if (c === text.charCodeAt(t)) {
      p++;
      t++;
    } else if (starAt >= 0) {
      p = starAt + 1;
      resume += lengthAt(text, resume);
      t = resume;
    } else return false;
  }
  while (pattern.charCodeAt(p) === star) p++;
  return p === pattern.length;
}

/** Characters beyond the basic plane take two units. */
function lengthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
