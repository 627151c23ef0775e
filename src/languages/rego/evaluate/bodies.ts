import type { Body, Expr, RefTerm, Term, With } from "../ast.ts";
import { dataPath } from "../compile/rule-tree.ts";
import { isEquality } from "../compile/safety.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { equalValues } from "../values/compare.ts";
import type { MapKey } from "../values/map-key.ts";
import { mapKey } from "../values/map-key.ts";
import { type Member, RegoObject, RegoSet, type Value } from "../values/value.ts";
import { compileCall, functionOf } from "./calls.ts";
import type { DataNode } from "./data-tree.ts";
import { forEachMember, isCollection, withValueAt } from "./lookup.ts";
import {
  EvaluationFailure,
  type Get,
  type Link,
  type Machine,
  type Replacement,
  type Site,
  type Slots,
  type Step,
  type Surroundings,
} from "./machine.ts";
import { compileReference } from "./references.ts";
import { Scope } from "./scope.ts";
import { compileMatch, compileTerm } from "./terms.ts";
import { chained, compileUnification, type TermCompiler } from "./unification.ts";

const found: Step = () => true;

/** Compiles the bodies of one module's rules. */
export class BodyCompiler implements TermCompiler {
  readonly #root: () => DataNode;
  readonly #file: string;

  constructor(root: () => DataNode, file: string) {
    this.#root = root;
    this.#file = file;
  }

  #site(expr: Expr): Site {
    return { file: this.#file, at: expr.at };
  }

  /** Runs `last` for each solution of the body. */
  body(body: Body, scope: Scope, last: (scope: Scope) => Step): Step {
    const links = body.map((expr) => this.#expr(expr, scope));
    return chained(links)(last(scope));
  }

  /** Whether the body has a solution. */
  #exists(body: Body, scope: Scope): Step {
    return this.body(body, scope.inner(), () => found);
  }

