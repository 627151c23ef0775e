import type { Module } from "../ast.ts";
import { visitExprs } from "../syntax/visit.ts";
import type { Compilation, Unit } from "./compilation.ts";
import { importName, isAssignment, isRoot } from "./resolve.ts";
import { branches } from "./transform.ts";

/** What v1, and strict mode, ask of the names in a module. */
export function checkNames(module: Module, unit: Unit, compilation: Compilation): void {
  if (!compilation.strict && !unit.isV1) return;
  const { file } = module;
  const seen = new Map<string, string>();
  for (const taken of module.imports) {
    const name = importName(taken);
    const text = module.source.slice(taken.at.offset, taken.at.end).trim();
    const known = seen.get(name);
    if (known === undefined) seen.set(name, text);
    else compilation.object(file, taken.at, `import must not shadow ${known}`);
  }
  for (const rule of module.rules) {
    for (const branch of branches(rule)) {
      const { name } = branch.head.ref[0];
      if (isRoot(name)) {
        compilation.object(file, branch.at, `rules must not shadow ${name} (use a different rule name)`);
      }
      visitExprs(branch.body, (expr) => {
        const [target] = expr.kind === "call-expr" && isAssignment(expr) ? expr.args : [];
        const root = target?.kind === "ref" && target.path.length === 0 ? target.head : undefined;
        if (root?.kind !== "var" || !isRoot(root.name)) return;
        const message = `variables must not shadow ${root.name} (use a different variable name)`;
        compilation.object(file, expr.at, message);
      });
    }
  }
}
