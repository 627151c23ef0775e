import type { Term } from "../ast.ts";
import { printValue } from "../values/print.ts";

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A reference as error messages write it; `nameOf` gives variables back the names of the source. */
export function printPath(head: string, path: readonly Term[], nameOf = (name: string): string => name): string {
  return head + path.map((step) => printStep(step, nameOf)).join("");
}

function printStep(step: Term, nameOf: (name: string) => string): string {
  if (step.kind === "scalar") {
    const { value } = step;
    return typeof value === "string" && plainName.test(value) ? `.${value}` : `[${printValue(value)}]`;
  }
  return `[${printTerm(step, nameOf)}]`;
}

/** A term in Rego's syntax, without comprehensions' bodies. */
export function printTerm(term: Term, nameOf = (name: string): string => name): string {
  const list = (terms: readonly Term[]): string => terms.map((item) => printTerm(item, nameOf)).join(", ");
  switch (term.kind) {
    case "scalar":
      return printValue(term.value);
    case "var":
      return term.name.startsWith("$") ? "_" : nameOf(term.name);
    case "ref":
      return printPath(printTerm(term.head, nameOf), term.path, nameOf);
    case "array":
      return `[${list(term.items)}]`;
    case "set":
      return term.items.length === 0 ? "set()" : `{${list(term.items)}}`;
    case "object":
      return `{${term.members.map(([k, v]) => `${printTerm(k, nameOf)}: ${printTerm(v, nameOf)}`).join(", ")}}`;
    case "call":
      return `${printTerm(term.operator, nameOf)}(${list(term.args)})`;
    case "array-comprehension":
      return `[${printTerm(term.term, nameOf)} | ...]`;
    case "set-comprehension":
      return `{${printTerm(term.term, nameOf)} | ...}`;
    case "object-comprehension":
      return `{${printTerm(term.key, nameOf)}: ${printTerm(term.value, nameOf)} | ...}`;
    case "template":
      return term.raw ? "$`...`" : '$"..."';
  }
}