  #expr(expr: Expr, scope: Scope): Link {
    if (expr.with.length === 0) return this.#scoped(expr, scope);
    const surroundings = this.#modifiers(expr.with, scope, this.#site(expr));
    const link = this.#scoped(expr, scope);
    return withLink(surroundings, link);
  }

  #scoped(expr: Expr, scope: Scope): Link {
    if (!expr.negated) return this.#positive(expr, scope);
    const test = this.#positive(expr, scope.inner())(found);
    return (next) => (m, s) => !test(m, s) && next(m, s);
  }

  #positive(expr: Expr, scope: Scope): Link {
    switch (expr.kind) {
      case "term-expr":
        return this.#term(expr.term, scope);
      case "call-expr":
        return this.#call(expr, scope);
      case "every":
        return this.#every(expr, scope);
      case "not": {
        const test = this.#exists(expr.body, scope);
        return (next) => (m, s) => !test(m, s) && next(m, s);
      }
      case "and": {
        const left = this.#exists(expr.left, scope);
        const right = this.#exists(expr.right, scope);
        return (next) => (m, s) => left(m, s) && right(m, s) && next(m, s);
      }
      case "or": {
        const left = this.#exists(expr.left, scope);
        const right = this.#exists(expr.right, scope);
        return (next) => (m, s) => (left(m, s) || right(m, s)) && next(m, s);
      }
      default:
        throw new Error(`${expr.kind} was not rewritten`);
    }
  }

  #term(term: Term, scope: Scope): Link {
    if (term.kind === "ref") {
      const reference = this.reference(term, scope);
      if (reference.kind === "many") return (next) => reference.each((m, s, value) => value !== false && next(m, s));
      const { get } = reference;
      return (next) => (m, s) => {
        const value = get(m, s);
        return value !== undefined && value !== false && next(m, s);
      };
    }
    const get = term.kind.endsWith("comprehension") ? this.collection(term, scope) : compileTerm(term, scope);
    return (next) => (m, s) => {
      const value = get(m, s);
      return value !== undefined && value !== false && next(m, s);
    };
  }

  #call(expr: Expr & { kind: "call-expr" }, scope: Scope): Link {
    const { operator, args } = expr;
    const [left, right] = args;
    if (isEquality(expr) && left !== undefined && right !== undefined && args.length === 2) {
      return compileUnification(left, right, scope, this);
    }
    const fn = functionOf(operator, this.#root(), this.#site(expr));
    const inputs = args.slice(0, fn.arity).map((arg) => compileTerm(arg, scope));
    const output = args[fn.arity];
    const { relation } = fn;
    if (relation !== undefined) return this.#relation(relation, inputs, output, scope);
    const get = compileCall(operator, fn, inputs);
    if (output === undefined) {
      return (next) => (m, s) => {
        const value = get(m, s);
        return value !== undefined && value !== false && next(m, s);
      };
    }
    const match = compileMatch(output, scope);
    return (next) => (m, s) => {
      const value = get(m, s);
      return value !== undefined && match(m, s, value) && next(m, s);
    };
  }

  #relation(
    relation: (m: Machine, args: readonly Value[]) => Iterable<Value>,
    inputs: readonly Get[],
    output: Term | undefined,
    scope: Scope,
  ): Link {
    const match = output === undefined ? () => true : compileMatch(output, scope);
    return (next) => (m, s) => {
      const values: Value[] = [];
      for (const get of inputs) {
        const value = get(m, s);
        if (value === undefined) return false;
        values.push(value);
      }
      for (const value of relation(m, values)) if (match(m, s, value) && next(m, s)) return true;
      return false;
    };
  }

  #every(expr: Expr & { kind: "every" }, scope: Scope): Link {
    const domain = compileTerm(expr.domain, scope);
    const inner = scope.inner();
    const key = expr.key === undefined ? inner.temporary() : inner.bind(expr.key.name);
    const value = inner.bind(expr.value.name);
    const holds = this.body(expr.body, inner, () => found);
    return (next) => (m, s) => {
      const items = domain(m, s);
      if (items === undefined || !isCollection(items)) return false;
      const failed = forEachMember(items, (k, v) => {
        m.spend(1);
        s[key] = k;
        s[value] = v;
        return !holds(m, s);
      });
      return !failed && next(m, s);
    };
  }

  /** The document at a path below `data`. */
  document(path: readonly string[]): Get {
    const at = { offset: 0, end: 0, line: 1, column: 1 };
    const steps = path.map((value): Term => ({ kind: "scalar", value, at }));
    return this.#single({ kind: "ref", head: { kind: "var", name: "data", at }, path: steps, at }, new Scope());
  }

  reference(ref: RefTerm, scope: Scope): ReturnType<typeof compileReference> {
    return compileReference(ref, scope, this.#root());
  }

  collection(term: Term, scope: Scope): Get {
    const inner = scope.inner();
    switch (term.kind) {
      case "array-comprehension": {
        const step = this.body(term.body, inner, (bound) => {
          const get = compileTerm(term.term, bound);
          return (m, s) => {
            const value = get(m, s);
            if (value !== undefined) m.list.push(value);
            return false;
          };
        });
        return (m, s) => {
          const outer = m.list;
          const list: Value[] = [];
          m.list = list;
          step(m, s);
          m.list = outer;
          return list;
        };
      }
      case "set-comprehension": {
        const step = this.body(term.body, inner, (bound) => {
          const get = compileTerm(term.term, bound);
          return (m, s) => {
            const value = get(m, s);
            if (value !== undefined) addTo(m, value);
            return false;
          };
        });
        return (m, s) => {
          const outer = m.set;
          m.set = undefined;
          step(m, s);
          const set = m.set ?? RegoSet.empty;
          m.set = outer;
          return set;
        };
      }
      case "object-comprehension":
        return this.#objectComprehension(term, inner);
      default:
        throw new Error(`not a comprehension: ${term.kind}`);
    }
  }

  #objectComprehension(term: Term & { kind: "object-comprehension" }, scope: Scope): Get {
    const site: Site = { file: this.#file, at: term.at };
    const step = this.body(term.body, scope, (bound) => {
      const getKey = compileTerm(term.key, bound);
      const getValue = compileTerm(term.value, bound);
      return (m, s) => {
        const key = getKey(m, s);
        const value = getValue(m, s);
        if (key === undefined || value === undefined) return false;
        const id = mapKey(key);
        const known = m.members.get(id);
        if (known === undefined) m.members.set(id, { key, value });
        else if (!equalValues(known.value, value)) {
          throw new EvaluationFailure("eval_conflict_error", "object keys must be unique", site);
        }
        return false;
      };
    });
    return (m, s) => {
      const outer = m.members;
      const members = new Map<MapKey, Member>();
      m.members = members;
      step(m, s);
      m.members = outer;
      return RegoObject.own(members);
    };
  }

  #modifiers(modifiers: readonly With[], scope: Scope, site: Site): (m: Machine, s: Slots) => Surroundings | undefined {
    const changes = modifiers.map((modifier) => this.#modifier(modifier, scope, site));
    return (m, s) => {
      // Rules that depend on what is replaced have to be asked anew.
      let changed: Surroundings | undefined = { ...m.surroundings(), results: [], parts: undefined };
      for (const change of changes) changed = changed === undefined ? undefined : change(m, s, changed);
      return changed;
    };
  }

  #modifier(modifier: With, scope: Scope, site: Site): (m: Machine, s: Slots, before: Surroundings) => Surroundings | undefined {
    const { target, value } = modifier;
    const replacement = this.#replacement(modifier, site);
    if (replacement !== undefined) return replacement;
    const get = value.kind === "ref" ? this.#single(value, scope) : compileTerm(value, scope);
    const functionTarget = this.#functionTarget(modifier);
    if (functionTarget !== undefined) {
      return (m, s, before) => {
        const result = get(m, s);
        return result === undefined ? undefined : withReplacement(before, functionTarget, { kind: "value", value: result });
      };
    }
    const path = (target.kind === "ref" ? target.path : []).map((step) => compileTerm(step, scope));
    const isData = dataPath(target) !== undefined;
    return (m, s, before) => {
      const result = get(m, s);
      if (result === undefined) return undefined;
      const keys: Value[] = [];
      for (const step of path) {
        const key = step(m, s);
        if (key === undefined) return undefined;
        keys.push(key);
      }
      if (!isData) return { ...before, input: withValueAt(before.input, keys, result) };
      const base = withValueAt(before.base, keys, result);
      if (!(base instanceof RegoObject)) return undefined;
      return { ...before, base, targets: [...(before.targets ?? []), keys] };
    };
  }

  #single(ref: RefTerm, scope: Scope): Get {
    const reference = this.reference(ref, scope);
    if (reference.kind === "many") throw new Error("with value of many values");
    return reference.get;
  }

  /** The function that a modifier replaces, if it is one. */
  #functionTarget({ target }: With): string | undefined {
    const name = functionName(target);
    const path = dataPath(target);
    if (target.kind === "ref" && target.head.kind === "var" && target.head.name === "input") return undefined;
    if (path === undefined) return name;
    return this.#ruleArity(target) === undefined ? undefined : name;
  }

  #ruleArity(term: Term): number | undefined {
    let node: DataNode | undefined = this.#root();
    for (const step of dataPath(term) ?? []) node = step.kind === "scalar" ? node?.child(step.value) : undefined;
    return node?.rules?.arity;
  }

  /** `with f as g`, where `g` is a function. */
  #replacement(modifier: With, site: Site): ((m: Machine, s: Slots, before: Surroundings) => Surroundings) | undefined {
    const { value } = modifier;
    const name = this.#functionTarget(modifier);
    if (name === undefined || value.kind !== "ref") return undefined;
    const isFunction =
      dataPath(value) === undefined
        ? value.head.kind === "var" && !isDocument(value.head.name)
        : this.#ruleArity(value) !== undefined;
    if (!isFunction) return undefined;
    const fn = functionOf(value, this.#root(), site);
    const replacement: Replacement = { kind: "function", call: fn.call };
    return (_m, _s, before) => withReplacement(before, name, replacement);
  }
}

/** Adds to the set that is collected. */
export function addTo(m: Machine, value: Value): void {
  m.set ??= RegoSet.draft();
  m.set.add(value);
}

function isDocument(name: string): boolean {
  return name === "input" || name === "data" || name.startsWith("__local");
}

function withReplacement(before: Surroundings, name: string, replacement: Replacement): Surroundings {
  const replaced = new Map(before.replaced);
  replaced.set(name, replacement);
  return { ...before, replaced };
}

/** Evaluates an expression in changed surroundings, and what comes after it in those from before. */
function withLink(change: (m: Machine, s: Slots) => Surroundings | undefined, link: Link): Link {
  return (next) => {
    const inside = link((m, s) => {
      const inner = m.surroundings();
      const outer = m.left?.pop() ?? inner;
      m.enter(outer);
      const stop = next(m, s);
      m.enter(inner);
      m.left?.push(outer);
      return stop;
    });
    return (m, s) => {
      const inner = change(m, s);
      if (inner === undefined) return false;
      const outer = m.surroundings();
      m.left ??= [];
      m.left.push(outer);
      m.enter(inner);
      const stop = inside(m, s);
      m.enter(outer);
      m.left.pop();
      return stop;
    };
  };
}
