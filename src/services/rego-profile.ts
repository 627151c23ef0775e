import type { Module } from "../languages/rego/ast.ts";
import type { Evaluation, RegoProgram } from "../languages/rego/program.ts";

/** What a rule costs by itself, with all that it needs. */
export interface RuleCost {
  readonly rule: string;
  readonly microseconds: number;
}

/** Long enough to be told from the clock's own steps. */
const measured = 20;
const warmUp = 3;

/** Evaluates every rule of the modules by itself, again and again; the dearest first. @param now in milliseconds */
export function profileRules(
  program: RegoProgram,
  modules: readonly Module[],
  given: Evaluation,
  now: () => number,
): readonly RuleCost[] {
  const paths = new Map<string, readonly string[]>();
  for (const {
    package: { path },
    rules,
  } of modules) {
    for (const { head } of rules) {
      const whole = [...path, head.ref[0].name];
      if (head.args.length === 0) paths.set(["data", ...whole].join("."), whole);
    }
  }
  const costs = [...paths].map(([rule, path]): RuleCost => {
    const compiled = program.rule(path);
    for (let i = 0; i < warmUp; i++) compiled.evaluate(given);
    let turns = 0;
    const start = now();
    let spent = 0;
    do {
      compiled.evaluate(given);
      turns++;
      spent = now() - start;
    } while (spent < measured);
    return { rule, microseconds: (spent * 1000) / turns };
  });
  return costs.sort((a, b) => b.microseconds - a.microseconds);
}
