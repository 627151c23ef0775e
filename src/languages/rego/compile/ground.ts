import type { Term } from "../ast.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";

/** The value of a term that holds no variables, references, calls or comprehensions; undefined for any other. */
export function constantOf(term: Term): Value | undefined {
  switch (term.kind) {
    case "scalar":
      return term.value;
    case "array":
      return constantsOf(term.items);
    case "set": {
      const items = constantsOf(term.items);
      return items === undefined ? undefined : RegoSet.of(items);
    }
    case "object": {
      const members: (readonly [Value, Value])[] = [];
      for (const [key, value] of term.members) {
        const k = constantOf(key);
        const v = constantOf(value);
        if (k === undefined || v === undefined) return undefined;
        members.push([k, v]);
      }
      return RegoObject.of(members);
    }
    default:
      return undefined;
  }
}

function constantsOf(terms: readonly Term[]): readonly Value[] | undefined {
  const values: Value[] = [];
  for (const term of terms) {
    const value = constantOf(term);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** What stands for the value of a constant term, or for a variable; undefined for other terms. */
export function mapKeyOfTerm(term: Term): MapKey | undefined {
  if (term.kind === "var") return `\u0000v${term.name}`;
  const value = constantOf(term);
  return value === undefined ? undefined : mapKey(value);
}
