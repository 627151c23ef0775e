import { setTimeout as sleep } from "node:timers/promises";
import { type Ledger, LedgerBusy, LedgerLate, LedgerUnavailable } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Action } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Host } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import { type Decision, type Excuse, type PolicySet, policyName, rulesForOthers } from "../../engine/index.ts";
import type { CompiledRule, RuleKind } from "../../policies/policy.ts";
import { type Effects, effectsOf } from "../downstream/effects.ts";
import { type Approvals, excuseOf, isGuardrail, type Lift } from "./approvals.ts";
import { decide, LookupsFailed } from "./decide.ts";
import type { FactSource } from "./facts.ts";
import type { PolicyResultCounts } from "./policy-result-counts.ts";
import type { AdmissionAnswer } from "./review.ts";
import { UnansweredReviews } from "./unanswered.ts";

/** Which of the API server's two calls is answered. */
export type AdmissionStage = "mutate" | "validate";

/** The kinds of rules that a call runs. */
const stageKinds: { readonly [stage in AdmissionStage]: readonly RuleKind[] } = {
  mutate: ["mutate", "verify"],
  validate: ["verify", "validate", "generate"],
};

/** Whether a call is registered for a rule: rules that change other objects wait for what is stored in the end. */
export function runsAt(stage: AdmissionStage, { kind, downstream }: CompiledRule): boolean {
  return kind === "mutate" && downstream !== undefined ? stage === "validate" : stageKinds[stage].includes(kind);
}

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
  /** What people approved; undefined: nobody is asked for anything. */
  readonly approvals?: Approvals;
}

interface Asked {
  readonly action: Action;
  readonly stage: AdmissionStage;
  readonly policies: PolicySet;
  readonly until: number;
}

/** Shown to who is refused: it is not theirs to put right. */
const tryAgain = "Try again in a moment; if it goes on, tell who runs Castellan that its database does not answer";

/** The decision could not be made or kept; the caller answers with an HTTP error, so that failurePolicy applies. */
class AdmissionUnavailable extends Error {}

