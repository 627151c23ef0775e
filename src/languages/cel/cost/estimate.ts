import { accumulator, type CallExpr, type Expr, type FoldExpr, isBinding, type ListExpr, type MapExpr } from "../ast.ts";
import type { Reference, TypedExpression } from "../checker.ts";
import type { Env } from "../env.ts";
import { type CelType, dynType } from "../types.ts";
import { estimateCall } from "./estimate-call.ts";
import { baseCosts } from "./model.ts";
import {
  addRanges,
  type CallEstimate,
  type EntrySize,
  type EstimateContext,
  fixed,
  literalSize,
  maxUint64,
  multiplyRanges,
  type Range,
  type SizedNode,
  type SizeEstimator,
  typeSize,
  uniteRanges,
  unknownRange,
  zero,
} from "./size.ts";

/** Knows no sizes. */
const noSizes: SizeEstimator = { sizeOf: () => undefined };

/**
 * The range in which the cost of evaluating an expression lies, whatever its variables hold, as cel-go's checker.Cost has it.
 * @param estimator bounds of what variables hold
 */
export function estimateCost(
  typed: TypedExpression,
  env: Env,
  estimator: SizeEstimator = noSizes,
  presenceTestCosts = true,
): Range {
  return new Coster(typed, env, estimator, presenceTestCosts).cost(typed.root);
}

/** What is known of a variable of a macro. */
interface LocalSize {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entry: EntrySize | undefined;
}

const one = fixed(1);
/** Unites to whatever it is united with. */
const nothing: Range = { min: maxUint64, max: 0n };

class Coster implements EstimateContext {
  readonly #typed: TypedExpression;
  readonly #env: Env;
  readonly #estimator: SizeEstimator;
  readonly #presence: Range;
  readonly #paths: (readonly string[] | undefined)[] = [];
  readonly #sizes: (Range | undefined)[] = [];
  readonly #entries: (EntrySize | undefined)[] = [];
  readonly #locals = new Map<string, LocalSize[]>();

