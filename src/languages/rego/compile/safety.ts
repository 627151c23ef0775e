import type { Body, Expr, Place, RefTerm, Term, VarTerm } from "../ast.ts";
import { visitExprTerms } from "../syntax/visit.ts";
import { boundByEquality, boundByReferences } from "./equality.ts";
import { type Mapping, mapExpr, mapParts } from "./transform.ts";
import { type Looking, patternLooking, safetyLooking, Variables, varsOfExpr, varsOfTerm } from "./variables.ts";

/** How many arguments a function has; undefined: there is no such function. */
export type ArityOf = (operator: VarTerm | RefTerm) => number | undefined;

/** The variables that expressions need and nothing binds. */
export type Unsafe = Map<Expr, Set<string>>;

export interface Reordered {
  readonly body: Body;
  readonly unsafe: Unsafe;
}

const nothing: ReadonlySet<string> = new Set();

/** Orders expressions so that each finds its variables bound, moving them no further than that needs. */
export class Reordering {
  readonly #arityOf: ArityOf;
  readonly #looking: Looking;

  constructor(arityOf: ArityOf) {
    this.#arityOf = arityOf;
    this.#looking = { ...safetyLooking, operands: (expr, add) => this.#neededByOperands(expr, add) };
  }

  /** @param globals variables that are bound before the body */
  reorder(body: Body, globals: ReadonlySet<string>): Reordered {
    const vars = new Map(body.map((expr) => [expr, varsOfExpr(expr, this.#looking)]));
    const inBody = new Set([...vars.values()].flatMap((names) => [...names]));
    const safe = new Set([...inBody].filter((name) => globals.has(name)));
    const unsafe: Unsafe = new Map();
    for (const [expr, names] of vars) {
      const missing = [...names].filter((name) => !safe.has(name));
      if (missing.length > 0) unsafe.set(expr, new Set(missing));
    }
    const isOpen = (name: string): boolean => inBody.has(name) && !globals.has(name);
    const inClosures = new Map(body.map((expr) => [expr, [...varsInClosures(expr)].filter(isOpen)]));
    const ordered: Expr[] = [];
    const taken = new Set<Expr>();
    for (let before = -1; ordered.length > before; ) {
      before = ordered.length;
      for (const expr of body) {
        if (taken.has(expr)) continue;
        const outputs = this.outputs(expr, safe);
        const closed = inClosures.get(expr) ?? [];
        if (closed.length > 0) {
          if (closed.length === outputs.size && closed.every((name) => outputs.has(name))) continue;
          // As in OPA, what closures need counts alone: other variables of the expression are taken for bound.
          unsafe.set(expr, new Set(closed));
        }
        const missing = unsafe.get(expr);
        for (const name of missing ?? nothing) if (outputs.has(name) || safe.has(name)) missing?.delete(name);
        if (missing !== undefined && missing.size > 0) continue;
        unsafe.delete(expr);
        ordered.push(expr);
        taken.add(expr);
        for (const name of outputs) safe.add(name);
      }
    }
    return { body: this.#reorderClosures(ordered, vars, globals, unsafe), unsafe };
  }

  /** Orders the bodies within expressions, each of which sees the variables of those before it. */
  #reorderClosures(body: Body, vars: ReadonlyMap<Expr, ReadonlySet<string>>, globals: ReadonlySet<string>, unsafe: Unsafe): Body {
    const names = new Set(globals);
    return body.map((expr, i) => {
      const previous = body[i - 1];
      if (previous !== undefined) for (const name of vars.get(previous) ?? nothing) names.add(name);
      const result = this.#inExpr(expr, names, unsafe);
      const missing = unsafe.get(expr);
      if (missing !== undefined && result !== expr) {
        unsafe.delete(expr);
        unsafe.set(result, missing);
      }
      return result;
    });
  }

  #inExpr(expr: Expr, globals: Set<string>, unsafe: Unsafe): Expr {
    const closure = (inner: Body, terms: readonly Term[]): Body => this.#closure(expr, inner, terms, globals, unsafe);
    const mapping: Mapping = {
      term: (term) => {
        switch (term.kind) {
          case "array-comprehension":
          case "set-comprehension":
            return { ...term, body: closure(term.body, [term.term]) };
          case "object-comprehension":
            return { ...term, body: closure(term.body, [term.key, term.value]) };
          default:
            return mapParts(term, mapping);
        }
      },
      body: (inner) => closure(inner, []),
    };
    switch (expr.kind) {
      case "every":
        if (expr.key !== undefined) globals.add(expr.key.name);
        globals.add(expr.value.name);
        return { ...expr, body: closure(expr.body, []) };
      case "not":
        return { ...expr, body: closure(expr.body, []) };
      case "and":
      case "or":
        return { ...expr, left: closure(expr.left, []), right: closure(expr.right, []) };
      default:
        return hasClosures(expr) ? mapExpr(expr, mapping) : expr;
    }
  }

  #closure(current: Expr, body: Body, terms: readonly Term[], globals: ReadonlySet<string>, unsafe: Unsafe): Body {
    const known = new Variables(this.#looking).body(body).names;
    for (const term of terms) {
      for (const name of varsOfTerm(term)) {
        if (!known.has(name) && !globals.has(name)) addTo(unsafe, current, name);
      }
    }
    const inner = this.reorder(body, globals);
    for (const [expr, names] of inner.unsafe) for (const name of names) addTo(unsafe, expr, name);
    return inner.body;
  }

  /** The variables that an expression binds, given those that are `safe`. */
  outputs(expr: Expr, safe: ReadonlySet<string>): ReadonlySet<string> {
    if (expr.negated || expr.kind === "not" || expr.kind === "and" || expr.kind === "or") return nothing;
    for (const modifier of expr.with) {
      const needed = varsOfExpr({ ...trueExpr(modifier.at), with: [modifier] }, safetyLooking);
      for (const name of needed) if (!safe.has(name)) return nothing;
    }
    switch (expr.kind) {
      case "term-expr":
        return boundByReferences([expr.term], safe);
      case "call-expr":
        return this.#outputsOfCall(expr, safe);
      case "every":
        return boundByReferences([expr.domain], safe);
      default:
        return nothing;
    }
  }

  #outputsOfCall(expr: Expr & { kind: "call-expr" }, safe: ReadonlySet<string>): ReadonlySet<string> {
    const { operator, args, with: modifiers } = expr;
    const [left, right] = args;
    if (isEquality(expr)) {
      if (left === undefined || right === undefined) return safe;
      return boundByEquality(left, right, safe, expr.assignment);
    }
    const arity = this.#arityOf(operator);
    if (arity === undefined) return nothing;
    const outputs = boundByReferences([...args, ...modifiers.flatMap((m) => [m.target, m.value])], safe);
    if (arity >= args.length) return outputs;
    const inputs = new Variables({ ...patternLooking, skipSets: true }).terms(args.slice(0, arity)).names.keys();
    for (const name of inputs) if (!outputs.has(name) && !safe.has(name)) return nothing;
    const results = new Variables({ ...patternLooking, skipSets: true }).terms(args.slice(arity));
    for (const name of results.names.keys()) outputs.add(name);
    return outputs;
  }

  /** Adds the variables that the operands written without braces need from outside. */
  #neededByOperands(expr: Expr, add: (name: string) => void): void {
    const promote = (body: Body): void => {
      for (const name of this.#neededByOperand(body)) add(name);
    };
    if (expr.kind === "not" && !expr.explicit) promote(expr.body);
    if (expr.kind !== "and" && expr.kind !== "or") return;
    if (!expr.explicitLeft) promote(expr.left);
    if (!expr.explicitRight) promote(expr.right);
  }

  #neededByOperand(body: Body): ReadonlySet<string> {
    const occurrences = new Map<string, number>();
    for (const expr of body) {
      for (const name of varsOfExpr(expr, safetyLooking)) occurrences.set(name, (occurrences.get(name) ?? 0) + 1);
    }
    // In a single expression nothing else could use what it binds.
    if (body.length <= 1) return new Set(occurrences.keys());
    const bound = this.#boundInOperand(body, new Set(occurrences.keys()));
    return new Set([...occurrences].flatMap(([name, count]) => (bound.has(name) && count > 1 ? [] : [name])));
  }

  #boundInOperand(body: Body, names: ReadonlySet<string>): ReadonlySet<string> {
    const safe = new Set([...names, "input", "data"]);
    for (const expr of body) {
      if (!isEquality(expr)) continue;
      for (const side of expr.args) if (side.kind === "var") safe.delete(side.name);
    }
    const bound = new Set<string>();
    for (let changed = true; changed; ) {
      changed = false;
      for (const expr of body) {
        const [left, right] = isEquality(expr) ? expr.args : [];
        if (left === undefined || right === undefined) continue;
        for (const name of boundByEquality(left, right, safe)) {
          if (bound.has(name)) continue;
          bound.add(name);
          safe.add(name);
          changed = true;
        }
      }
    }
    for (const expr of body) {
      if (expr.kind !== "call-expr" || isEquality(expr)) continue;
      const arity = this.#arityOf(expr.operator);
      if (arity === undefined || arity >= expr.args.length) continue;
      const results = new Variables({ ...patternLooking, skipSets: true }).terms(expr.args.slice(arity));
      for (const name of results.names.keys()) bound.add(name);
    }
    return bound;
  }
}

