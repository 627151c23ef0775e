import type { Action } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Host } from "../../core/host.ts";
import { type Decision, type PolicyRule, PolicySet } from "../../engine/index.ts";
import { decide } from "../admission/decide.ts";
import type { FactSource } from "../admission/facts.ts";

const lookupMilliseconds = 10_000;

/** Runs single rules in a live cluster, with everything looked up anew. */
export class RuleJudge {
  readonly #facts: () => FactSource;
  readonly #resources: () => ApiResources;
  readonly #host: Host;

  /** `facts` makes a source that remembers nothing. */
  constructor(facts: () => FactSource, resources: () => ApiResources, host: Host) {
    this.#facts = facts;
    this.#resources = resources;
    this.#host = host;
  }

  /** `watching` sees what is looked up. */
  async judge({ policy, rule }: PolicyRule, action: Action, watching = (source: FactSource) => source): Promise<Decision> {
    // Of a policy whose first rule is its last, the others decide whether this one runs.
    const only = new PolicySet([{ ...policy, rules: policy.firstRuleOnly ? policy.rules : [rule] }]);
    const facts = watching(this.#facts());
    const options = { resources: this.#resources(), kinds: [rule.kind], passes: true, targets: true };
    const decision = await decide(only, action, facts, this.#host, options, performance.now() + lookupMilliseconds);
    return policy.firstRuleOnly ? { ...decision, results: decision.results.filter((told) => told.rule === rule) } : decision;
  }
}