  constructor(typed: TypedExpression, env: Env, estimator: SizeEstimator, presenceTestCosts: boolean) {
    this.#typed = typed;
    this.#env = env;
    this.#estimator = estimator;
    this.#presence = presenceTestCosts ? one : zero;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "literal":
        return zero;
      case "ident":
        return this.#ident(expr, expr.name);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return addRanges(...expr.fields.map((field) => this.cost(field.value)), fixed(baseCosts.struct));
      case "fold":
        return isBinding(expr) ? this.#binding(expr) : this.#fold(expr);
    }
  }

  sizeOf(node: SizedNode): Range {
    return node.size ?? this.#estimator.sizeOf(node) ?? unknownRange;
  }

  #reference(expr: Expr): Reference | undefined {
    return this.#typed.references[expr.id];
  }

  #type(expr: Expr): CelType {
    return this.#typed.types[expr.id] ?? dynType;
  }

  #local(written: string): LocalSize | undefined {
    const name = this.#env.options.dottedLocals ? written.replace(/^\./, "") : written;
    return this.#locals.get(name)?.at(-1);
  }

  #push(name: string, local: LocalSize): void {
    const stack = this.#locals.get(name) ?? [];
    stack.push(local);
    this.#locals.set(name, stack);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #path(expr: Expr): readonly string[] {
    const local = expr.kind === "ident" ? this.#local(expr.name) : undefined;
    return local?.path ?? this.#paths[expr.id] ?? [];
  }

  #ident(expr: Expr, name: string): Range {
    const reference = this.#reference(expr);
    const global = reference?.kind === "variable" ? reference.name : name;
    this.#paths[expr.id] = this.#local(name)?.path ?? [global];
    return one;
  }

  #select(expr: Extract<Expr, { kind: "select" }>): Range {
    if (this.#reference(expr) !== undefined) return this.#ident(expr, expr.field);
    const operand = this.cost(expr.operand);
    if (expr.test) return addRanges(this.#presence, operand);
    this.#paths[expr.id] = [...this.#path(expr.operand), expr.field];
    const counts = ["map", "struct", "param"].includes(this.#type(expr.operand).kind);
    return counts ? addRanges(operand, one) : operand;
  }

  #node(expr: Expr): SizedNode {
    const path = this.#path(expr);
    return { path: path[0] === accumulator ? undefined : path, type: this.#type(expr), expr, size: this.#size(expr) };
  }

  #call(expr: CallExpr): Range {
    const [first] = expr.args;
    if (expr.function === "dyn" && first !== undefined) {
      const cost = addRanges(this.cost(first), one);
      this.#copySizes(expr, first);
      return cost;
    }
    const costs: Range[] = [];
    const args: SizedNode[] = [];
    for (const arg of expr.args) {
      costs.push(this.cost(arg));
      args.push(this.#node(arg));
    }
    const reference = this.#reference(expr);
    if (reference?.kind !== "function") return zero;
    const receiver = reference.receiver ? expr.target : undefined;
    const targetCost = receiver === undefined ? zero : this.cost(receiver);
    const target = receiver === undefined ? undefined : this.#node(receiver);
    let cost = nothing;
    let size: Range | undefined;
    for (const overload of reference.overloads) {
      const argCost = addRanges(...costs);
      const own =
        overload.estimate?.(this, target, args) ??
        this.#env.options.costModel?.estimates.get(reference.declaration.name)?.(overload.id, target, args, this);
      const estimate: CallEstimate =
        own === undefined
          ? estimateCall({ overload: overload.id, target, args, costs, rules: this.#env.options.costRules })
          : { ...own, cost: addRanges(own.cost, argCost) };
      if (own === undefined) this.#setEntry(expr, this.#combinedEntry(overload.id, expr.args));
      cost = uniteRanges(cost, estimate.cost);
      if (estimate.resultSize !== undefined) {
        size = size === undefined ? estimate.resultSize : uniteRanges(size, estimate.resultSize);
      }
      if (first !== undefined && (overload.id === "index_list" || overload.id === "index_map")) {
        size = this.#entry(first)?.value;
        this.#paths[expr.id] = [...this.#path(first), overload.id === "index_list" ? "@items" : "@values"];
      }
      size ??= this.#size(expr);
    }
    this.#setSize(expr, size);
    return addRanges(targetCost, cost);
  }

  /** The entries of what a conditional or concatenation gives. */
  #combinedEntry(overload: string, args: readonly Expr[]): EntrySize | undefined {
    const parts =
      overload === "conditional" ? args.slice(1) : ["add_string", "add_bytes", "add_list"].includes(overload) ? args : [];
    const [a, b] = parts.map((part) => this.#entry(part));
    if (a === undefined || b === undefined) return undefined;
    return { container: a.container, key: uniteRanges(a.key, b.key), value: uniteRanges(a.value, b.value) };
  }

  #list(expr: ListExpr): Range {
    let sum = zero;
    let value = expr.elements.length === 0 ? zero : nothing;
    for (const element of expr.elements) {
      sum = addRanges(sum, this.cost(element));
      value = uniteRanges(value, this.#size(element) ?? unknownRange);
    }
    this.#setEntry(expr, { container: "list", key: one, value });
    return addRanges(sum, fixed(baseCosts.list));
  }

  #map(expr: MapExpr): Range {
    let sum = zero;
    let key = expr.entries.length === 0 ? zero : nothing;
    let value = key;
    for (const entry of expr.entries) {
      sum = addRanges(sum, this.cost(entry.key), this.cost(entry.value));
      key = uniteRanges(key, this.#size(entry.key) ?? unknownRange);
      value = uniteRanges(value, this.#size(entry.value) ?? unknownRange);
    }
    this.#setEntry(expr, { container: "map", key, value });
    return addRanges(sum, fixed(baseCosts.map));
  }

  #binding(expr: FoldExpr): Range {
    const before = addRanges(this.cost(expr.range), this.cost(expr.init));
    this.#pushAccu(expr);
    const result = this.cost(expr.result);
    this.#pop(expr.accuVar);
    this.#copySizes(expr, expr.result);
    return addRanges(before, result);
  }

  #pushAccu(expr: FoldExpr): void {
    const { init } = expr;
    this.#push(expr.accuVar, { path: this.#path(init), entry: this.#entry(init), size: this.#size(init) });
  }

  #fold(expr: FoldExpr): Range {
    const before = addRanges(this.cost(expr.range), this.cost(expr.init));
    this.#pushAccu(expr);
    this.#pushIteration(expr);
    const turn = addRanges(this.cost(expr.condition), this.cost(expr.step));
    this.#pop(expr.iterVar);
    if (expr.iterVar2 !== "") this.#pop(expr.iterVar2);
    const result = this.cost(expr.result);
    this.#pop(expr.accuVar);
    const turns = this.#size(expr.range) ?? unknownRange;
    if (expr.init.kind === "literal") this.#setSize(expr, this.#size(expr.init));
    if (expr.init.kind === "list" || expr.init.kind === "map") {
      this.#setSize(expr, turns);
      this.#setEntry(expr, this.#entry(expr.step));
    }
    return addRanges(before, result, multiplyRanges(turns, turn));
  }

  #pushIteration(expr: FoldExpr): void {
    const entry = this.#entry(expr.range);
    const container = entry?.container ?? this.#type(expr.range).kind;
    const path = this.#path(expr.range);
    const isList = container === "list";
    const key = { path: [...path, isList ? "@indices" : "@keys"], size: entry?.key, entry: undefined };
    const value = { path: [...path, isList ? "@items" : "@values"], size: entry?.value, entry: undefined };
    const single = expr.iterVar2 === "";
    this.#push(expr.iterVar, single && isList ? value : key);
    if (!single) this.#push(expr.iterVar2, value);
  }

  #setSize(expr: Expr, size: Range | undefined): void {
    if (size !== undefined) this.#sizes[expr.id] = size;
  }

  #setEntry(expr: Expr, entry: EntrySize | undefined): void {
    if (entry !== undefined) this.#entries[expr.id] = entry;
  }

  #copySizes(to: Expr, from: Expr): void {
    this.#setSize(to, this.#size(from));
    this.#setEntry(to, this.#entry(from));
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes[expr.id] ?? literalSize(expr);
    if (known !== undefined) return known;
    const estimated = this.#estimator.sizeOf({ path: this.#path(expr), type: this.#type(expr), expr, size: undefined });
    if (estimated !== undefined) {
      this.#sizes[expr.id] = estimated;
      return estimated;
    }
    return typeSize(this.#type(expr)) ?? (expr.kind === "ident" ? this.#local(expr.name)?.size : undefined);
  }

  #entry(expr: Expr): EntrySize | undefined {
    return this.#entries[expr.id] ?? (expr.kind === "ident" ? this.#local(expr.name)?.entry : undefined);
  }
}
