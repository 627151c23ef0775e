import { compileRegex } from "../../core/regex.ts";
import type { CallExpr, Expr, ListExpr, MapExpr } from "./ast.ts";
import type { TypedExpression } from "./checker.ts";
import type { Env } from "./env.ts";
import type { CelIssue } from "./issue.ts";
import { type CelType, dynType, equivalentType, formatType } from "./types.ts";
import { toDuration, toTimestamp } from "./values/convert.ts";
import { type CelValue, Failure } from "./values/value.ts";
import { partsOf, walkExpr } from "./walk.ts";

/** A check of a whole expression after its types are known, with all of its parts: each has many of these. */
export type Validator = (typed: TypedExpression, parts: readonly Expr[]) => readonly CelIssue[];

export function validate(typed: TypedExpression, { validators }: Env): readonly CelIssue[] {
  if (validators.size === 0) return [];
  const parts = partsOf(typed.root);
  return Array.from(validators).flatMap((validator) => validator(typed, parts));
}

export function issueAt(typed: TypedExpression, id: number, message: string): CelIssue {
  return { code: "CEL_LITERAL", message, offset: typed.offsets[id] ?? -1, length: 1 };
}

/** The name of the function that a call means, which may be written with a namespace or a dot before it. */
function functionName(typed: TypedExpression, expr: CallExpr): string {
  const reference = typed.references[expr.id];
  return reference?.kind === "function" ? reference.declaration.name : expr.function;
}

/** Refuses calls of `name` whose first argument is a literal that cannot be used. */
function literalValidator(name: string, isSound: (value: CelValue) => boolean): Validator {
  return (typed, parts) => {
    const issues: CelIssue[] = [];
    for (const expr of parts) {
      if (expr.kind !== "call" || functionName(typed, expr) !== name) continue;
      const [arg] = expr.args;
      if (arg?.kind !== "literal" || isSound(arg.value)) continue;
      issues.push(issueAt(typed, arg.id, `invalid ${name} argument`));
    }
    return issues;
  };
}

export const durationLiterals = literalValidator("duration", (value) => !(toDuration(value) instanceof Failure));
export const timestampLiterals = literalValidator("timestamp", (value) => !(toTimestamp(value) instanceof Failure));
export const regexLiterals = literalValidator("matches", (value) => typeof value !== "string" || compileRegex(value).ok);

/** Refuses list and map literals of mixed types, but for the arguments of functions that want them mixed. */
export const homogeneousLiterals: Validator = (typed, parts) => {
  if (!parts.some(({ kind }) => kind === "list" || kind === "map")) return [];
  const issues: CelIssue[] = [];
  const typeOf = (expr: Expr) => typed.types[expr.id] ?? dynType;
  const mismatch = (id: number, expected: CelType, actual: CelType) => {
    issues.push(issueAt(typed, id, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`));
  };
  const lists: ListExpr[] = [];
  const maps: MapExpr[] = [];
  walkExpr(typed.root, (expr, ancestors) => {
    if (expr.kind !== "list" && expr.kind !== "map") return;
    if (ancestors.some((ancestor) => ancestor.kind === "call" && functionName(typed, ancestor) === "format")) return;
    if (expr.kind === "list") lists.push(expr);
    else maps.push(expr);
  });
  for (const list of lists) {
    const types = list.elements.map((element, i) => (list.optional.has(i) ? inside(typeOf(element)) : typeOf(element)));
    const odd = types.findIndex((type) => !equivalentType(types[0] ?? type, type));
    const element = list.elements[odd];
    if (element !== undefined) mismatch(element.id, types[0] ?? dynType, types[odd] ?? dynType);
  }
  for (const map of maps) {
    const [first] = map.entries;
    if (first === undefined) continue;
    const valueType = (entry: typeof first) => (entry.optional ? inside(typeOf(entry.value)) : typeOf(entry.value));
    for (const entry of map.entries.slice(1)) {
      const [key, value] = [typeOf(first.key), valueType(first)];
      if (!equivalentType(key, typeOf(entry.key))) mismatch(entry.key.id, key, typeOf(entry.key));
      if (!equivalentType(value, valueType(entry))) mismatch(entry.value.id, value, valueType(entry));
    }
  }
  return issues;
};

function inside(type: CelType): CelType {
  return type.params[0] ?? dynType;
}
