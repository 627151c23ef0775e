import { baseCosts } from "../cost/model.ts";
import { sizeOf } from "../cost/runtime.ts";
import {
  addRanges,
  type CallEstimate,
  fixed,
  maxUint64,
  multiplyRanges,
  type Range,
  type SizedNode,
  scaleRange,
} from "../cost/size.ts";
import type { CelType } from "../types.ts";
import { elementAt } from "../values/containers.ts";
import { Bytes, isList, type Value } from "../values/value.ts";

/** A call that makes a new list of `size` elements. */
export function allocatingCost(factor: number, size: number): number {
  return Math.floor(size * factor) + 1 + baseCosts.list;
}

export function allocatingEstimate(factor: number, size: Range): CallEstimate {
  return { cost: addRanges(scaleRange(size, factor), fixed(1), fixed(baseCosts.list)), resultSize: size };
}

/** A call that compares every element with every other one. */
export function selfComparingCost(list: Value | undefined): number {
  const size = sizeOf(list);
  if (list === undefined || !isList(list) || size === 0) return allocatingCost(2, 0);
  const first = elementAt(list, 0);
  const factor = typeof first === "string" || first instanceof Bytes ? 2 + baseCosts.stringTraversal : 2;
  return allocatingCost(factor, size * size);
}

export function selfComparingEstimate(size: Range, element: CelType): CallEstimate {
  const factor = element.kind === "string" || element.kind === "bytes" ? 2 + baseCosts.stringTraversal : 2;
  return allocatingEstimate(factor, multiplyRanges(size, size));
}

/** The value of an int literal as a size; `otherwise` for what is only known at run time. */
export function literalInt(node: SizedNode, otherwise: bigint = maxUint64): Range {
  const { expr } = node;
  if (expr?.kind !== "literal" || expr.type.kind !== "int") return fixed(otherwise);
  const value = typeof expr.value === "number" || typeof expr.value === "bigint" ? BigInt(expr.value) : 0n;
  return fixed(value < 0n ? 0n : value);
}
