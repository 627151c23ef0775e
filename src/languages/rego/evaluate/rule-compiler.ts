import type { Rule } from "../ast.ts";
import type { PlacedRule } from "../compile/rule-tree.ts";
import type { BodyCompiler } from "./bodies.ts";
import type { Site } from "./machine.ts";

/** What compiling rules needs. */
export interface RuleCompiler {
  bodies(placed: PlacedRule): BodyCompiler;
  /** A number for what a set of rules comes to. */
  nextResult(): number;
}

export function siteOf(placed: PlacedRule, rule: Rule): Site {
  return { file: placed.unit.file, at: rule.at };
}
