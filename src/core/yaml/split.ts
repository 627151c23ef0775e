/** One document's stretch of a YAML stream; `start` is where its text begins, after the `---` marker's line prefix. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits a YAML stream at `---` and `...` markers, so that one broken document does not take the others with it.
 * YAML forbids both at the start of a line inside any content, quoted and block scalars included, so no parsing is
 * needed. Chunks keep their `---`; chunks that hold only comments and white space are left out. Directives stay with
 * the document that they precede.
 */
export function splitDocuments(text: string): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  let pendingDirectives = false;
  const close = (end: number) => {
    if (hasContent(text, start, end)) chunks.push({ start, end });
  };
  for (let line = 0; line < text.length; ) {
    const code = text.charCodeAt(line);
    if ((code === 45 || code === 46) && isMarker(text, line, code)) {
      if (code === 45) {
        if (!pendingDirectives) {
          close(line);
          start = line;
        }
      } else {
        close(line);
        start = endOfLine(text, line);
      }
      pendingDirectives = false;
    } else if (code === 37 && !hasContent(text, start, line)) pendingDirectives = true;
    line = endOfLine(text, line);
  }
  close(text.length);
  return chunks;
}

function isMarker(text: string, at: number, code: number): boolean {
  if (text.charCodeAt(at + 1) !== code || text.charCodeAt(at + 2) !== code) return false;
  const next = text.charCodeAt(at + 3);
  return Number.isNaN(next) || next === 10 || next === 13 || next === 32 || next === 9;
}

function endOfLine(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  return newline < 0 ? text.length : newline + 1;
}

/** Whether there is anything but white space, comments and a bare `---` marker. */
function hasContent(text: string, start: number, end: number): boolean {
  let at = start;
  if (text.startsWith("---", at)) at += 3;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === 35) at = endOfLine(text, at);
    else if (code === 32 || code === 9 || code === 10 || code === 13 || code === 0xfeff) at++;
    else return true;
  }
  return false;
}
