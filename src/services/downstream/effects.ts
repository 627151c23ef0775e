import { setTimeout as delay } from "node:timers/promises";
import { ApiError } from "../../adapters/kubernetes/client.ts";
import type { Action } from "../../core/action.ts";
import { type KubernetesObject, labelsOf, uidOf } from "../../core/kubernetes.ts";
import { type Decision, type PolicyResult, type PolicyRule, policyName } from "../../engine/index.ts";
import {
  generatedAsLabel,
  generatedLabels,
  policyNameLabel,
  withLabels,
} from "../../policies/kyverno/generate/generated-labels.ts";
import type { DownstreamTerms } from "../../policies/policy.ts";
import type { DownstreamWriter } from "./downstream-writer.ts";
import type { RuleJudge } from "./judge.ts";
import { markOf, refOf } from "./made-objects.ts";

/** What policies want done elsewhere because a request was admitted. */
export interface Effects {
  readonly action: Action;
  /** Objects to be made, or brought to this state. */
  readonly generated: readonly Wanted[];
  /** Other objects, after the mutation of a rule. */
  readonly targets: readonly Wanted[];
  /** Rules that run once the answer is given: the object itself may be what they look for, and is stored a moment later. */
  readonly later: readonly PolicyRule[];
}

/** An object as a policy wants it. */
export interface Wanted {
  readonly object: KubernetesObject;
  readonly terms: DownstreamTerms;
}

/** Undefined where an admitted request has no effects elsewhere; `later`: rules that have not run yet. */
export function effectsOf({ results }: Decision, action: Action, later: readonly PolicyRule[] = []): Effects | undefined {
  // Nearly all have none.
  if (later.length === 0 && !results.some(({ rule }) => rule.downstream !== undefined)) return undefined;
  const trigger = action.object ?? action.oldObject;
  const generated = results.flatMap((told) => generatedBy(told, trigger));
  const targets = results.flatMap(({ rule: { downstream }, result: { status, target } }) =>
    downstream === undefined || target === undefined || status !== "pass" ? [] : [{ object: target, terms: downstream }],
  );
  const failed = results.filter(({ rule, result }) => rule.downstream !== undefined && result.status === "error");
  const waiting = [...later, ...failed];
  return generated.length + targets.length + waiting.length === 0 ? undefined : { action, generated, targets, later: waiting };
}

/** The objects that a result wants, labelled with what they were made for where they are to be kept. */
function generatedBy({ policy, rule, result }: PolicyResult, trigger: KubernetesObject | undefined): readonly Wanted[] {
  const terms = rule.downstream;
  if (terms === undefined) return [];
  return (result.generated ?? []).map((object) => {
    const isMarked = labelsOf(object)[policyNameLabel] !== undefined;
    if (isMarked || !terms.synchronize || trigger === undefined) return { object, terms };
    const labelled = withLabels(object, {
      ...generatedLabels(policy.id, rule.name, trigger),
      [generatedAsLabel]: markOf(object),
    });
    return { object: { ...labelled, apiVersion: object.apiVersion, kind: object.kind }, terms };
  });
}

/** An object that was just admitted is stored a moment later. */
const tries = 12;
const pauseMilliseconds = 300;
/** Of a rule that cannot be carried out yet, with pauses that grow by as much: the last is 13 seconds later. */
const retries = 9;

/** Makes the effects of admitted requests in the cluster, after the answer, in order. What the server refuses is told. */
export class EffectsWriter {
  readonly #writer: DownstreamWriter;
  readonly #judge: RuleJudge;
  readonly #onTrouble: (error: unknown) => void;
  readonly #retries = new Set<Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  constructor(writer: DownstreamWriter, judge: RuleJudge, onTrouble: (error: unknown) => void) {
    this.#writer = writer;
    this.#judge = judge;
    this.#onTrouble = onTrouble;
  }

  take(effects: Effects): void {
    this.#last = this.#last.then(() => this.#carryOut(effects)).catch(this.#onTrouble);
    for (const rule of effects.later) {
      const retry = this.#runLater(rule, effects.action).catch(this.#onTrouble);
      this.#retries.add(retry);
      void retry.then(() => this.#retries.delete(retry));
    }
  }

  /** Resolves when everything that was taken is done or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#retries);
    await this.#last;
  }

  async #carryOut({ action, generated, targets }: Effects): Promise<void> {
    const own = await this.#writer.isOwn(action);
    const counts = ({ terms }: Wanted) => !(own && terms.skipsOwnWrites);
    const made = generated.filter(counts);
    const changed = targets.filter(counts);
    if (made.length + changed.length === 0 || !(await this.#isStored(action))) return;
    for (const { object, terms } of made) await this.#write(object, () => this.#writer.bring(object, terms));
    for (const { object } of changed) await this.#writer.mutate(object);
  }

  /** What was admitted here may have been refused behind us, or is gone already: nothing is made for it then. */
  async #isStored({ operation, target, object }: Action): Promise<boolean> {
    if (operation === "DELETE" || target.subresource !== "" || object === undefined || uidOf(object) === "") return true;
    for (let attempt = 1; attempt <= tries; attempt++) {
      if (await this.#writer.isThere(object)) return true;
      await delay(pauseMilliseconds);
    }
    return false;
  }

  /** A target that somebody changed in between is judged again. */
  async #runLater(rule: PolicyRule, asked: Action): Promise<void> {
    // As in Kyverno, what was deleted is the object of a rule that runs afterwards.
    const action = { ...asked, object: asked.object ?? asked.oldObject };
    let problem = "";
    for (let attempt = 1; attempt <= retries; attempt++) {
      await delay(pauseMilliseconds * attempt);
      const decision = await this.#judge.judge(rule, action);
      const effects = effectsOf(decision, action);
      if (effects === undefined) return;
      problem = decision.results.find(({ result }) => result.status === "error")?.result.message ?? "";
      if (effects.later.length > 0) continue;
      const done = this.#last.then(() => this.#carryOut(effects));
      this.#last = done.catch(() => {});
      try {
        return await done;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
    }
    this.#onTrouble(new Error(`${policyName(rule.policy.id)}/${rule.rule.name} could not be carried out: ${problem}`));
  }

  async #write(object: KubernetesObject, write: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await write();
        return;
      } catch (error) {
        const mayPass = error instanceof ApiError && (error.status === 404 || error.status === 409);
        if (!mayPass || attempt === tries) return this.#onTrouble(notWritten(object, error));
        await delay(pauseMilliseconds);
      }
    }
  }
}

/** For who is told of trouble. */
export function notWritten(object: KubernetesObject, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${refOf(object)} could not be written for a policy: ${message}`, { cause: error });
}
