import type { Place } from "../ast.ts";
import { compareValues } from "../values/compare.ts";
import type { Compilation, Unit } from "./compilation.ts";
import { printPath } from "./print-term.ts";
import type { PlacedRule, RuleNode } from "./rule-tree.ts";
import { groundPrefix } from "./rule-tree.ts";

/** Refuses rules of one name that cannot go together, and rules where other documents are. */
export function checkConflicts(tree: RuleNode, units: readonly Unit[], compilation: Compilation): void {
  for (const node of allNodes(tree)) if (node.rules.length > 0) checkNode(node, compilation);
  for (const unit of units) checkPackage(unit, units, tree, compilation);
}

function* allNodes(node: RuleNode): Iterable<RuleNode> {
  yield node;
  for (const child of node.children()) yield* allNodes(child);
}

const isGroundPath = ({ path }: PlacedRule): boolean => path.every((step) => step.kind === "scalar");
const isFunction = ({ rule }: PlacedRule): boolean => rule.head.args.length > 0;
const isMulti = ({ rule }: PlacedRule): boolean => rule.head.value === undefined;

function checkNode(node: RuleNode, compilation: Compilation): void {
  const { rules } = node;
  const [first] = rules;
  if (first === undefined) return;
  const nameOf = (placed: PlacedRule): string =>
    printPath("data", placed.path, (name) => compilation.originals.get(name) ?? name);
  const refuse = (placed: PlacedRule, at: Place, message: string): void =>
    compilation.refuse(placed.unit.file, at, message, "rego_type_error");
  const below = conflictsBelow(node);
  const last = rules.at(-1) ?? first;
  if (below.length > 0) {
    const list = below.map((placed) => `  rule ${nameOf(placed)} at ${placed.unit.file}:${placed.rule.at.line}`);
    refuse(first, first.rule.at, `rule ${nameOf(last)} conflicts with:\n${list.join("\n")}`);
    return;
  }
  const complete = rules.filter((placed) => !isMulti(placed) && isGroundPath(placed)).length;
  const kinds = new Set(rules.map(isMulti));
  const arities = new Set(rules.map((placed) => placed.rule.head.args.length));
  const isSet = rules.some((placed) => isMulti(placed) && isGroundPath(placed));
  const isObject = rules.some((placed) => isMulti(placed) && !isGroundPath(placed));
  const isMixed = complete > 0 && complete < rules.length;
  if (kinds.size > 1 || arities.size > 1 || isMixed || (isSet && isObject)) {
    refuse(first, first.rule.at, `conflicting rules ${nameOf(last)} found`);
    return;
  }
  const defaults = rules.filter((placed) => placed.rule.isDefault);
  const [standard] = defaults;
  if (standard === undefined || defaults.length === 1) return;
  const places = defaults.map((placed) => `${placed.unit.file}:${placed.rule.at.line}`).join(", ");
  refuse(standard, standard.unit.packageAt, `multiple default rules ${nameOf(last)} found at ${places}`);
}

/** Rules below a node that may not be there. */
function conflictsBelow(node: RuleNode): readonly PlacedRule[] {
  const below = node.children().flatMap((child) => [...allNodes(child)].flatMap((inner) => inner.rules));
  if (node.rules.some(isGroundPath)) return onePerPath(below);
  return onePerPath(below.filter(isFunction));
}

function onePerPath(rules: readonly PlacedRule[]): readonly PlacedRule[] {
  const seen = new Map<string, PlacedRule>();
  for (const placed of rules) {
    const name = printPath("data", placed.path);
    if (!seen.has(name)) seen.set(name, placed);
  }
  return [...seen].sort(([a], [b]) => compareValues(a, b)).map(([, placed]) => placed);
}

/** A package may not have the path of a rule. */
function checkPackage(unit: Unit, units: readonly Unit[], tree: RuleNode, compilation: Compilation): void {
  let node: RuleNode | undefined = tree;
  for (const name of unit.package) node = node?.child(name);
  for (const placed of node?.rules ?? []) {
    if (groundPrefix(placed.path).length < placed.path.length) continue;
    const message = `package ${unit.package.join(".")} conflicts with rule ${printPath("data", placed.path)} defined at ${placed.unit.file}:${placed.rule.at.line}`;
    const at = units.find((other) => other === unit)?.packageAt;
    compilation.refuse(unit.file, at, message, "rego_type_error");
  }
}
