import type { Expr, RefTerm, Term } from "../ast.ts";
import { printPath, printTerm } from "../compile/print-term.ts";
import { visitTerms } from "../syntax/visit.ts";
import { compareValues } from "../values/compare.ts";
import { printValue } from "../values/print.ts";
import type { Value } from "../values/value.ts";
import { isEmptyCollection, keysOf, selectType, valuesOf } from "./operations.ts";
import { printArguments, printType } from "./print-type.ts";
import { anyType, stringType, type Type, unknownType } from "./type.ts";
import type { TypeEnv, TypeTree } from "./type-env.ts";
import { unifies, unifyTerm } from "./unify.ts";

/** Refuses references to what cannot be there. */
export class ReferenceChecker {
  readonly #env: TypeEnv;
  readonly #nameOf: (name: string) => string;

  constructor(env: TypeEnv, nameOf: (name: string) => string) {
    this.#env = env;
    this.#nameOf = nameOf;
  }

  /** What is wrong with the references of an expression, those in comprehensions left out. */
  check(expr: Expr): readonly { readonly term: Term; readonly message: string }[] {
    const found: { readonly term: Term; readonly message: string }[] = [];
    const visit = (term: Term): boolean => {
      if (term.kind.endsWith("comprehension")) return false;
      if (term.kind !== "ref") return true;
      const message = this.#checkFunction(term) ?? this.#checkTree(this.#env, term);
      if (message !== undefined) found.push({ term, message });
      for (const step of term.path) visitTerms(step, visit);
      return false;
    };
    const visitExpr = (inner: Expr): void => {
      switch (inner.kind) {
        case "term-expr":
          visitTerms(inner.term, visit);
          break;
        case "call-expr":
          for (const arg of inner.args) visitTerms(arg, visit);
          break;
        case "every":
          visitTerms(inner.domain, visit);
          inner.body.forEach(visitExpr);
          break;
        case "not":
          inner.body.forEach(visitExpr);
          break;
        case "and":
        case "or":
          inner.left.forEach(visitExpr);
          inner.right.forEach(visitExpr);
          break;
        default:
      }
    };
    visitExpr(expr);
    return found;
  }

  #print(ref: RefTerm): string {
    return printPath(printTerm(ref.head, this.#nameOf), ref.path, this.#nameOf);
  }

  #checkFunction(ref: RefTerm): string | undefined {
    const type = this.#env.typeOf(ref);
    if (type.kind !== "function") return undefined;
    return `function ${this.#print(ref)} used as reference, not called\n\t${this.#print(ref)}\n\t${"^".repeat(this.#print(ref).length)}\n\thave: ${printArguments(type)}`;
  }

