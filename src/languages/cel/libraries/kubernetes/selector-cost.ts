import { baseCosts } from "../../cost/model.ts";
import { addRanges, fixed, type Range, scaleRange } from "../../cost/size.ts";

/** So much that an expression can afford two. */
export const checkCost = 350_000;

/** A selector is read into requirements, of which two characters can make one. */
export function selectorCost(length: Range): Range {
  const parse = scaleRange(length, baseCosts.stringTraversal);
  const requirements = scaleRange(scaleRange(length, 0.5), baseCosts.list + baseCosts.struct);
  return addRanges(fixed(baseCosts.list), parse, requirements);
}
