import { baseCosts } from "./model.ts";
import type { CostRules } from "./runtime.ts";
import {
  addRanges,
  type CallEstimate,
  fixed,
  least,
  multiplyRanges,
  type Range,
  type SizedNode,
  scaleRange,
  uniteRanges,
  unknownRange,
} from "./size.ts";

/** A call whose cost is estimated by the rules that hold for all functions. */
interface Call {
  readonly overload: string;
  readonly target: SizedNode | undefined;
  readonly args: readonly SizedNode[];
  /** What evaluating each argument costs. */
  readonly costs: readonly Range[];
  readonly rules: CostRules;
}

/** Sizes are 64-bit and wrap, as in cel-go. */
function wrapped(min: bigint, max: bigint): Range {
  return { min: BigInt.asUintN(64, min), max: BigInt.asUintN(64, max) };
}

function size(node: SizedNode | undefined): Range {
  return node?.size ?? unknownRange;
}

function traversal(range: Range): Range {
  return scaleRange(range, baseCosts.stringTraversal);
}

/** The estimate with the cost of the arguments. */
export function estimateCall(call: Call): CallEstimate {
  const [first, second, third] = call.costs;
  switch (call.overload) {
    case "logical_and":
    case "logical_or":
      // Only the left operand is sure to be evaluated.
      if (first === undefined || second === undefined) break;
      return { cost: { min: first.min, max: addRanges(first, second).max } };
    case "conditional":
      if (first === undefined || second === undefined || third === undefined) break;
      return {
        cost: addRanges(first, uniteRanges(second, third)),
        resultSize: uniteRanges(size(call.args[1]), size(call.args[2])),
      };
  }
  const own = ownEstimate(call) ?? { cost: fixed(1) };
  return { ...own, cost: addRanges(own.cost, ...call.costs) };
}

/** Without the arguments; undefined: 1. */
function ownEstimate(call: Call): CallEstimate | undefined {
  const { target, args } = call;
  const [a, b] = args;
  switch (call.overload) {
    case "string_format":
      return target && { cost: traversal(size(target)) };
    case "string_to_bytes":
      return a && { cost: traversal(size(a)), resultSize: wrapped(size(a).min, size(a).max * 4n) };
    case "bytes_to_string":
      return a && { cost: traversal(size(a)), resultSize: { min: size(a).min / 4n, max: size(a).max } };
    case "strings_quote":
      return a && { cost: traversal(size(a)), resultSize: wrapped(size(a).min + 2n, size(a).max * 2n + 2n) };
    case "starts_with_string":
    case "ends_with_string":
      return a && { cost: traversal(size(a)) };
    case "in_list":
      return b && { cost: scaleRange(size(b), 1) };
    case "matches_string":
      return target && a && { cost: matching(target, a) };
    case "matches":
      return call.rules.affixByArgument && a && b ? { cost: matching(a, b) } : undefined;
    case "contains_string":
      return target && a && { cost: multiplyRanges(traversal(size(target)), traversal(size(a))) };
    case "add_list":
      return a && b && { cost: fixed(1), resultSize: addRanges(size(a), size(b)) };
    case "add_string":
    case "add_bytes": {
      if (a === undefined || b === undefined) return undefined;
      const resultSize = addRanges(size(a), size(b));
      return { cost: traversal(resultSize), resultSize };
    }
    default:
      return comparisons.has(call.overload) ? { cost: comparing(size(a), size(b)) } : undefined;
  }
}

const comparisons = new Set([
  "equals",
  "not_equals",
  ...["less", "less_equals", "greater", "greater_equals"].flatMap((name) => [`${name}_string`, `${name}_bytes`]),
]);

function comparing(a: Range, b: Range): Range {
  const max = least(a.max, b.max);
  return traversal({ min: max > 0n ? 1n : 0n, max });
}

function matching(text: SizedNode, pattern: SizedNode): Range {
  return multiplyRanges(traversal(addRanges(size(text), fixed(1))), scaleRange(size(pattern), baseCosts.regexLength));
}
