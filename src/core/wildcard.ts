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
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const c = pattern[p];
    if (c === "*") {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (c === "?" || c === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
