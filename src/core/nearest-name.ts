/** Lower case, without separators: `pod_selector`, `PodSelector` and `podselector` are one name. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[-_.\s]/g, "");
}

function stem(name: string): string {
  return foldName(name)
    .replace(/(?:ies|y)$/, "i")
    .replace(/(?:es|s)$/, "");
}

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; `limit + 1` where there are more than `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

/**
 * The candidate that was most likely meant: the same but for case and separators, then for singular and plural, then
 * at most one edit in four letters. Undefined where none is near, or two are equally near.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const folded = foldName(name);
  const limit = folded.length <= 3 ? 0 : folded.length <= 7 ? 1 : folded.length <= 11 ? 2 : 3;
  let best: string | undefined;
  let bestScore = limit + 1;
  let tied = false;
  for (const candidate of candidates) {
    const score = closeness(name, folded, candidate, limit);
    if (score < bestScore) {
      best = candidate;
      bestScore = score;
      tied = false;
    } else if (score === bestScore && candidate !== best) tied = true;
  }
  return tied ? undefined : best;
}

function closeness(name: string, folded: string, candidate: string, limit: number): number {
  const other = foldName(candidate);
  if (other === folded) return 0;
  if (stem(name) === stem(candidate)) return 0.5;
  return editDistance(folded, other, limit);
}
