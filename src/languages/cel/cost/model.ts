import type { Value } from "../values/value.ts";
import type { CallEstimate, EstimateContext, SizedNode } from "./size.ts";

/** `overload` is empty where the call is resolved only at run time. Undefined: the general rules hold. */
export type CallCost = (overload: string, args: readonly Value[], result: Value) => number | undefined;

export type CallCostEstimate = (
  overload: string,
  target: SizedNode | undefined,
  args: readonly SizedNode[],
  context: EstimateContext,
) => CallEstimate | undefined;

/** Costs of a family of functions that differ from the general rules, by function name. */
export interface CostModel {
  readonly calls: ReadonlyMap<string, CallCost>;
  readonly estimates: ReadonlyMap<string, CallCostEstimate>;
}

/** Costs of the language itself, in units of a simple operation. */
export const baseCosts = {
  list: 10,
  map: 30,
  struct: 40,
  /** Each character of a string that is walked through. */
  stringTraversal: 0.1,
  /** Each character of a regular expression. */
  regexLength: 0.25,
} as const;
