import type { ObjectTerm, Term } from "../ast.ts";
import { mapKeyOfTerm } from "./ground.ts";
import { patternLooking, safetyLooking, Variables, varsOfTerm } from "./variables.ts";

/** Whether what a reference begins with is known. */
function isReferenceSafe(head: Term, safe: Names): boolean {
  if (head.kind === "var") return safe.has(head.name);
  return [...varsOfTerm(head, safetyLooking)].every((name) => safe.has(name));
}

/** The variables that iterating the references of the terms binds, given those that are `safe`. */
export function boundByReferences(terms: readonly Term[], safe: Names): Set<string> {
  const bound = new Set<string>();
  const visit = (term: Term): void => {
    switch (term.kind) {
      case "ref":
        if (!isReferenceSafe(term.head, safe)) return;
        for (const name of new Variables({ skipHeads: true }).terms(term.path).names.keys()) bound.add(name);
        visit(term.head);
        for (const step of term.path) visit(step);
        return;
      case "array":
      case "set":
        for (const item of term.items) visit(item);
        return;
      case "object":
        for (const [key, value] of term.members) {
          visit(key);
          visit(value);
        }
        return;
      case "call":
        if (term.operator.kind === "ref") visit(term.operator);
        for (const arg of term.args) visit(arg);
        return;
      default:
    }
  };
  for (const term of terms) visit(term);
  return bound;
}

/** The variables beyond `safe` that `left = right` binds. */
export function boundByEquality(left: Term, right: Term, safe: ReadonlySet<string>, assignment = false): ReadonlySet<string> {
  const bound = boundByReferences([left, right], safe);
  // What is assigned does not make its value known.
  const assigned = assignment ? varsOfTerm(left) : new Set<string>();
  for (const name of assigned) bound.delete(name);
  const unifier = new Unifier({ has: (name) => (safe.has(name) || bound.has(name)) && !assigned.has(name) });
  unifier.unify(left, right);
  return new Set([...bound, ...unifier.unified].filter((name) => !safe.has(name)));
}

/** Names that are known; a set, or what answers like one. */
interface Names {
  has(name: string): boolean;
}

/** Finds out which variables an equality determines. */
class Unifier {
  readonly unified = new Set<string>();
  readonly #safe: Names;
  /** Variables that are determined as soon as those of their set are. */
  readonly #waiting = new Map<string, Set<string>>();

  constructor(safe: Names) {
    this.#safe = safe;
  }

  unify(a: Term, b: Term): void {
    if (a.kind === "var") this.#unifyVar(a.name, b);
    else if (b.kind === "var") this.#unifyVar(b.name, a);
    else if (a.kind === "array" && b.kind === "array") {
      if (a.items.length !== b.items.length) return;
      for (const [i, item] of a.items.entries()) {
        const other = b.items[i];
        if (other !== undefined) this.unify(item, other);
      }
    } else if (a.kind === "object" && b.kind === "object") this.#unifyObjects(a, b);
    else if (isPattern(a) && this.#hasValue(b, a.kind === "array")) this.#markAll(a);
    else if (isPattern(b) && this.#hasValue(a, a.kind === `${b.kind}-comprehension`)) this.#markAll(b);
  }

  #unifyVar(name: string, other: Term): void {
    switch (other.kind) {
      case "var":
        if (this.#isSafe(other.name)) this.#mark(name);
        else if (this.#isSafe(name)) this.#mark(other.name);
        else {
          this.#wait(name, other.name);
          this.#wait(other.name, name);
        }
        return;
      case "array":
      case "object":
        this.#unifyPattern(name, other);
        return;
      case "ref":
        if (isReferenceSafe(other.head, this.#safe)) this.#mark(name);
        return;
      case "call":
        if (this.#hasValue(other, false)) this.#mark(name);
        return;
      default:
        this.#mark(name);
    }
  }

  #unifyPattern(name: string, pattern: Term): void {
    if (this.#isSafe(name)) {
      this.#markAll(pattern);
      return;
    }
    const unsafe = [...varsOfTerm(pattern, patternLooking)].filter((v) => !this.#isSafe(v));
    if (unsafe.length === 0) this.#mark(name);
    for (const v of unsafe) this.#wait(name, v);
  }

  #unifyObjects(a: ObjectTerm, b: ObjectTerm): void {
    if (a.members.length !== b.members.length) return;
    for (const [key, value] of a.members) {
      const wanted = mapKeyOfTerm(key);
      const member = b.members.find(([other]) => wanted !== undefined && mapKeyOfTerm(other) === wanted);
      if (member !== undefined) this.unify(value, member[1]);
    }
  }

  /** Whether `term` has a value that a pattern can be matched with. */
  #hasValue(term: Term, collectionFits: boolean): boolean {
    switch (term.kind) {
      case "ref":
        return isReferenceSafe(term.head, this.#safe);
      case "call":
        return [...varsOfTerm(term, safetyLooking)].every((name) => this.#safe.has(name));
      case "array-comprehension":
      case "object-comprehension":
      case "set-comprehension":
        return collectionFits;
      default:
        return false;
    }
  }

  #isSafe(name: string): boolean {
    return this.#safe.has(name) || this.unified.has(name);
  }

  #markAll(term: Term): void {
    for (const name of varsOfTerm(term, patternLooking)) this.#mark(name);
  }

  #mark(name: string): void {
    this.unified.add(name);
    const dependencies = this.#waiting.get(name);
    this.#waiting.delete(name);
    for (const other of dependencies ?? []) this.#mark(other);
    for (const [other, waiting] of [...this.#waiting]) {
      if (!waiting.delete(name) || waiting.size > 0) continue;
      if (this.#waiting.has(other)) this.#mark(other);
    }
  }

  #wait(name: string, on: string): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) this.#waiting.set(name, new Set([on]));
    else waiting.add(on);
  }
}

function isPattern(term: Term): boolean {
  return term.kind === "array" || term.kind === "object";
}
