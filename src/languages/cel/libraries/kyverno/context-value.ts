import type { Fact, Need } from "../../../../core/facts.ts";
import type { JsonValue } from "../../../../core/json.ts";
import type { FunctionDeclaration, Outside, Overload } from "../../declarations.ts";
import type { CelType } from "../../types.ts";
import { toJson } from "../../values/json.ts";
import { CelError, CelObject, type CelValue, Unknown, type Value } from "../../values/value.ts";

/** A variable like `resource` or `http`: it only has functions. */
export class ContextValue extends CelObject {
  readonly type: CelType;

  constructor(type: CelType) {
    super();
    this.type = type;
  }

  equals(): CelError {
    return new CelError("no such overload");
  }
}

type Call = (args: readonly CelValue[], outside: Outside) => Value;

/** A signature that looks beyond its arguments. */
export function outsideOverload(id: string, args: readonly CelType[], result: CelType, call: Call, member = true): Overload {
  return { id, member, args, result, implementation: { arity: "variadic", call } };
}

/** A function under its old name and the one that it has since Kyverno 1.18. */
export function bothNames(
  names: readonly [string, string],
  overloads: (suffix: "pascal" | "camel") => readonly Overload[],
): readonly FunctionDeclaration[] {
  return [
    { name: names[0], overloads: overloads("pascal") },
    { name: names[1], overloads: overloads("camel") },
  ];
}

/** Asks for outside data; `unavailable` says what comes of a refusal. */
export function ask(outside: Outside, need: Need, unavailable: (fact: Fact & { ok: false }) => Value): Value {
  const fact = outside.facts.get(need);
  if (fact === undefined) return new Unknown([need]);
  return fact.ok ? fact.value : unavailable(fact);
}

export const textOf = (value: CelValue | undefined): string => (typeof value === "string" ? value : "");

/** A value as JSON, for a request's body. */
export function bodyOf(value: CelValue | undefined): JsonValue | CelError {
  return value === undefined ? null : toJson(value);
}

/** A map of texts; what is no text is left out. */
export function textsOf(value: CelValue | undefined): { readonly [key: string]: string } {
  const json = value === undefined ? {} : toJson(value);
  if (typeof json !== "object" || json === null || json instanceof CelError) return {};
  return Object.fromEntries(Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
