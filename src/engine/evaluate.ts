import type { Action } from "../core/action.ts";
import { type ApiResources, owningKind } from "../core/api-resources.ts";
import { type Facts, type Need, NeedsFacts, needKey } from "../core/facts.ts";
import type { RuleStatus } from "../core/finding.ts";
import type { Host } from "../core/host.ts";
import { jsonEquals } from "../core/json.ts";
import { type KubernetesObject, namespaceOf } from "../core/kubernetes.ts";
import { Budget } from "../policies/budget.ts";
import type { CompiledPolicy, CompiledRule, RuleContext, RuleKind, RuleResult } from "../policies/policy.ts";
import type { Decision, PolicyResult } from "./decision.ts";
import type { Candidates, PolicySet } from "./policy-set.ts";

export interface EvaluateOptions {
  readonly resources: ApiResources;
  /** Whether passes become results, too; they are always counted. */
  readonly passes?: boolean;
  /** Steps (loop turns, list items) that each rule may use on one object. */
  readonly budget?: number;
  /** Kinds of rules to evaluate, in the order in which they are. */
  readonly kinds?: readonly RuleKind[];
  readonly supplied?: RuleContext["supplied"];
  readonly excuse?: Excuse | undefined;
  /** Whether rules that change other objects run at admission, too; usually they run once its answer is given. */
  readonly targets?: boolean;
}

/** Why a rule's objection to this action does not count: an approved exception or grant. Undefined: it counts. */
export type Excuse = (policy: CompiledPolicy, rule: CompiledRule) => string | undefined;

/** A decision, or what has to be looked up before there can be one. */
export type Evaluation =
  | { readonly kind: "decision"; readonly decision: Decision }
  | { readonly kind: "pending"; readonly needs: readonly Need[] };

const defaultBudget = 1_000_000;

/** Changes first, so that checks see what would be stored; what is generated from it last. */
const admissionOrder: readonly RuleKind[] = ["mutate", "verify", "validate", "generate"];

/** A rule with its policy. */
export interface PolicyRule {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
}

/** What came of a rule in the first round. */
interface RanBefore {
  readonly reinvoked: ReadonlySet<string>;
  readonly failed: boolean;
}

/** Mutate-existing rules. */
const changesOthers = (rule: CompiledRule): boolean => rule.kind === "mutate" && rule.downstream !== undefined;

/** The mutate-existing rules that may apply to an action. */
export function rulesForOthers(set: PolicySet, action: Action, resources: ApiResources): readonly PolicyRule[] {
  return candidatesFor(set, action, resources).mutate.flatMap(({ policy, rules }) =>
    rules.filter(changesOthers).map((rule) => ({ policy, rule })),
  );
}

const isInServer = (rule: CompiledRule): boolean => rule.inServer !== undefined;

