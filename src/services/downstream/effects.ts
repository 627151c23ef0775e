import { setTimeout as delay } from "node:timers/promises";
import { ApiError } from "../../adapters/kubernetes/client.ts";
import type { Action } from "../../core/action.ts";
import { asString, member } from "../../core/json.ts";
import { formatRef, type KubernetesObject, labelsOf, resourceRef } from "../../core/kubernetes.ts";
import type { Decision, PolicyResult } from "../../engine/index.ts";
import { generatedLabels, policyNameLabel, withLabels } from "../../policies/kyverno/generate/generated-labels.ts";
import type { DownstreamTerms } from "../../policies/policy.ts";
import type { DownstreamWriter } from "./downstream-writer.ts";

/** What policies want done elsewhere because a request was admitted. */
export interface Effects {
  readonly action: Action;
  /** Objects to be made, or brought to this state. */
  readonly generated: readonly Wanted[];
  /** Other objects, after the mutation of a rule. */
  readonly targets: readonly Wanted[];
}

/** An object as a policy wants it. */
export interface Wanted {
  readonly object: KubernetesObject;
  readonly terms: DownstreamTerms;
}

const usualTerms: DownstreamTerms = {
  synchronize: false,
  existing: false,
  orphan: false,
  serverSideApply: false,
  skipsOwnWrites: true,
  needsRequest: false,
};

/** Undefined where an admitted request has no effects elsewhere. */
export function effectsOf({ results }: Decision, action: Action): Effects | undefined {
  // Nearly all have none.
  if (!results.some(({ result }) => result.generated !== undefined || result.target !== undefined)) return undefined;
  const trigger = action.object ?? action.oldObject;
  const generated = results.flatMap((told) => generatedBy(told, trigger));
  const targets = results.flatMap(({ rule, result }) =>
    result.target === undefined || result.status !== "pass"
      ? []
      : [{ object: result.target, terms: rule.downstream ?? usualTerms }],
  );
  return generated.length + targets.length === 0 ? undefined : { action, generated, targets };
}

/** The objects that a result wants, labelled with what they were made for where they are to be kept. */
export function generatedBy({ policy, rule, result }: PolicyResult, trigger: KubernetesObject | undefined): readonly Wanted[] {
  const terms = rule.downstream ?? usualTerms;
  return (result.generated ?? []).map((object) => {
    const isMarked = labelsOf(object)[policyNameLabel] !== undefined;
    if (isMarked || !terms.synchronize || trigger === undefined) return { object, terms };
    const labelled = withLabels(object, generatedLabels(policy.id, rule.name, trigger));
    return { object: { ...labelled, apiVersion: object.apiVersion, kind: object.kind }, terms };
  });
}

/** An object that was just admitted is stored a moment later. */
const tries = 12;
const pauseMilliseconds = 300;

/** Makes the effects of admitted requests in the cluster, after the answer, in order. What the server refuses is told. */
export class EffectsWriter {
  readonly #writer: DownstreamWriter;
  readonly #onTrouble: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(writer: DownstreamWriter, onTrouble: (error: unknown) => void) {
    this.#writer = writer;
    this.#onTrouble = onTrouble;
  }

  take({ action, generated, targets }: Effects): void {
    this.#last = this.#last.then(async () => {
      const own = await this.#writer.isOwn(action);
      const counts = ({ terms }: Wanted) => !(own && terms.skipsOwnWrites);
      for (const { object, terms } of generated.filter(counts))
        await this.#write(object, () => this.#writer.bring(object, terms));
      for (const { object } of targets.filter(counts)) await this.#write(object, () => this.#writer.mutate(object));
    });
  }

  /** Resolves when everything that was taken is done or given up. */
  settled(): Promise<void> {
    return this.#last;
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
  return new Error(`${formatRef(resourceRef(object))} could not be written for a policy: ${message}`, { cause: error });
}

export const uidOf = (object: KubernetesObject): string => asString(member(object.metadata, "uid")) ?? "";
