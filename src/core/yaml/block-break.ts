/**
 * The decoded text of a block scalar without the line break that js-yaml adds where the whole text ends on the scalar's
 * last line: Go's reader, which Kubernetes uses, finds no break there to keep.
 */
export function withoutAddedBreak(text: string, valueEnd: number, decoded: string): string {
  if (valueEnd < text.length || !decoded.endsWith("\n")) return decoded;
  const lastLine = text.slice(text.lastIndexOf("\n") + 1);
  return lastLine.trim() === "" ? decoded : decoded.slice(0, -1);
}
