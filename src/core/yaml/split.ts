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
  const close = (end: number) => {
    if (hasContent(text, start, end)) chunks.push({ start, end });
  };
  for (const line of markers(text)) {
    if (text.charCodeAt(line) === 46) {
      close(line);
      start = endOfLine(text, line);
    } else if (!holdsDirectivesOnly(text, start, line)) {
      close(line);
      start = line;
    }
  }
  close(text.length);
  return chunks;
}

/** Where lines that are `---` or `...` markers start, in order. */
function* markers(text: string): Generator<number> {
  if (isMarker(text, 0)) yield 0;
  let dashes = text.indexOf("\n---");
  let dots = text.indexOf("\n...");
  while (dashes >= 0 || dots >= 0) {
    const takesDashes = dots < 0 || (dashes >= 0 && dashes < dots);
    const line = (takesDashes ? dashes : dots) + 1;
    if (isMarker(text, line)) yield line;
    if (takesDashes) dashes = text.indexOf("\n---", line);
    else dots = text.indexOf("\n...", line);
  }
}

function isMarker(text: string, at: number): boolean {
  if (!text.startsWith("---", at) && !text.startsWith("...", at)) return false;
  const next = text.charCodeAt(at + 3);
  return Number.isNaN(next) || next === 10 || next === 13 || next === 32 || next === 9;
}

/** Whether a stretch has a `%` line, and besides nothing but comments. */
function holdsDirectivesOnly(text: string, start: number, end: number): boolean {
  const first = skipSpaceAndComments(text, start, end);
  if (text.charCodeAt(first) !== 37) return false;
  for (let at = first; at < end; at = skipSpaceAndComments(text, endOfLine(text, at), end)) {
    if (text.charCodeAt(at) !== 37) return false;
  }
  return true;
}

function endOfLine(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  return newline < 0 ? text.length : newline + 1;
}

/** Whether there is anything but white space, comments and a bare `---` marker. */
function hasContent(text: string, start: number, end: number): boolean {
  return skipSpaceAndComments(text, text.startsWith("---", start) ? start + 3 : start, end) < end;
}

function skipSpaceAndComments(text: string, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === 35) at = endOfLine(text, at);
    else if (code === 32 || code === 9 || code === 10 || code === 13 || code === 0xfeff) at++;
    else return at;
  }
  return end;
}
