import { type Ledger, LedgerBusy, LedgerUnavailable } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Action } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Host } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import { type Decision, evaluate, type PolicySet, policyName } from "../../engine/index.ts";
import type { RuleKind } from "../../policies/policy.ts";
import { type Effects, effectsOf } from "./effects.ts";
import { type FactSource, GatheredFacts } from "./facts.ts";
import type { PolicyResultCounts } from "./policy-result-counts.ts";
import type { AdmissionAnswer } from "./review.ts";

/** Which of the API server's two calls is answered. */
export type AdmissionStage = "mutate" | "validate";

/** The kinds of rules that a call runs; the webhooks are registered for these. */
export const stageKinds: { readonly [stage in AdmissionStage]: readonly RuleKind[] } = {
  mutate: ["mutate", "verify"],
  validate: ["verify", "validate", "generate"],
};

/** Look-ups whose address depends on other look-ups: more rounds than any sensible policy needs. */
const maximumRounds = 8;

export interface AdmissionOptions {
  readonly cluster: string;
  readonly facts: FactSource;
  readonly resources: () => ApiResources;
  readonly host: Host;
  /** Where decisions are kept; a decision that cannot be kept is not given. */
  readonly ledger: Ledger;
  /** What the policies said, for who counts it; passes are among it. */
  readonly results?: PolicyResultCounts;
  /** What admitted requests lead to elsewhere; nothing is done for a dry run. */
  readonly onEffects?: (effects: Effects) => void;
  /** Steps that each rule may use on one object. */
  readonly budget?: number;
}

/** The decision could not be made or kept; the caller answers with an HTTP error, so that failurePolicy applies. */
class AdmissionUnavailable extends Error {}

/** Judges admission requests by the policies of the moment. */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Rejects with `AdmissionUnavailable` when the deadline passes or the record cannot be written. */
  async admit(
    uid: string,
    action: Action,
    stage: AdmissionStage,
    policies: PolicySet,
    deadlineMilliseconds: number,
  ): Promise<AdmissionAnswer> {
    const decision = await this.#decide(action, stage, policies, deadlineMilliseconds);
    const changed = stage === "mutate" && decision.object !== action.object ? decision.object : undefined;
    const answer: AdmissionAnswer = {
      allowed: decision.effect === "allow",
      message: denial(decision),
      warnings: decision.warnings,
      object: changed,
    };
    await this.#keep(uid, action, stage, decision, changed !== undefined);
    const effects = answer.allowed && !action.dryRun ? effectsOf(decision) : undefined;
    if (effects !== undefined) this.#options.onEffects?.(effects);
    return answer;
  }

  async #decide(action: Action, stage: AdmissionStage, policies: PolicySet, deadlineMilliseconds: number): Promise<Decision> {
    const { facts, resources, host, budget, results } = this.#options;
    const gathered = new GatheredFacts(facts);
    const options = {
      resources: resources(),
      kinds: stageKinds[stage],
      passes: results !== undefined,
      ...(budget === undefined ? {} : { budget }),
    };
    // Most decisions need no look-up, and a timer for each review is dear.
    let signal: AbortSignal | undefined;
    for (let round = 0; round < maximumRounds; round++) {
      const evaluation = evaluate(policies, action, gathered, host, options);
      if (evaluation.kind === "decision") {
        results?.take(evaluation.decision.results, action);
        return evaluation.decision;
      }
      signal ??= AbortSignal.timeout(deadlineMilliseconds);
      await gathered.gather(evaluation.needs, signal);
      if (signal.aborted) throw new AdmissionUnavailable("the look-ups that the policies ask for took too long");
    }
    throw new AdmissionUnavailable(`the policies ask for more after ${maximumRounds} rounds of look-ups`);
  }

  /** A dry run leaves no trace; a mutation stage that did nothing is told by the validation that follows. */
  async #keep(uid: string, action: Action, stage: AdmissionStage, decision: Decision, changed: boolean): Promise<void> {
    if (action.dryRun || (stage === "mutate" && !changed && decision.effect === "allow")) return;
    try {
      await this.#options.ledger.append([recordOf(this.#options.cluster, uid, action, stage, decision)]);
    } catch (error) {
      if (error instanceof LedgerBusy || error instanceof LedgerUnavailable) {
        throw new AdmissionUnavailable(`the decision cannot be recorded: ${error.message}`, { cause: error });
      }
      throw error;
    }
  }
}

/** As kubectl shows it: one line for each rule that refused. */
function denial({ effect, results }: Decision): string {
  if (effect === "allow") return "";
  const reasons = results
    .filter(({ result }) => result.status === "fail" || result.status === "error")
    .map(({ policy, rule, result }) => `${policyName(policy.id)}/${rule.name}: ${result.message}`);
  return `refused by policy:\n\n${reasons.join("\n")}\n`;
}

const verbs = { CREATE: "create", UPDATE: "update", DELETE: "delete", CONNECT: "connect" } as const;

function recordOf(cluster: string, uid: string, action: Action, stage: AdmissionStage, decision: Decision): NewRecord {
  const { target } = action;
  const told = decision.results.filter(({ result }) => result.status !== "pass" && result.status !== "skip");
  const outcome =
    decision.effect === "deny" ? "deny" : decision.warnings.length > 0 ? "warn" : told.length > 0 ? "audit" : "allow";
  const results = told.map(
    ({ policy, rule, result }): JsonObject => ({
      policy: policyName(policy.id),
      rule: rule.name,
      status: result.status,
      message: target.resource === "secrets" ? "" : result.message,
    }),
  );
  return {
    kind: "admission.decision",
    at: action.at,
    cluster,
    actor: action.actor?.user,
    verb: verbs[action.operation],
    group: target.group,
    resource: target.subresource === "" ? target.resource : `${target.resource}/${target.subresource}`,
    namespace: target.namespace === "" ? undefined : target.namespace,
    name: target.name === "" ? undefined : target.name,
    outcome,
    data: { uid, stage, counts: { ...decision.counts }, ...(results.length === 0 ? {} : { results }) },
  };
}
