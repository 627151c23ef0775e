import type { Rule } from "../ast.ts";
import type { Compilation } from "./compilation.ts";
import type { Dependencies } from "./dependencies.ts";
import { printPath } from "./print-term.ts";
import type { PlacedRule, RuleNode } from "./rule-tree.ts";
import { branches } from "./transform.ts";

/** Refuses rules that need themselves. */
export function checkRecursion(tree: RuleNode, dependencies: Dependencies, compilation: Compilation): void {
  const placed = new Map<Rule, PlacedRule>();
  for (const node of tree.all()) addBranches(node, placed);
  const system = tree.child("system");
  if (system !== undefined) for (const node of system.all()) addBranches(node, placed);
  const nameOf = (rule: Rule): string =>
    printPath("data", placed.get(rule)?.path ?? [], (name) => compilation.originals.get(name) ?? name);
  for (const [rule, { unit }] of placed) {
    const cycle = pathBack(rule, dependencies);
    if (cycle === undefined) continue;
    const message = `rule ${nameOf(rule)} is recursive: ${cycle.map(nameOf).join(" -> ")}`;
    compilation.refuse(unit.file, rule.at, message, "rego_recursion_error");
  }
}

function addBranches(node: RuleNode, placed: Map<Rule, PlacedRule>): void {
  for (const own of node.rules) for (const branch of branches(own.rule)) placed.set(branch, own);
}

/** A way from a rule back to itself, depth first. */
function pathBack(start: Rule, dependencies: Dependencies): readonly Rule[] | undefined {
  const visited = new Set<Rule>();
  const walk = (rule: Rule): readonly Rule[] | undefined => {
    for (const next of dependencies.of(rule)) {
      if (next === start) return [rule, next];
      if (visited.has(next)) continue;
      visited.add(next);
      const rest = walk(next);
      if (rest !== undefined) return [rule, ...rest];
    }
    return undefined;
  };
  return walk(start);
}
