export interface DiffLine {
  readonly change: "same" | "removed" | "added";
  readonly text: string;
}

/** Above this many pairs of lines the middle is shown as replaced: the table of the comparison grows with their product. */
const mostPairs = 4_000_000;

/** The lines of `after` against those of `before`, by their longest common subsequence. */
export function lineDiff(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  const shorter = Math.min(before.length, after.length) - head;
  while (tail < shorter && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const same = (text: string): DiffLine => ({ change: "same", text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const removed = (text: string): DiffLine => ({ change: "removed", text });
  const added = (text: string): DiffLine => ({ change: "added", text });
  if (before.length * after.length > mostPairs) return [...before.map(removed), ...after.map(added)];
  const width = after.length + 1;
  // How many lines the rests from (i, j) on have in common.
  const common = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]];
    if (old !== undefined && old === now) {
      lines.push({ change: "same", text: old });
      i++;
      j++;
    } else if (old !== undefined && (now === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(removed(old));
      i++;
    } else if (now !== undefined) {
      lines.push(added(now));
      j++;
    }
  }
  return lines;
}

export type DiffPart = DiffLine | { readonly change: "folded"; readonly lines: number };

/** Unchanged lines that are further than `context` from a change are told by their number alone. */
export function folded(lines: readonly DiffLine[], context: number): readonly DiffPart[] {
  const near = lines.map((_line, i) =>
    lines.slice(Math.max(0, i - context), i + context + 1).some(({ change }) => change !== "same"),
  );
  const parts: DiffPart[] = [];
  let hidden = 0;
  lines.forEach((line, i) => {
    if (near[i] === true) {
      if (hidden > 0) parts.push({ change: "folded", lines: hidden });
      hidden = 0;
      parts.push(line);
    } else hidden++;
  });
  if (hidden > 0) parts.push({ change: "folded", lines: hidden });
  return parts;
}
