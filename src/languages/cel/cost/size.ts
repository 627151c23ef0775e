import type { Expr } from "../ast.ts";
import { type CelType, isOptionalType } from "../types.ts";
import { codePointCount } from "../values/text.ts";
import { Bytes } from "../values/value.ts";

/** A range of sizes or costs: unsigned 64-bit integers that saturate. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

export const maxUint64 = (1n << 64n) - 1n;
export const unknownRange: Range = { min: 0n, max: maxUint64 };
export const zero: Range = { min: 0n, max: 0n };

export function fixed(size: bigint | number): Range {
  return { min: BigInt(size), max: BigInt(size) };
}

function cap(value: bigint): bigint {
  return value > maxUint64 ? maxUint64 : value;
}

export function addRanges(...ranges: readonly Range[]): Range {
  let min = 0n;
  let max = 0n;
  for (const range of ranges) {
    min = cap(min + range.min);
    max = cap(max + range.max);
  }
  return { min, max };
}

export function multiplyRanges(a: Range, b: Range): Range {
  return { min: cap(a.min * b.min), max: cap(a.max * b.max) };
}

/** The range times a factor, rounded up, computed in float64 as cel-go does. */
export function scaleRange(range: Range, factor: number): Range {
  return { min: scale(range.min, factor), max: scale(range.max, factor) };
}

function scale(value: bigint, factor: number): bigint {
  const product = Math.ceil(Number(value) * factor);
  return product >= 2 ** 64 ? maxUint64 : BigInt(product);
}

export function least(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

export function uniteRanges(a: Range, b: Range): Range {
  return { min: least(a.min, b.min), max: a.max === least(a.max, b.max) ? b.max : a.max };
}

/** A node of an expression as size and cost rules see it. */
export interface SizedNode {
  /** From a variable down through fields, `@items`, `@keys` and `@values`; undefined for what is computed. */
  readonly path: readonly string[] | undefined;
  readonly type: CelType;
  readonly expr: Expr | undefined;
  /** What follows from the expression alone. */
  readonly size: Range | undefined;
}

/** Knows sizes from outside the expression: schemas that bound lengths. */
export interface SizeEstimator {
  sizeOf(node: SizedNode): Range | undefined;
}

export interface EstimateContext {
  /** The size of a node by the expression, else by the estimator, else unknown. */
  sizeOf(node: SizedNode): Range;
}

export interface CallEstimate {
  readonly cost: Range;
  /** Of the result, where it is a string, bytes, list or map. */
  readonly resultSize?: Range;
}

/** Sizes of what a list or map holds. */
export interface EntrySize {
  readonly container: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

/** The size of what is written out in the expression. */
export function literalSize(expr: Expr): Range | undefined {
  switch (expr.kind) {
    case "literal":
      if (typeof expr.value === "string") return fixed(codePointCount(expr.value));
      return fixed(expr.value instanceof Bytes ? expr.value.data.length : 1);
    case "list":
      return fixed(expr.elements.length);
    case "map":
      return fixed(expr.entries.length);
    default:
      return undefined;
  }
}

const scalars: ReadonlySet<string> = new Set(["bool", "double", "duration", "int", "timestamp", "uint"]);

/** 1 for types whose values all have the same size. */
export function typeSize(type: CelType): Range | undefined {
  const [inner] = type.params;
  if (isOptionalType(type) && inner !== undefined) return typeSize(inner);
  return scalars.has(type.kind) ? fixed(1) : undefined;
}
