import type { CelType } from "./types.ts";
import type { CelValue } from "./values/value.ts";

/** Nodes of a parsed expression. Ids are dense, from 1; {@link ParsedExpression} knows where each stands in the source. */
export type Expr = LiteralExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | FoldExpr;

export interface LiteralExpr {
  readonly kind: "literal";
  readonly id: number;
  readonly value: CelValue;
  readonly type: CelType;
}

export interface IdentExpr {
  readonly kind: "ident";
  readonly id: number;
  /** A leading dot asks for the root namespace. */
  readonly name: string;
}

export interface SelectExpr {
  readonly kind: "select";
  readonly id: number;
  readonly operand: Expr;
  readonly field: string;
  /** `has(operand.field)` */
  readonly test: boolean;
}

export interface CallExpr {
  readonly kind: "call";
  readonly id: number;
  readonly function: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface ListExpr {
  readonly kind: "list";
  readonly id: number;
  readonly elements: readonly Expr[];
  /** Indexes of elements written `?x`. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry {
  readonly id: number;
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapExpr {
  readonly kind: "map";
  readonly id: number;
  readonly entries: readonly MapEntry[];
}

export interface StructField {
  readonly id: number;
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface StructExpr {
  readonly kind: "struct";
  readonly id: number;
  readonly typeName: string;
  readonly fields: readonly StructField[];
}

/** What macros expand to: `accu = init; for iterVar in range while condition: accu = step; result`. */
export interface FoldExpr {
  readonly kind: "fold";
  readonly id: number;
  readonly iterVar: string;
  /** Second variable (value) of two-variable macros; empty without. */
  readonly iterVar2: string;
  readonly range: Expr;
  readonly accuVar: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** Names that cel-go gives operators; expressions cannot spell them. */
export const operators = {
  conditional: "_?_:_",
  and: "_&&_",
  or: "_||_",
  not: "!_",
  negate: "-_",
  equals: "_==_",
  notEquals: "_!=_",
  less: "_<_",
  lessEquals: "_<=_",
  greater: "_>_",
  greaterEquals: "_>=_",
  add: "_+_",
  subtract: "_-_",
  multiply: "_*_",
  divide: "_/_",
  modulo: "_%_",
  index: "_[_]",
  optionalIndex: "_[?_]",
  optionalSelect: "_?._",
  in: "@in",
  notStrictlyFalse: "@not_strictly_false",
} as const;

/** The accumulator of the standard macros. */
export const accumulator = "@result";

/** Whether the fold binds a variable: it runs no loop and may leave its initialiser unevaluated. */
export function isBinding(fold: FoldExpr): boolean {
  return (
    fold.range.kind === "list" &&
    fold.range.elements.length === 0 &&
    fold.condition.kind === "literal" &&
    fold.condition.value === false &&
    fold.accuVar !== accumulator
  );
}

export interface ParsedExpression {
  readonly source: string;
  readonly root: Expr;
  /** Offset (UTF-16 units) by expression id. */
  readonly offsets: readonly number[];
}
