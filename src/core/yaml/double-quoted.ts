/**
 * What stands between double quotes, its escapes known to be valid. `undefined` where it holds an escape that JSON
 * lacks, a tab or a lone CR: those are rare, and left to a complete parser.
 */
export function decodeDoubleQuoted(raw: string): string | undefined {
  const folded = raw.includes("\n") ? foldLines(raw, "\\n", true) : raw;
  const json = folded.includes("\\ ") ? folded.replace(/\\[\\ ]/g, (pair) => (pair === "\\ " ? " " : pair)) : folded;
  return isJson(json) ? JSON.parse(`"${json}"`) : undefined;
}

function isJson(text: string): boolean {
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at + 2)) {
    if (!'"\\/bfnrtu'.includes(text.charAt(at + 1))) return false;
  }
  return !text.includes("\t") && !text.includes("\r");
}

/**
 * Folds the lines of quoted text: one break becomes a space, of several all but the first stay, an escaped one goes.
 * White space around breaks goes too.
 * @param lineBreak what is written for a break that stays
 * @param escapes whether a backslash at the end of a line, or before white space there, means anything
 */
export function foldLines(raw: string, lineBreak: string, escapes: boolean): string {
  const lines = raw.split("\n");
  const last = lines.length - 1;
  let result = "";
  let breaks = 0;
  let escaped = false;
  for (const [index, line] of lines.entries()) {
    const text = trim(line, index > 0, index < last, escapes);
    if (text === "" && index < last) {
      breaks++;
      continue;
    }
    if (index > 0) result += breaks === 1 && !escaped ? " " : lineBreak.repeat(escaped ? breaks : breaks - 1);
    escaped = escapes && index < last && endsInBackslash(text);
    result += escaped ? text.slice(0, -1) : text;
    breaks = escaped ? 0 : 1;
  }
  return result;
}

function trim(line: string, atStart: boolean, atEnd: boolean, escapes: boolean): string {
  let start = 0;
  let end = line.length;
  if (atEnd && line.charCodeAt(end - 1) === 13) end--;
  if (atStart) while (start < end && isSpace(line, start)) start++;
  if (atEnd) {
    const before = end;
    while (end > start && isSpace(line, end - 1)) end--;
    if (escapes && end < before && endsInBackslash(line.slice(start, end))) end++;
  }
  return line.slice(start, end);
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || code === 9;
}

/** Whether an odd number of backslashes ends a text: the last one escapes what follows. */
function endsInBackslash(text: string): boolean {
  let at = text.length;
  while (at > 0 && text.charCodeAt(at - 1) === 92) at--;
  return (text.length - at) % 2 === 1;
}
