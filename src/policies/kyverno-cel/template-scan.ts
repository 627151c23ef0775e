/** A part of a text: as it is, or a `(( expression ))`. */
export type Segment = { readonly kind: "text"; readonly text: string } | { readonly kind: "expression"; readonly source: string };

export type Scanned =
  | { readonly ok: true; readonly segments: readonly Segment[] }
  | { readonly ok: false; readonly message: string };

/** Where the `))` of a placeholder stands; parentheses and quoted texts inside are skipped. */
function closing(text: string, start: number): number | string {
  let depth = 0;
  let quote = "";
  for (let i = start + 2; i < text.length; i++) {
    const c = text[i] ?? "";
    if (quote !== "") {
      if (c === "\\") i++;
      else if (c === quote) quote = "";
    } else if (c === '"' || c === "'") quote = c;
    else if (c === "(") depth++;
    else if (c === ")") {
      if (depth > 0) depth--;
      else if (text[i + 1] === ")") return i;
      else return `unbalanced parenthesis in placeholder starting at offset ${start}`;
    }
  }
  return quote === ""
    ? `unterminated placeholder starting at offset ${start}: missing closing '))'`
    : `unterminated string literal in placeholder starting at offset ${start}`;
}

/** Whether a text holds a placeholder, or an escaped one. */
export function hasPlaceholder(text: string): boolean {
  return text.includes("((");
}

/** Splits a text at its placeholders; `\((` stands for `((`. */
export function scanTemplate(text: string): Scanned {
  const segments: Segment[] = [];
  let literal = "";
  const flush = () => {
    if (literal !== "") segments.push({ kind: "text", text: literal });
    literal = "";
  };
  for (let i = 0; i < text.length; ) {
    if (text.startsWith("\\((", i)) {
      literal += "((";
      i += 3;
    } else if (text.startsWith("((", i)) {
      const end = closing(text, i);
      if (typeof end === "string") return { ok: false, message: end };
      const source = text.slice(i + 2, end).trim();
      if (source === "") return { ok: false, message: `empty placeholder at offset ${i}` };
      flush();
      segments.push({ kind: "expression", source });
      i = end + 2;
    } else literal += text[i++];
  }
  flush();
  return { ok: true, segments };
}
