import { anyType, setOf } from "../types/type.ts";
import { RegoSet } from "../values/value.ts";
import type { Builtin, BuiltinError } from "./builtin.ts";
import { binary, declared, isError, set, unary } from "./operand.ts";
import { difference, intersection, union } from "./set-operations.ts";

const anySet = setOf(anyType);
const setOfSets = declared(setOf(anySet), set);

function members(sets: RegoSet): readonly RegoSet[] | BuiltinError {
  const found: RegoSet[] = [];
  for (const member of sets.sorted()) {
    const read = set.read(member, 1);
    if (isError(read)) return read;
    found.push(read);
  }
  return found;
}

export const setBuiltins: readonly Builtin[] = [
  binary("and", [set, set], anySet, intersection, { infix: "&" }),
  binary("or", [set, set], anySet, (a, b) => union([a, b]), { infix: "|" }),
  binary("set_diff", [set, set], anySet, difference, { deprecated: true }),
  unary("union", setOfSets, anySet, (sets) => {
    const all = members(sets);
    return isError(all) ? all : union(all);
  }),
  unary("intersection", setOfSets, anySet, (sets) => {
    const all = members(sets);
    if (isError(all)) return all;
    const [first = RegoSet.empty, ...rest] = all;
    return rest.reduce(intersection, first);
  }),
];