export function isEquality(expr: Expr): expr is Expr & { kind: "call-expr" } {
  return expr.kind === "call-expr" && expr.operator.kind === "var" && expr.operator.name === "eq";
}

function trueExpr(at: Place): Expr {
  return { kind: "term-expr", term: { kind: "scalar", value: true, at }, with: [], negated: false, at };
}

function addTo(unsafe: Unsafe, expr: Expr, name: string): void {
  const names = unsafe.get(expr);
  if (names === undefined) unsafe.set(expr, new Set([name]));
  else names.add(name);
}

function hasClosures(expr: Expr): boolean {
  let found = false;
  visitExprTerms(expr, (term) => {
    if (term.kind.endsWith("comprehension")) found = true;
    return !found;
  });
  return found;
}

/** The variables inside of comprehensions, `every`, `not`, `and` and `or`. */
function varsInClosures(expr: Expr): ReadonlySet<string> {
  const found = new Variables();
  switch (expr.kind) {
    case "every":
      found.body(expr.body);
      break;
    case "not":
      found.body(expr.body);
      break;
    case "and":
    case "or":
      found.body(expr.left).body(expr.right);
      break;
    default:
      visitExprTerms(expr, (term) => {
        if (!term.kind.endsWith("comprehension")) return true;
        found.term(term);
        return false;
      });
  }
  return new Set(found.names.keys());
}
