import type { Term } from "../ast.ts";
import { compareValues } from "../values/compare.ts";

const ranks: { readonly [kind in Term["kind"]]: number } = {
  scalar: 0,
  var: 1,
  ref: 2,
  array: 3,
  object: 4,
  set: 5,
  "array-comprehension": 6,
  "object-comprehension": 7,
  "set-comprehension": 8,
  call: 9,
  template: 10,
};

/** The order in which OPA keeps the terms of sets and objects, and so looks at them. */
export function compareTerms(a: Term, b: Term): number {
  if (a.kind === "scalar" && b.kind === "scalar") return compareValues(a.value, b.value);
  if (a.kind === "var" && b.kind === "var") return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  if (a.kind === "ref" && b.kind === "ref") return compareTerms(a.head, b.head) || compareLists(a.path, b.path);
  if (a.kind === "array" && b.kind === "array") return compareLists(a.items, b.items);
  return ranks[a.kind] - ranks[b.kind];
}

function compareLists(a: readonly Term[], b: readonly Term[]): number {
  for (const [i, term] of a.entries()) {
    const other = b[i];
    const order = other === undefined ? 1 : compareTerms(term, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
