import { generalCost } from "../cost/runtime.ts";
import type { Value } from "../values/value.ts";
import type { FunctionReference } from "./calls.ts";
import type { Compiler } from "./compiler.ts";

/** What a call costs: always 1, or by its arguments and result. */
export function callCost(
  reference: FunctionReference,
  compiler: Compiler,
): 1 | ((args: readonly Value[], result: Value) => number) {
  const { declaration, overloads } = reference;
  const [only] = overloads;
  const overload = overloads.length === 1 && only !== undefined ? only : undefined;
  if (overload?.cost !== undefined) return overload.cost;
  const id = overload?.id ?? "";
  const { costModel, costRules } = compiler.env.options;
  const general = generalCost(id, costRules);
  const model = costModel?.calls.get(declaration.name);
  if (model === undefined) return general;
  return (args, result) => model(id, args, result) ?? (general === 1 ? 1 : general(args));
}
