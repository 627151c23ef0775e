import type { RefTerm, VarTerm } from "../ast.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { argumentNames } from "./argument-names.ts";
import { printArguments, printTypes } from "./print-type.ts";
import type { FunctionType, NamedType, Type } from "./type.ts";

/** What a call has, and what its function wants, as lines below an error. */
export function argumentLines(
  operator: VarTerm | RefTerm,
  have: readonly Type[],
  type: FunctionType,
  withResult: boolean,
): string {
  const names = (argumentNames[functionName(operator) ?? ""] ?? "").split(" ");
  const named = (own: NamedType, i: number): NamedType => {
    const name = names[i] ?? "";
    return name === "" || name === "-" ? own : { ...own, name };
  };
  const result = type.result === undefined || !withResult ? undefined : named({ type: type.result }, type.args.length);
  return `\n\thave: ${printTypes(have)}\n\twant: ${printArguments({ ...type, args: type.args.map(named) }, result)}`;
}
