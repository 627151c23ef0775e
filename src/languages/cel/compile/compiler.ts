import type { Expr } from "../ast.ts";
import type { FoldVariables, LocalVariable, Reference, TypedExpression } from "../checker.ts";
import type { Env } from "../env.ts";
import type { CelIssue } from "../issue.ts";
import type { CelType } from "../types.ts";
import { dynType } from "../types.ts";
import { type CelValue, TypeValue } from "../values/value.ts";
import { compileIdent, compileIndex, compileSelect } from "./attributes.ts";
import { compileCall } from "./calls.ts";
import { compileList, compileMap, compileStruct } from "./constructors.ts";
import { compileFold } from "./folds.ts";
import type { Eval } from "./frame.ts";

/** A compiled node. */
export interface Node {
  readonly id: number;
  /** The value, with all that it costs. */
  readonly eval: Eval;
  /** The value without the cost of having looked it up, for nodes that go on from here (`.field`, `[index]`, `? :`). */
  readonly resolve?: Eval;
  /** The value where it is known now; such nodes cost nothing. */
  readonly constant?: { readonly value: CelValue };
}

/** Thrown where an expression that checks cannot be made a program: a constant that does not convert, a bad pattern. */
export class ProgramFailure {
  readonly issue: CelIssue;

  constructor(issue: CelIssue) {
    this.issue = issue;
  }
}

/** Where a variable of a macro lives; `init` where it is computed when it is first read. */
export interface Slot {
  readonly index: number;
  readonly init?: Eval;
}

/** Turns a resolved expression into closures. */
export class Compiler {
  readonly env: Env;
  readonly #typed: TypedExpression;
  readonly #slots = new Map<LocalVariable, Slot>();

  constructor(typed: TypedExpression, env: Env) {
    this.#typed = typed;
    this.env = env;
  }

  compile(expr: Expr): Node {
    switch (expr.kind) {
      case "literal":
        return constantNode(expr.id, expr.value);
      case "ident":
        return compileIdent(expr, this);
      case "select":
        return this.reference(expr.id) === undefined ? compileSelect(expr, this) : compileIdent(expr, this);
      case "call":
        return compileIndex(expr, this) ?? compileCall(expr, this);
      case "list":
        return compileList(expr, this);
      case "map":
        return compileMap(expr, this);
      case "struct":
        return compileStruct(expr, this);
      case "fold":
        return compileFold(expr, this);
    }
  }

  type(expr: Expr): CelType {
    return this.#typed.types[expr.id] ?? dynType;
  }

  reference(id: number): Reference | undefined {
    return this.#typed.references[id];
  }

  foldVariables(id: number): FoldVariables {
    const variables = this.#typed.folds[id];
    if (variables === undefined) throw new Error("a fold was not resolved");
    return variables;
  }

  /** Gives a variable of a macro its place in the frame. */
  declare(variable: LocalVariable, init?: Eval): number {
    const index = this.#slots.size;
    this.#slots.set(variable, init === undefined ? { index } : { index, init });
    return index;
  }

  slot(variable: LocalVariable): Slot {
    const slot = this.#slots.get(variable);
    if (slot === undefined) throw new Error(`variable ${variable.name} is used outside its macro`);
    return slot;
  }

  fail(exprId: number, message: string): never {
    const offset = this.#typed.offsets[exprId] ?? -1;
    throw new ProgramFailure({ code: "CEL_PROGRAM", message, offset, length: 1 });
  }
}

export function constantNode(id: number, value: CelValue): Node {
  return { id, eval: () => value, constant: { value } };
}

/** The value that a name for a type stands for. */
export function typeValue(type: CelType): TypeValue {
  return new TypeValue(type);
}
