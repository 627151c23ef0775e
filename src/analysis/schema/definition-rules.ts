import type { CompiledRule } from "../../languages/cel/schema/rules.ts";
import type { StructuralSchema } from "../../languages/cel/schema/structural-schema.ts";
import type { RuleNode } from "../../languages/cel/schema/validator.ts";

/** What one expression may cost by the bounds of its schema, and all of a version together. */
const expressionLimit = 10_000_000n;
const versionLimit = 100_000_000n;

/** How often a value of a schema may occur in one object; undefined: nobody says. */
type Cardinality = bigint | undefined;

/** By how much a schema multiplies what is below it. */
function factorOf(schema: StructuralSchema): Cardinality {
  const bound = (limit: number | undefined) => (limit === undefined ? undefined : BigInt(Math.max(0, limit)));
  if (schema.type === "array") return bound(schema.maxItems);
  return schema.type === "object" && schema.additionalProperties !== undefined ? bound(schema.maxProperties) : 1n;
}

function overBudget(what: string, cost: bigint, limit: bigint): string {
  const factor = Number(cost) / Number(limit);
  const shown = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  const hint =
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${what} exceeds budget by factor of ${shown} (${hint})`;
}

class DefinitionRules {
  readonly problems: string[] = [];
  total = 0n;

  node(node: RuleNode, path: string, cardinality: Cardinality): void {
    const where = path === "" ? "the schema" : path;
    if (typeof node.rules === "string") this.problems.push(`${where}: ${node.rules}`);
    else for (const rule of node.rules) this.#rule(rule, where, cardinality);
    const factor = factorOf(node.schema);
    const below = cardinality === undefined || factor === undefined ? undefined : cardinality * factor;
    if (node.items !== undefined) this.node(node.items, `${path}[]`, below);
    if (node.values !== undefined) this.node(node.values, `${path}[*]`, below);
    for (const [name, inner] of node.properties) this.node(inner, path === "" ? name : `${path}.${name}`, below);
  }

  #rule(compiled: CompiledRule, where: string, cardinality: Cardinality): void {
    const say = (text: string) => this.problems.push(`${where}: ${compiled.rule.rule.trim()}: ${text}`);
    for (const error of [compiled.error, compiled.messageError]) if (error !== undefined) say(error);
    const cost = compiled.maxCost * (cardinality ?? BigInt(compiled.maxCardinality));
    if (cost > expressionLimit) say(overBudget("estimated rule cost", cost, expressionLimit));
    const messageCost = compiled.messageMaxCost;
    if (messageCost > expressionLimit) say(overBudget("estimated messageExpression cost", messageCost, expressionLimit));
    this.total += cost + messageCost;
  }
}

/** Why an API server would refuse the validation rules of a version: errors in them, and what they may cost. */
export function ruleProblems(root: RuleNode | undefined): readonly string[] {
  if (root === undefined) return [];
  const rules = new DefinitionRules();
  rules.node(root, "", 1n);
  if (rules.total <= versionLimit) return rules.problems;
  const all = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  return [...rules.problems, overBudget(all, rules.total, versionLimit)];
}