  #undefined(ref: RefTerm, position: number, have: Type | undefined, want: Type | undefined, oneOf: readonly Value[]): string {
    const text = this.#print(ref);
    const before = printPath(printTerm(ref.head, this.#nameOf), ref.path.slice(0, Math.max(0, position - 1)), this.#nameOf);
    const pad = " ".repeat(before.length + 1);
    const step = ref.path[position - 1];
    const has =
      have === undefined ? `have: ${step === undefined ? "" : printTerm(step, this.#nameOf)}` : `have (type): ${printType(have)}`;
    const wants =
      oneOf.length > 0
        ? `want (one of): [${oneOf.map(printValue).join(" ")}]`
        : want === undefined
          ? "want (one of): []"
          : `want (type): ${printType(want)}`;
    return `undefined ref: ${text}\n\t${text}\n\t${pad}^\n\t${pad}${has}\n\t${pad}${wants}`;
  }

  #unsupported(ref: RefTerm, position: number, have: Type): string {
    const text = this.#print(ref);
    const before = printPath(printTerm(ref.head, this.#nameOf), ref.path.slice(0, position), this.#nameOf);
    return `undefined ref: ${text}\n\t${text}\n\t${"^".repeat(before.length)}\n\thave: ${printType(have)}`;
  }

  /** Follows a reference through the documents that are known; `position` 0 is its head. */
  #checkTree(env: TypeEnv, ref: RefTerm): string | undefined {
    if (ref.head.kind !== "var") return this.#checkBase(ref, 1);
    const { name } = ref.head;
    const node = env.tree.child(name);
    if (node === undefined) {
      if (env.next !== undefined) return this.#checkTree(env.next, ref);
      // A variable that something is looked up in is a collection of whatever.
      if (name !== "input" && name !== "data") this.#env.setVariable(name, anyType);
      return this.#checkValue(anyType, ref, 1);
    }
    return node.type === undefined ? this.#checkNode(env, node, ref, 1) : this.#checkValue(node.type, ref, 1);
  }

  #checkNode(env: TypeEnv, node: TypeTree, ref: RefTerm, position: number): string | undefined {
    const step = ref.path[position - 1];
    if (step === undefined) return undefined;
    if (position <= 2 && step.kind !== "var" && !(step.kind === "scalar" && typeof step.value === "string")) {
      return this.#undefined(ref, position, this.#env.typeOf(step), stringType, childKeys(node));
    }
    if (step.kind === "var") {
      const keys = keysOf(node.extent()) ?? unknownType;
      const known = this.#env.typeOfVariable(step.name);
      if (known.kind === "unknown") this.#env.setVariable(step.name, keys);
      else if (!unifies(keys, known)) return this.#undefined(ref, position, known, keys, childKeys(node));
      // It may be any of the documents here.
      return this.#checkBase(ref, position + 1);
    }
    const child = step.kind === "scalar" ? node.child(step.value) : undefined;
    if (child === undefined) return env.next === undefined ? this.#checkBase(ref, position) : this.#checkTree(env.next, ref);
    if (child.type !== undefined) return this.#checkValue(child.type, ref, position + 1);
    return this.#checkNode(env, child, ref, position + 1);
  }

  /** Base documents may hold anything. */
  #checkBase(ref: RefTerm, position: number): undefined {
    for (const step of ref.path.slice(position - 1)) unifyTerm(this.#env, step, anyType);
    return undefined;
  }

  #checkValue(type: Type, ref: RefTerm, position: number): string | undefined {
    const step = ref.path[position - 1];
    if (step === undefined) return undefined;
    if (isEmptyCollection(type)) return this.#checkEmpty(type, step, ref, position);
    const keys = keysOf(type);
    if (keys === undefined) return this.#unsupported(ref, position - 1, type);
    switch (step.kind) {
      case "var": {
        const known = this.#env.typeOfVariable(step.name);
        if (known.kind === "unknown") this.#env.setVariable(step.name, keys);
        else if (!unifies(known, keys)) return this.#undefined(ref, position, known, keys, oneOf(type));
        break;
      }
      case "array":
      case "object":
      case "set":
        if (!unifyTerm(this.#env, step, keys)) return this.#undefined(ref, position, this.#env.typeOf(step), keys, []);
        break;
      case "scalar": {
        const child = selectType(type, step.value);
        if (child.kind === "unknown") return this.#undefined(ref, position, undefined, keys, oneOf(type));
        return this.#checkValue(child, ref, position + 1);
      }
      default:
    }
    return this.#checkValue(valuesOf(type), ref, position + 1);
  }

  #checkEmpty(type: Type, step: Term, ref: RefTerm, position: number): string | undefined {
    if (step.kind === "scalar") return this.#undefined(ref, position, undefined, undefined, []);
    if (step.kind !== "var") return undefined;
    const known = this.#env.typeOfVariable(step.name);
    const keys = keysOf(type);
    if (known.kind === "unknown") this.#env.setVariable(step.name, anyType);
    else if (keys !== undefined && !unifies(known, keys)) return this.#undefined(ref, position, known, keys, []);
    return undefined;
  }
}

function childKeys(node: TypeTree): readonly Value[] {
  return [...node.children()].map((child) => child.key).sort(compareValues);
}

/** The keys that a type allows, where they are known. */
function oneOf(type: Type): readonly Value[] {
  if (type.kind === "object") return type.fixed.map(([key]) => key);
  return type.kind === "any" ? type.of.flatMap(oneOf) : [];
}
