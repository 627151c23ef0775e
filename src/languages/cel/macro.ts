import {
  accumulator,
  type CallExpr,
  type Expr,
  type FoldExpr,
  type IdentExpr,
  type ListExpr,
  type LiteralExpr,
  type MapEntry,
  type MapExpr,
  type SelectExpr,
} from "./ast.ts";
import { boolType, type CelType, intType } from "./types.ts";
import type { CelValue } from "./values/value.ts";

/** Why a call that matches a macro cannot be expanded, and which argument is to blame. */
export class MacroError {
  readonly message: string;
  readonly exprId: number;

  constructor(at: Expr, message: string) {
    this.exprId = at.id;
    this.message = message;
  }
}

/** A call that the parser rewrites. */
export interface Macro {
  readonly name: string;
  /** `target.name(...)` rather than `name(...)`. */
  readonly receiver: boolean;
  readonly argCount: number | "any";
  /** Undefined: not this macro's call after all (its namespace does not match). */
  expand(build: MacroBuilder, target: Expr, args: readonly Expr[]): Expr | MacroError | undefined;
}

export function macroKey(name: string, argCount: number | "any", receiver: boolean): string {
  return `${name}:${argCount}:${receiver}`;
}

export interface FoldParts {
  readonly range: Expr;
  readonly iterVar: string;
  readonly iterVar2?: string;
  readonly accuVar?: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** Makes the nodes of an expansion; all but copies stand where the macro's call stands. */
export class MacroBuilder {
  readonly #nextId: (copied?: Expr) => number;

  constructor(nextId: (copied?: Expr) => number) {
    this.#nextId = nextId;
  }

  literal(value: CelValue, type: CelType): LiteralExpr {
    return { kind: "literal", id: this.#nextId(), value, type };
  }

  bool(value: boolean): LiteralExpr {
    return this.literal(value, boolType);
  }

  int(value: number): LiteralExpr {
    return this.literal(value, intType);
  }

  ident(name: string): IdentExpr {
    return { kind: "ident", id: this.#nextId(), name };
  }

  accu(): IdentExpr {
    return this.ident(accumulator);
  }

  call(name: string, ...args: readonly Expr[]): CallExpr {
    return { kind: "call", id: this.#nextId(), function: name, target: undefined, args };
  }

  memberCall(name: string, target: Expr, ...args: readonly Expr[]): CallExpr {
    return { kind: "call", id: this.#nextId(), function: name, target, args };
  }

  list(...elements: readonly Expr[]): ListExpr {
    return { kind: "list", id: this.#nextId(), elements, optional: new Set() };
  }

  map(...entries: readonly MapEntry[]): MapExpr {
    return { kind: "map", id: this.#nextId(), entries };
  }

  presence(select: SelectExpr): SelectExpr {
    return { ...select, id: this.#nextId(), test: true };
  }

  fold(parts: FoldParts): FoldExpr {
    return { kind: "fold", id: this.#nextId(), iterVar2: "", accuVar: accumulator, ...parts };
  }

  /** `accuVar = init` within `result`. */
  bind(name: string, init: Expr, result: Expr): FoldExpr {
    const condition = this.bool(false);
    const parts = { range: this.list(), iterVar: "#unused", accuVar: name, init, condition, step: this.ident(name), result };
    return this.fold(parts);
  }

  /** The same expression with ids of its own. */
  copy(expr: Expr): Expr {
    const id = this.#nextId(expr);
    switch (expr.kind) {
      case "literal":
      case "ident":
        return { ...expr, id };
      case "select":
        return { ...expr, id, operand: this.copy(expr.operand) };
      case "call": {
        const target = expr.target === undefined ? undefined : this.copy(expr.target);
        return { ...expr, id, target, args: expr.args.map((arg) => this.copy(arg)) };
      }
      case "list":
        return { ...expr, id, elements: expr.elements.map((element) => this.copy(element)) };
      case "map":
        return { ...expr, id, entries: expr.entries.map((e) => ({ ...e, key: this.copy(e.key), value: this.copy(e.value) })) };
      case "struct":
        return { ...expr, id, fields: expr.fields.map((field) => ({ ...field, value: this.copy(field.value) })) };
      case "fold":
        return {
          ...expr,
          id,
          range: this.copy(expr.range),
          init: this.copy(expr.init),
          condition: this.copy(expr.condition),
          step: this.copy(expr.step),
          result: this.copy(expr.result),
        };
    }
  }
}

/** The name of an argument that has to be a variable. */
export function variableName(arg: Expr | undefined): string | undefined {
  return arg?.kind === "ident" ? arg.name : undefined;
}

/** Whether `target` is the plain name of a namespace: `math` in `math.least(...)`. */
export function isNamespace(target: Expr, namespace: string): boolean {
  return target.kind === "ident" && target.name === namespace;
}
