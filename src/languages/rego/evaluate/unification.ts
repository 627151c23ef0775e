import type { RefTerm, Term } from "../ast.ts";
import { constantOf } from "../compile/ground.ts";
import { equalValues } from "../values/compare.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import type { Get, Link, Step } from "./machine.ts";
import type { Reference } from "./references.ts";
import type { Scope } from "./scope.ts";
import { compileMatch, compileTerm, isBoundTerm } from "./terms.ts";

/** Compiles what is more than a simple term. */
export interface TermCompiler {
  reference(ref: RefTerm, scope: Scope): Reference;
  /** A comprehension. */
  collection(term: Term, scope: Scope): Get;
}

/** `left = right`. */
export function compileUnification(left: Term, right: Term, scope: Scope, compiler: TermCompiler): Link {
  const links: Link[] = [];
  const simpleLeft = simplified(left, right, scope, compiler, links);
  if (simpleLeft === undefined) return chained(links);
  const simpleRight = simplified(right, simpleLeft, scope, compiler, links);
  if (simpleRight !== undefined) links.push(...unifySimple(simpleLeft, simpleRight, scope));
  return chained(links);
}

export function chained(links: readonly Link[]): Link {
  return (next) => links.reduceRight<Step>((after, link) => link(after), next);
}

/** One side as a simple term, evaluated into a slot if need be; undefined: the other side was dealt with, too. */
function simplified(term: Term, other: Term, scope: Scope, compiler: TermCompiler, links: Link[]): Term | undefined {
  if (term.kind !== "ref" && !term.kind.endsWith("comprehension")) return term;
  const reference: Reference =
    term.kind === "ref" ? compiler.reference(term, scope) : { kind: "single", get: compiler.collection(term, scope) };
  const isOtherSimple = other.kind !== "ref" && !other.kind.endsWith("comprehension");
  if (isOtherSimple && canMatch(other, scope)) {
    links.push(matchLink(reference, other, scope));
    return undefined;
  }
  const name = `$value${scope.temporary()}`;
  const slot = scope.bind(name);
  links.push(storeLink(reference, slot));
  return { kind: "var", name, at: term.at };
}

/** Whether a term can be matched with a value: its parts that are no pattern are bound. */
function canMatch(term: Term, scope: Scope): boolean {
  if (term.kind === "var" || isBoundTerm(term, scope)) return true;
  if (term.kind === "array") return term.items.every((item) => canMatch(item, scope));
  return term.kind === "object" && term.members.every(([key, value]) => isBoundTerm(key, scope) && canMatch(value, scope));
}

function matchLink(reference: Reference, pattern: Term, scope: Scope): Link {
  if (pattern.kind === "var" && !scope.isBound(pattern.name)) return storeLink(reference, scope.bind(pattern.name));
  const match = compileMatch(pattern, scope);
  if (reference.kind === "many") {
    return (next) => reference.each((m, s, value) => match(m, s, value) && next(m, s));
  }
  const { get } = reference;
  return (next) => (m, s) => {
    const value = get(m, s);
    return value !== undefined && match(m, s, value) && next(m, s);
  };
}

function storeLink(reference: Reference, slot: number): Link {
  if (reference.kind === "many") {
    return (next) =>
      reference.each((m, s, value) => {
        s[slot] = value;
        return next(m, s);
      });
  }
  const { get } = reference;
  return (next) => (m, s) => {
    const value = get(m, s);
    if (value === undefined) return false;
    s[slot] = value;
    return next(m, s);
  };
}

/** Unifies two simple terms: parts that can be decided first, in whatever order they become so. */
function unifySimple(left: Term, right: Term, scope: Scope): readonly Link[] {
  const links: Link[] = [];
  let pending: (readonly [Term, Term])[] = [[left, right]];
  while (pending.length > 0) {
    const later: (readonly [Term, Term])[] = [];
    let progress = false;
    for (const [a, b] of pending) {
      const parts = partsOf(a, b, scope);
      if (parts === "never") return [() => () => false];
      if (parts !== undefined) {
        later.push(...parts);
        progress = true;
        continue;
      }
      const link = isBoundTerm(a, scope) ? boundLink(a, b, scope) : isBoundTerm(b, scope) ? boundLink(b, a, scope) : undefined;
      if (link === undefined) later.push([a, b]);
      else {
        links.push(link);
        progress = true;
      }
    }
    // The safety check lets this pass where closures are involved; it holds for nothing.
    if (!progress) return [() => () => false];
    pending = later;
  }
  return links;
}

/** A term that is bound with one that may not be. */
function boundLink(bound: Term, other: Term, scope: Scope): Link | undefined {
  if (!canMatch(other, scope)) return undefined;
  const get = compileTerm(bound, scope);
  if (isBoundTerm(other, scope)) {
    const own = compileTerm(other, scope);
    return (next) => (m, s) => {
      const a = get(m, s);
      const b = own(m, s);
      return a !== undefined && b !== undefined && equalValues(a, b) && next(m, s);
    };
  }
  return matchLink({ kind: "single", get }, other, scope);
}

/** Pairs of parts where both terms are patterns with unbound variables. */
function partsOf(a: Term, b: Term, scope: Scope): readonly (readonly [Term, Term])[] | "never" | undefined {
  if (isBoundTerm(a, scope) || isBoundTerm(b, scope)) {
    // A pattern whose keys are not bound has to wait; all others are matched as a whole.
    return undefined;
  }
  if (a.kind === "array" && b.kind === "array") {
    if (a.items.length !== b.items.length) return "never";
    return a.items.flatMap((item, i): readonly (readonly [Term, Term])[] => {
      const other = b.items[i];
      return other === undefined ? [] : [[item, other]];
    });
  }
  if (a.kind === "object" && b.kind === "object") {
    if (a.members.length !== b.members.length) return "never";
    const pairs: (readonly [Term, Term])[] = [];
    for (const [key, value] of a.members) {
      const id = keyOf(key);
      const other = b.members.find(([otherKey]) => id !== undefined && keyOf(otherKey) === id);
      if (other === undefined) return "never";
      pairs.push([value, other[1]]);
    }
    return pairs;
  }
  return a.kind !== "var" && b.kind !== "var" ? "never" : undefined;
}

function keyOf(term: Term): MapKey | undefined {
  const constant = constantOf(term);
  if (constant !== undefined) return mapKey(constant);
  return term.kind === "var" ? `\u0000v${term.name}` : undefined;
}
