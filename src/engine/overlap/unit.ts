import type { Action } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import { noFacts } from "../../core/facts.ts";
import type { Host } from "../../core/host.ts";
import { gvkOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import { containsWildcard } from "../../core/wildcard.ts";
import { isAutogenRuleName } from "../../policies/kyverno/autogen.ts";
import type { CompiledPolicy, CompiledRule, RuleKind } from "../../policies/policy.ts";
import type { Decision } from "../decision.ts";
import { evaluate } from "../evaluate.ts";
import { PolicySet } from "../policy-set.ts";
import { type RuleEdits, ruleEdits } from "./rule-edits.ts";

/** One rule with those that were generated from it: what is compared with others. */
export interface OverlapUnit {
  readonly policy: CompiledPolicy;
  readonly rule: string;
  readonly type: RuleKind;
  /** Kinds it applies to, without wildcards; Pod where it applies to every kind. */
  readonly kinds: readonly string[];
  readonly edits: RuleEdits;
  readonly set: PolicySet;
}

/** What a rule says of an object: `none` where it does not apply. */
export type Verdict = "pass" | "fail" | "none" | "error";

export interface OverlapEnv {
  readonly resources: ApiResources;
  /** Shapes of the kinds, so that no object is tried that the API server would refuse. */
  readonly schemas: KubernetesSchemas;
  readonly host: Host;
}

/** The rules of a policy that can be compared: those that check or change the object itself. */
export function overlapUnits(policy: CompiledPolicy): readonly OverlapUnit[] {
  const own = policy.rules.filter((r) => (r.kind === "validate" || r.kind === "mutate") && !isAutogenRuleName(r.name));
  return own.map((rule) => {
    const rules = policy.rules.filter((r) => r.kind === rule.kind && isFrom(r, rule.name));
    return {
      policy,
      rule: rule.name,
      type: rule.kind,
      kinds: kindsOf(rules),
      edits: ruleEdits(policy.origin.value, rule.name),
      set: new PolicySet([{ ...policy, rules }]),
    };
  });
}

/** The rule itself, or one that autogen made of it (long names are cut). */
function isFrom({ name }: CompiledRule, rule: string): boolean {
  return name === rule || [`autogen-${rule}`, `autogen-cronjob-${rule}`].some((generated) => generated.slice(0, 63) === name);
}

function kindsOf(rules: readonly CompiledRule[]): readonly string[] {
  const selectors = rules.flatMap((r) => r.selectors).filter((s) => s.subresource === "" || s.subresource === "*");
  return [...new Set(selectors.map(({ kind }) => (containsWildcard(kind) ? "Pod" : kind)))];
}

function decide(unit: OverlapUnit, object: KubernetesObject, { resources, host }: OverlapEnv): Decision | undefined {
  const gvk = gvkOf(object);
  const action: Action = {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: true,
    target: { type: "kubernetes", ...gvk, resource: "", subresource: "", namespace: namespaceOf(object), name: nameOf(object) },
    object,
    namespaceLabels: {},
    at: host.now(),
  };
  const facts = noFacts("a comparison of policies asks nobody");
  const evaluation = evaluate(unit.set, action, facts, host, { resources, kinds: [unit.type] });
  return evaluation.kind === "decision" ? evaluation.decision : undefined;
}

export function judge(unit: OverlapUnit, object: KubernetesObject, env: OverlapEnv): Verdict {
  const counts = decide(unit, object, env)?.counts;
  if (counts === undefined || counts.error > 0) return "error";
  if (counts.fail + counts.warn > 0) return "fail";
  return counts.pass > 0 ? "pass" : "none";
}

/** The object after a mutate rule; the same object where it changes nothing or cannot be evaluated. */
export function mutated(unit: OverlapUnit, object: KubernetesObject, env: OverlapEnv): KubernetesObject {
  const decision = decide(unit, object, env);
  return decision === undefined || decision.counts.error > 0 ? object : (decision.object ?? object);
}
