import type { Rule } from "../ast.ts";
import { visitBodyTerms, visitTerms } from "../syntax/visit.ts";
import type { Compilation } from "./compilation.ts";
import { printPath } from "./print-term.ts";
import { dataPath, type PlacedRule, type RuleNode, rulesReached } from "./rule-tree.ts";
import { branches } from "./transform.ts";

/** Refuses rules that need themselves. */
export function checkRecursion(tree: RuleNode, compilation: Compilation): void {
  const placed = new Map<Rule, PlacedRule>();
  for (const node of tree.all()) addBranches(node, placed);
  const system = tree.child("system");
  if (system !== undefined) for (const node of system.all()) addBranches(node, placed);
  const edges = new Map<Rule, ReadonlySet<Rule>>();
  for (const rule of placed.keys()) edges.set(rule, dependencies(rule, tree));
  const nameOf = (rule: Rule): string =>
    printPath("data", placed.get(rule)?.path ?? [], (name) => compilation.originals.get(name) ?? name);
  for (const [rule, { unit }] of placed) {
    const cycle = pathBack(rule, edges);
    if (cycle === undefined) continue;
    const message = `rule ${nameOf(rule)} is recursive: ${cycle.map(nameOf).join(" -> ")}`;
    compilation.refuse(unit.file, rule.at, message, "rego_recursion_error");
  }
}

function addBranches(node: RuleNode, placed: Map<Rule, PlacedRule>): void {
  for (const own of node.rules) for (const branch of branches(own.rule)) placed.set(branch, own);
}

function dependencies(rule: Rule, tree: RuleNode): ReadonlySet<Rule> {
  const found = new Set<Rule>();
  const visit = (term: Parameters<typeof dataPath>[0]): boolean => {
    const path = dataPath(term);
    if (path !== undefined) for (const reached of rulesReached(tree, path)) found.add(reached);
    return true;
  };
  visitBodyTerms(rule.body, visit);
  const { head } = rule;
  for (const term of [...head.ref.slice(1), ...head.args, head.key, head.value]) {
    if (term !== undefined) visitTerms(term, visit);
  }
  return found;
}

/** A way from a rule back to itself, depth first. */
function pathBack(start: Rule, edges: ReadonlyMap<Rule, ReadonlySet<Rule>>): readonly Rule[] | undefined {
  const visited = new Set<Rule>();
  const walk = (rule: Rule): readonly Rule[] | undefined => {
    for (const next of edges.get(rule) ?? []) {
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