/** One action on its way through the rules. */
class Run {
  object: KubernetesObject | undefined;
  denied = false;
  readonly counts = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 } satisfies { [status in RuleStatus]: number };
  readonly results: PolicyResult[] = [];
  readonly warnings: string[] = [];
  readonly needs = new Map<string, Need>();
  readonly #action: Action;
  readonly #facts: Facts;
  readonly #host: Host;
  readonly #options: EvaluateOptions;
  #context: RuleContext | undefined;

  constructor(action: Action, facts: Facts, host: Host, options: EvaluateOptions) {
    this.object = action.object;
    this.#action = action;
    this.#facts = facts;
    this.#host = host;
    this.#options = options;
  }

  /** Evaluates the rules of one kind, policy by policy. */
  stage(kind: RuleKind, candidates: Candidates): void {
    const ofKind = candidates[kind];
    // Each object comes through here, most of them before the compiler of the machine has: no iterators.
    if (!ofKind.some((candidate) => candidate.inServer)) {
      for (let i = 0; i < ofKind.length; i++) {
        const candidate = ofKind[i];
        if (candidate !== undefined && this.#appliesTo(candidate.policy)) this.#policy(candidate.policy, candidate.rules);
      }
      return;
    }
    const applying = ofKind.filter(({ policy }) => this.#appliesTo(policy));
    const inServer = applying.flatMap(({ policy, rules }) => rules.filter(isInServer).map((rule) => ({ policy, rule })));
    // The API server's own mutations come before any webhook, and then once more where something changed.
    const before = this.object;
    const ran = this.#mutateInServer(inServer);
    for (const { policy, rules } of applying) {
      this.#policy(
        policy,
        rules.filter((rule) => !isInServer(rule)),
      );
    }
    if (!this.denied && this.needs.size === 0 && this.object !== before) this.#mutateAgain(inServer, ran);
  }

  /** The first round; the answer tells which invocations may run again, by rule. */
  #mutateInServer(rules: readonly PolicyRule[]): ReadonlyMap<CompiledRule, RanBefore> {
    const ran = new Map<CompiledRule, RanBefore>();
    const sent = this.object;
    for (const { policy, rule } of rules) {
      const results = this.#evaluate(rule, { sent });
      for (const result of results) this.#record(policy, rule, result);
      const invocations = results.flatMap(({ invocation }) => (invocation === undefined ? [] : [invocation]));
      const again = rule.inServer?.reinvoke === true ? invocations : [];
      ran.set(rule, { reinvoked: new Set(again), failed: results.some((r) => r.status === "error") });
    }
    return ran;
  }

  /** The second round: conditions are asked of all, and what changed nothing the first time is not told twice. */
  #mutateAgain(rules: readonly PolicyRule[], ran: ReadonlyMap<CompiledRule, RanBefore>): void {
    const sent = this.object;
    for (const { policy, rule } of rules) {
      const { reinvoked, failed } = ran.get(rule) ?? { reinvoked: new Set<string>(), failed: false };
      for (const result of this.#evaluate(rule, { sent, reinvoked })) {
        if (result.status === "error" && !failed) this.#record(policy, rule, result);
        else if (result.object !== undefined && !jsonEquals(result.object, this.object)) {
          this.#become(result.object);
          this.results.push({ policy, rule, result });
        }
      }
    }
  }

  #appliesTo(policy: CompiledPolicy): boolean {
    if (this.#action.channel === "admission") return policy.admission;
    return this.#action.channel === "background" ? policy.background : true;
  }

  #policy(policy: CompiledPolicy, rules: readonly CompiledRule[]): void {
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i];
      if (rule === undefined || (this.#action.channel === "admission" && this.#options.targets !== true && changesOthers(rule))) {
        continue;
      }
      const results = this.#evaluate(rule);
      for (let j = 0; j < results.length; j++) {
        const result = results[j];
        if (result !== undefined) this.#record(policy, rule, this.#excused(policy, rule, result));
      }
      if (policy.firstRuleOnly && results.some((r) => r.status === "pass" || r.status === "fail")) return;
    }
  }

  /** One context per state of the object, so that what rules derive from it can be kept with it. */
  #currentContext(): RuleContext {
    this.#context ??= {
      action: this.#action,
      object: this.object,
      oldObject: this.#action.oldObject,
      settled: this.#action.channel === "admission" && this.#options.kinds?.includes("mutate") === false,
      facts: this.#facts,
      host: this.#host,
      budget: new Budget(this.#options.budget ?? defaultBudget),
      resources: this.#options.resources,
      evaluation: this,
      supplied: this.#options.supplied,
    };
    return this.#context;
  }

  #evaluate(rule: CompiledRule, more?: Partial<RuleContext>): readonly RuleResult[] {
    const context = this.#currentContext();
    context.budget.refill();
    try {
      return rule.evaluate(more === undefined ? context : { ...context, ...more });
    } catch (error) {
      if (error instanceof NeedsFacts) {
        for (const need of error.needs) this.needs.set(needKey(need), need);
        return [];
      }
      // Whatever goes wrong inside one rule, the others still count, and this one did not pass.
      return [{ status: "error", message: error instanceof Error ? error.message : String(error) }];
    }
  }

  #become(object: KubernetesObject): void {
    this.object = object;
    this.#context = undefined;
  }

  /** A change that could not be made is still not made, so nothing excuses that. */
  #excused(policy: CompiledPolicy, rule: CompiledRule, result: RuleResult): RuleResult {
    const objects = result.status === "fail" || result.status === "error";
    if (!objects || (rule.kind !== "validate" && rule.kind !== "verify")) return result;
    const excuse = this.#options.excuse?.(policy, rule);
    if (excuse === undefined) return result;
    return { status: "skip", message: `excepted by ${excuse}: ${result.message}`, exceptions: [excuse] };
  }

  #record(policy: CompiledPolicy, rule: CompiledRule, result: RuleResult): void {
    this.counts[result.status]++;
    if (result.object !== undefined) this.#become(result.object);
    if (result.status === "pass") {
      const carries = result.object !== undefined || result.target !== undefined || result.generated !== undefined;
      if (this.#options.passes === true || carries) this.results.push({ policy, rule, result });
      return;
    }
    this.results.push({ policy, rule, result });
    if (result.status !== "skip") this.#enforce(policy, rule, result);
  }

  #enforce(policy: CompiledPolicy, rule: CompiledRule, result: RuleResult): void {
    const object = this.object ?? this.#action.oldObject;
    const namespace = object === undefined ? this.#action.target.namespace : namespaceOf(object);
    const enforcement = result.enforcement ?? rule.enforcement(namespace, this.#action.namespaceLabels ?? {});
    const objects = result.status === "error" ? policy.onError === "deny" : result.status === "fail" && enforcement === "enforce";
    // What is done elsewhere is done after the answer, and can be tried again.
    if (objects && rule.downstream === undefined) this.denied = true;
    else if (enforcement === "warn" || policy.emitWarning) {
      this.warnings.push(`policy ${policy.id.name}.${rule.name}: ${result.message}`);
    }
  }

  decision(): Decision {
    const { object, warnings, results, counts } = this;
    return { effect: this.denied ? "deny" : "allow", object, warnings, results, counts };
  }
}

/**
 * Judges one action by all policies of the set that may apply to it. Pure and synchronous: what has to be looked up
 * comes back as `pending`; ask again with the answers among the facts.
 */
export function evaluate(set: PolicySet, action: Action, facts: Facts, host: Host, options: EvaluateOptions): Evaluation {
  const candidates = candidatesFor(set, action, options.resources);
  const run = new Run(action, facts, host, options);
  for (const stage of options.kinds ?? admissionOrder) {
    run.stage(stage, candidates);
    // Later stages would see an object that is not what the unanswered ones will make of it.
    if (run.needs.size > 0) return { kind: "pending", needs: [...run.needs.values()] };
  }
  return { kind: "decision", decision: run.decision() };
}

function candidatesFor(set: PolicySet, { target, operation }: Action, resources: ApiResources): Candidates {
  const { group, version, kind, subresource } = target;
  return set.candidates({ group, version, kind, subresource, operation, owner: owningKind(target, resources) });
}
