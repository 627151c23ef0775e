import type { RegoNumber } from "./values/number.ts";

/** Where a piece of a module stands. `offset` and `end` count UTF-16 units from 0, `line` and `column` from 1. */
export interface Place {
  readonly offset: number;
  readonly end: number;
  readonly line: number;
  /** In code points. */
  readonly column: number;
}

interface Node {
  readonly at: Place;
}

export interface ScalarTerm extends Node {
  readonly kind: "scalar";
  readonly value: null | boolean | number | string | RegoNumber;
}

/** A variable; each `_` of the source has a name of its own that begins with `$`. */
export interface VarTerm extends Node {
  readonly kind: "var";
  readonly name: string;
}

/** `head.a[b]`; `input` and `data` alone are references without path. */
export interface RefTerm extends Node {
  readonly kind: "ref";
  readonly head: Term;
  readonly path: readonly Term[];
}

export interface ArrayTerm extends Node {
  readonly kind: "array";
  readonly items: readonly Term[];
}

export interface SetTerm extends Node {
  readonly kind: "set";
  readonly items: readonly Term[];
}

export interface ObjectTerm extends Node {
  readonly kind: "object";
  readonly members: readonly (readonly [key: Term, value: Term])[];
}

/** A call inside an expression; infix operators are calls of `plus`, `lt`, `internal.member_2` and so on. */
export interface CallTerm extends Node {
  readonly kind: "call";
  readonly operator: VarTerm | RefTerm;
  readonly args: readonly Term[];
}

export interface ListComprehension extends Node {
  readonly kind: "array-comprehension" | "set-comprehension";
  readonly term: Term;
  readonly body: Body;
}

export interface ObjectComprehension extends Node {
  readonly kind: "object-comprehension";
  readonly key: Term;
  readonly value: Term;
  readonly body: Body;
}

/** `$"...{expression}..."`; text parts are scalars. */
export interface TemplateTerm extends Node {
  readonly kind: "template";
  readonly raw: boolean;
  readonly parts: readonly (ScalarTerm | Expr)[];
}

export type Term =
  | ScalarTerm
  | VarTerm
  | RefTerm
  | ArrayTerm
  | SetTerm
  | ObjectTerm
  | CallTerm
  | ListComprehension
  | ObjectComprehension
  | TemplateTerm;

export interface With extends Node {
  readonly target: VarTerm | RefTerm;
  readonly value: Term;
}

interface ExprBase extends Node {
  readonly with: readonly With[];
  readonly negated: boolean;
  /** Made by the compiler; `negated` calls among them have their result as last argument. */
  readonly generated?: boolean | undefined;
}

/** A term that must be defined and not false. */
export interface TermExpr extends ExprBase {
  readonly kind: "term-expr";
  readonly term: Term;
}

/** A call; one argument more than the function has takes the result. `=` and `:=` are calls of `eq` and `assign`. */
export interface CallExpr extends ExprBase {
  readonly kind: "call-expr";
  readonly operator: VarTerm | RefTerm;
  readonly args: readonly Term[];
  /** An `eq` that was written `:=`. */
  readonly assignment?: boolean | undefined;
}

export interface SomeExpr extends ExprBase {
  readonly kind: "some";
  readonly names: readonly VarTerm[];
}

export interface SomeInExpr extends ExprBase {
  readonly kind: "some-in";
  readonly key: Term | undefined;
  readonly value: Term;
  readonly domain: Term;
}

export interface EveryExpr extends ExprBase {
  readonly kind: "every";
  readonly key: VarTerm | undefined;
  readonly value: VarTerm;
  readonly domain: Term;
  readonly body: Body;
}

/** `not` where `future.keywords.not` makes its operand a query of its own. */
export interface NotExpr extends ExprBase {
  readonly kind: "not";
  readonly body: Body;
  /** Written with braces. */
  readonly explicit: boolean;
}

export interface LogicalExpr extends ExprBase {
  readonly kind: "and" | "or";
  readonly left: Body;
  readonly right: Body;
  readonly explicitLeft: boolean;
  readonly explicitRight: boolean;
}

export type Expr = TermExpr | CallExpr | SomeExpr | SomeInExpr | EveryExpr | NotExpr | LogicalExpr;

export type Body = readonly Expr[];

export interface Head extends Node {
  /** The rule's name and what follows it: `p`, `p.q[x]`. */
  readonly ref: readonly [VarTerm, ...Term[]];
  readonly args: readonly Term[];
  /** Of `p contains key` and `p[key]`. */
  readonly key: Term | undefined;
  /** Undefined: a partial set. */
  readonly value: Term | undefined;
  readonly assign: boolean;
  /** The value `true` was not written. */
  readonly generatedValue: boolean;
  readonly usesIf: boolean;
  readonly usesContains: boolean;
}

export interface Rule extends Node {
  readonly isDefault: boolean;
  readonly head: Head;
  readonly body: Body;
  readonly generatedBody: boolean;
  readonly otherwise: Rule | undefined;
}

export interface Import extends Node {
  readonly path: RefTerm;
  readonly alias: string | undefined;
}

export interface Package extends Node {
  /** Without `data`. */
  readonly path: readonly string[];
}

export interface Comment extends Node {
  /** Without the `#`. */
  readonly text: string;
}

/** How far a module follows Rego v1: its own version, raised by `import rego.v1` and `import rego.v2`. */
export type RegoVersion = 0 | 1 | 2;

export interface Module {
  readonly file: string;
  readonly source: string;
  readonly version: RegoVersion;
  readonly package: Package;
  readonly imports: readonly Import[];
  readonly rules: readonly Rule[];
  readonly comments: readonly Comment[];
}
