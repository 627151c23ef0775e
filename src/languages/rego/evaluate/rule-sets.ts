import type { PlacedRule } from "../compile/rule-tree.ts";
import { mapKey } from "../values/map-key.ts";
import type { Value } from "../values/value.ts";
import type { RuleSet } from "./data-tree.ts";
import { type Machine, nothing, type Remembered } from "./machine.ts";
import { compileOrdered } from "./ordered-rules.ts";
import { compilePartial, compileScoped, keyDepth } from "./partial-rules.ts";
import type { RuleCompiler } from "./rule-compiler.ts";

/** Compiles the rules at `path`, when they are asked for first. */
export function ruleSet(path: readonly Value[], rules: readonly PlacedRule[], compiler: RuleCompiler): RuleSet {
  const [first] = rules;
  const arity = first?.rule.head.args.length ?? 0;
  const result = compiler.nextResult();
  if (arity > 0) {
    let call: RuleSet["call"] | undefined;
    return {
      arity,
      depth: 0,
      value: () => undefined,
      valueAt: () => undefined,
      call: (m, args) => {
        call ??= compileOrdered(rules, compiler, "function");
        return call(m, args);
      },
    };
  }
  const isGeneral = rules.some((placed) => placed.path.length > path.length || placed.rule.head.value === undefined);
  let compute: ((m: Machine) => Value | undefined) | undefined;
  const value = (m: Machine): Value | undefined => {
    const known: Remembered = m.results[result];
    if (known !== undefined) return known === nothing ? undefined : known;
    if (compute === undefined) {
      const complete = isGeneral ? compilePartial(path, rules, compiler) : compileOrdered(rules, compiler, "rule");
      compute = (machine) => complete(machine, []);
    }
    m.spend(1);
    const found = compute(m);
    m.results[result] = found === undefined ? nothing : found;
    return found;
  };
  const depth = keyDepth(path, rules);
  const scoped: ((m: Machine, keys: readonly Value[]) => Value)[] = [];
  const valueAt = (m: Machine, keys: readonly Value[]): Value | undefined => {
    const known: Remembered = m.results[result];
    if (known !== undefined) return known === nothing ? undefined : known;
    scoped[keys.length] ??= compileScoped(path, rules, compiler, keys.length);
    m.parts ??= new Map();
    const id = `${result} ${mapKey(keys)}`;
    const part = m.parts.get(id) ?? scoped[keys.length]?.(m, keys);
    if (part !== undefined) m.parts.set(id, part);
    return part;
  };
  return { arity: undefined, depth, value, call: value, valueAt };
}