/** Judges admission requests by the policies of the moment. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #unanswered: UnansweredReviews;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#unanswered = new UnansweredReviews(options.ledger);
  }

  /** Rejects with `AdmissionUnavailable` at the moment `until` of `performance.now()`, or where the record cannot be written. */
  async admit(uid: string, asked: Action, stage: AdmissionStage, policies: PolicySet, until: number): Promise<AdmissionAnswer> {
    const { approvals, cluster } = this.#options;
    const action: Action = { ...asked, cluster };
    const lift = approvals?.liftOf(action);
    const gone = lift?.ok === false && lift.isVoid === true ? lift.why : undefined;
    if (gone !== undefined) return this.#void(uid, action, stage, gone, until);
    const { decision, refused } = await this.#approved({ action, stage, policies, until }, lift);
    const changed = stage === "mutate" && decision.object !== action.object ? decision.object : undefined;
    const answer: AdmissionAnswer = {
      allowed: decision.effect === "allow",
      message: this.#denial(decision, action, refused),
      warnings: decision.warnings,
      object: changed,
    };
    await this.#keep(uid, action, stage, decision, changed !== undefined, until);
    const { onEffects, resources } = this.#options;
    if (onEffects === undefined || !answer.allowed || action.dryRun || stage === "mutate") return answer;
    const effects = effectsOf(decision, action, rulesForOthers(policies, action, resources()));
    if (effects !== undefined) onEffects(effects);
    return answer;
  }

  /** For calls that came with an approval, where no policy looks: only whether it is still one for this object. */
  async recheck(uid: string, asked: Action, until: number): Promise<AdmissionAnswer> {
    const action: Action = { ...asked, cluster: this.#options.cluster };
    const lift = this.#options.approvals?.liftOf(action);
    if (lift?.ok !== false || lift.isVoid !== true) return { allowed: true, message: "", warnings: [] };
    return this.#void(uid, action, "validate", lift.why, until);
  }

  /** A call that was approved for an object that is another by now is not made, whether or not a policy would mind. */
  async #void(uid: string, action: Action, stage: AdmissionStage, why: string, until: number): Promise<AdmissionAnswer> {
    const record = recordOf(this.#options.cluster, uid, action, stage, undefined);
    if (!action.dryRun) await this.#append(uid, { ...record, outcome: "deny", data: { ...record.data, approval: why } }, until);
    return { allowed: false, message: `${why}: run the command again, and what it is about by now is asked for`, warnings: [] };
  }

  /** The decision with what people approved; an approval that has been used is none. */
  async #approved(
    asked: Asked,
    lift: Lift | undefined,
  ): Promise<{ readonly decision: Decision; readonly refused?: string | undefined }> {
    const exceptions = this.#options.approvals?.exceptionsOf(asked.action);
    let counted = false;
    const excuse = excuseOf(lift, exceptions, () => {
      counted = true;
    });
    const decision = await this.#decide(asked, excuse);
    if (lift?.ok !== true) return { decision, refused: lift?.why };
    // A dry run, and what is denied all the same, uses nothing up.
    if (!counted || asked.action.dryRun || decision.effect === "deny" || (await this.#spent(lift, asked.until)))
      return { decision };
    return { decision: await this.#decide(asked, exceptions), refused: "the approval that came along has been used" };
  }

  async #spent(lift: Extract<Lift, { readonly ok: true }>, until: number): Promise<boolean> {
    const stopped = new AbortController();
    const late = sleep(Math.max(0, until - performance.now()), undefined, { signal: stopped.signal });
    try {
      const spent = await Promise.race([lift.spend(), late]);
      // One whose use is known too late is used up, rather than used twice.
      if (spent === undefined) throw new Error("the database did not answer in time");
      return spent;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new AdmissionUnavailable(`the use of the approval cannot be recorded: ${why}. ${tryAgain}`, { cause: error });
    } finally {
      stopped.abort();
    }
  }

  /** As kubectl shows it: one line for each rule that refused, then what can be done about it. */
  #denial(decision: Decision, action: Action, refused: string | undefined): string {
    if (decision.effect === "allow") return "";
    const objections = decision.results.filter(({ result }) => result.status === "fail" || result.status === "error");
    const reasons = objections.map(({ policy, rule, result }) => `${policyName(policy.id)}/${rule.name}: ${result.message}`);
    const guarded = refused !== undefined && objections.some(({ policy }) => isGuardrail(policy));
    const advice = objections.flatMap(({ policy, rule }) => this.#options.approvals?.advice(policy, rule.name, action) ?? []);
    const more = [...(guarded ? [`${refused}.`] : []), ...(advice.length === 0 ? [] : ["To ask for an exception:", ...advice])];
    return `refused by policy:\n\n${reasons.join("\n")}\n${more.length === 0 ? "" : `\n${more.join("\n")}\n`}`;
  }

  async #decide({ action, stage, policies, until }: Asked, excuse: Excuse | undefined): Promise<Decision> {
    const { facts, resources, host, budget, results } = this.#options;
    const options = {
      resources: resources(),
      kinds: stageKinds[stage],
      passes: results !== undefined,
      ...(budget === undefined ? {} : { budget }),
      ...(excuse === undefined ? {} : { excuse }),
    };
    try {
      const decision = await decide(policies, action, facts, host, options, until);
      results?.take(decision.results, action);
      return decision;
    } catch (error) {
      if (error instanceof LookupsFailed) throw new AdmissionUnavailable(error.message, { cause: error });
      throw error;
    }
  }

  /** A dry run leaves no trace; a mutation stage that did nothing is told by the validation that follows. */
  async #keep(
    uid: string,
    action: Action,
    stage: AdmissionStage,
    decision: Decision,
    changed: boolean,
    until: number,
  ): Promise<void> {
    if (action.dryRun || (stage === "mutate" && !changed && decision.effect === "allow")) return;
    await this.#append(uid, recordOf(this.#options.cluster, uid, action, stage, decision), until);
  }

  async #append(uid: string, record: NewRecord, until: number): Promise<void> {
    try {
      await this.#options.ledger.append([record], until);
    } catch (error) {
      const isLate = error instanceof LedgerLate || error instanceof LedgerUnavailable;
      if (!isLate && !(error instanceof LedgerBusy)) throw error;
      if (isLate) this.#unanswered.note(uid, record, error);
      throw new AdmissionUnavailable(`the decision cannot be recorded: ${error.message}. ${tryAgain}`, { cause: error });
    }
  }
}

const verbs = { CREATE: "create", UPDATE: "update", DELETE: "delete", CONNECT: "connect" } as const;

function recordOf(
  cluster: string,
  uid: string,
  action: Action,
  stage: AdmissionStage,
  decision: Decision | undefined,
): NewRecord {
  const { outcome, data } = decision === undefined ? { outcome: "deny", data: {} } : saidOf(decision, action);
  const { target } = action;
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
    // In the order of the record's text, here and below, so that it is written without being sorted.
    data: { ...data, stage, uid },
  };
}

function saidOf(decision: Decision, { target }: Action): { readonly outcome: string; readonly data: JsonObject } {
  const told = decision.results.filter(({ result }) => result.status !== "pass" && result.status !== "skip");
  const outcome =
    decision.effect === "deny" ? "deny" : decision.warnings.length > 0 ? "warn" : told.length > 0 ? "audit" : "allow";
  const results = told.map(
    ({ policy, rule, result }): JsonObject => ({
      message: target.resource === "secrets" ? "" : result.message,
      policy: policyName(policy.id),
      rule: rule.name,
      status: result.status,
    }),
  );
  const excused = decision.results.flatMap(({ policy, rule, result }): readonly JsonObject[] =>
    (result.exceptions ?? []).map((by) => ({ by, policy: policyName(policy.id), rule: rule.name })),
  );
  const { error, fail, pass, skip, warn } = decision.counts;
  const counts = { error, fail, pass, skip, warn };
  const more = { ...(excused.length === 0 ? {} : { excused }), ...(results.length === 0 ? {} : { results }) };
  return { outcome, data: { counts, ...more } };
}
