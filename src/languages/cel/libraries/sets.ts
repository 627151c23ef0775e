import { sizeOf } from "../cost/runtime.ts";
import {
  addRanges,
  type CallEstimate,
  type EstimateContext,
  fixed,
  multiplyRanges,
  type SizedNode,
  scaleRange,
} from "../cost/size.ts";
import { type FunctionDeclaration, type Library, overload } from "../declarations.ts";
import { boolType, type CelTypeOf, listOf, typeParam } from "../types.ts";
import { elementAt } from "../values/containers.ts";
import { type CelList, type CelValue, Failure, type Value } from "../values/value.ts";
import { listContains } from "./standard-operators.ts";

type List = CelList | readonly CelValue[];

const listOfT: CelTypeOf<List> = listOf(typeParam("T"));

function some(list: List, test: (element: CelValue) => boolean): boolean {
  for (let i = 0; i < list.length; i++) {
    const element = elementAt(list, i);
    if (!(element instanceof Failure) && test(element)) return true;
  }
  return false;
}

function containsAll(list: List, sublist: List): boolean {
  return !some(sublist, (element) => !listContains(list, element));
}

/** Every element of one list is held against every element of the other, `factor` times. */
function setFunction(name: string, id: string, factor: number, compute: (a: List, b: List) => Value): FunctionDeclaration {
  const cost = ([a, b]: readonly Value[]) => 1 + sizeOf(a) * sizeOf(b) * factor;
  const estimate = (context: EstimateContext, _target: unknown, [a, b]: readonly SizedNode[]): CallEstimate | undefined => {
    if (a === undefined || b === undefined) return undefined;
    const pairs = multiplyRanges(context.sizeOf(a), context.sizeOf(b));
    return { cost: addRanges(scaleRange(pairs, factor), fixed(1)) };
  };
  return { name, overloads: [overload(id, [listOfT, listOfT], boolType, compute, { cost, estimate })] };
}

/** cel-go's set functions on lists. */
export const setsLibrary: Library = {
  name: "cel.lib.ext.sets",
  functions: [
    setFunction("sets.contains", "list_sets_contains_list", 1, containsAll),
    setFunction("sets.equivalent", "list_sets_equivalent_list", 2, (a, b) => containsAll(a, b) && containsAll(b, a)),
    setFunction("sets.intersects", "list_sets_intersects_list", 1, (a, b) => some(a, (element) => listContains(b, element))),
  ],
};
