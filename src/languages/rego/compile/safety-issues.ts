import type { Expr, Place, Rule, Term } from "../ast.ts";
import { isFutureKeyword } from "../syntax/token.ts";
import type { Compilation, Unit } from "./compilation.ts";
import type { Unsafe } from "./safety.ts";
import { isGenerated, isWildcard, safetyLooking, Variables, varsOfTerm } from "./variables.ts";

/** Reports the variables that nothing binds. */
export function refuseUnsafe(unsafe: Unsafe, file: string, compilation: Compilation): void {
  if (unsafe.size === 0) return;
  const nameOf = (name: string): string => {
    const original = compilation.originals.get(name) ?? name;
    return isWildcard(original) ? "_" : original;
  };
  const targets = assignmentTargets(unsafe, nameOf);
  const places = new Map<string, Place>();
  for (const [expr, names] of unsafe) {
    for (const name of names) {
      const known = places.get(name);
      if (known === undefined || expr.at.offset < known.offset) places.set(name, expr.at);
    }
  }
  const found = [...places].map(([name, at]) => ({ name: nameOf(name), at })).filter(({ name }) => !isGenerated(name));
  const others = found.filter(({ name }) => !targets.has(name));
  const reported = others.length > 0 ? others : found;
  for (const { name, at } of reported.toSorted((a, b) => a.at.offset - b.at.offset)) {
    const hint = isFutureKeyword(name) ? ` (hint: \`import future.keywords.${name}\` to import a future keyword)` : "";
    compilation.refuse(file, at, `var ${name} is unsafe${hint}`, "rego_unsafe_var_error");
  }
  if (reported.length > 0) return;
  for (const expr of [...unsafe.keys()].sort((a, b) => a.at.offset - b.at.offset)) {
    compilation.refuse(file, expr.at, "expression is unsafe", "rego_unsafe_var_error");
  }
}

/** What `:=` assigns is unsafe only because its value is. */
function assignmentTargets(unsafe: Unsafe, nameOf: (name: string) => string): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (term: Term | undefined): void => {
    if (term !== undefined) for (const name of varsOfTerm(term)) names.add(nameOf(name));
  };
  for (const expr of unsafe.keys()) if (isAssigned(expr)) add(expr.args[0]);
  return names;
}

function isAssigned(expr: Expr): expr is Expr & { kind: "call-expr" } {
  return expr.kind === "call-expr" && expr.assignment === true;
}

/** Reports the variables of a head that its body does not mention. */
export function refuseUnsafeHeads(rule: Rule, unit: Unit, compilation: Compilation): void {
  const { head } = rule;
  const known = new Variables(safetyLooking).body(rule.body).names;
  const args = new Set(head.args.flatMap((arg) => [...varsOfTerm(arg)]));
  const inHead = new Variables().terms(head.ref.slice(1));
  if (head.key !== undefined) inHead.term(head.key);
  if (head.value !== undefined) inHead.term(head.value);
  for (const [name, term] of inHead.names) {
    if (known.has(name) || args.has(name)) continue;
    const original = compilation.originals.get(name) ?? name;
    if (!isGenerated(original)) {
      compilation.refuse(unit.file, term.at, `var ${original} is unsafe`, "rego_unsafe_var_error");
    }
  }
}
