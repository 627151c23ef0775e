import type { Person } from "../../access/person.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { Directory } from "../../access/rules/directory.ts";
import { shownAction, shownUser } from "../../access/rules/shown.ts";
import type { Instant } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import { isKubernetesObject } from "../../core/kubernetes.ts";
import type { GuardedAction, Guardrail, GuardrailVerdict } from "../../policies/guardrail/guardrail.ts";

/** A call of the Kubernetes API, with what was read for it. */
export interface GuardedCall {
  readonly action: RequestedAction;
  readonly person: Person;
  readonly at: Instant;
  readonly object?: JsonObject | undefined;
  readonly oldObject?: JsonObject | undefined;
}

const asObject = (value: JsonObject | undefined) => (isKubernetesObject(value) ? value : undefined);

/** The guardrails in force, for calls that come through the gateway. */
export class Guardrails {
  readonly #directory: () => Directory;
  readonly #listeners = new Set<() => void>();
  readonly #of: (cluster: string) => readonly Guardrail[];

  /** `of` answers those that are in force in a cluster now. */
  constructor(of: (cluster: string) => readonly Guardrail[], directory: () => Directory) {
    this.#of = of;
    this.#directory = directory;
  }

  /** They are others now. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Told when they are others; the answer ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What must be read before they can judge; undefined: none concerns the call. */
  needs(action: RequestedAction, person: Person): { readonly object: boolean; readonly oldObject: boolean } | undefined {
    const concerned = this.#concerned(this.#guarded({ action, person, at: action.at }));
    if (concerned.length === 0) return undefined;
    const writes = action.verb === "create" || action.verb === "update" || action.verb === "patch";
    return {
      object: writes && concerned.some(({ sees }) => sees.object),
      // A selector wants the labels of what is deleted or changed.
      oldObject: action.verb !== "create" && concerned.some(({ sees }) => sees.oldObject),
    };
  }

  /** What those say that have something to say. */
  judge(call: GuardedCall): readonly GuardrailVerdict[] {
    const guarded = this.#guarded(call);
    return this.#concerned(guarded).flatMap((guardrail) => guardrail.judge(guarded) ?? []);
  }

  #concerned(guarded: GuardedAction): readonly Guardrail[] {
    return this.#of(guarded.action.cluster).filter((guardrail) => guardrail.concerns(guarded));
  }

  #guarded({ action, person, at, object, oldObject }: GuardedCall): GuardedAction {
    return {
      action: shownAction(action, object),
      user: shownUser(person, this.#directory()),
      at,
      object: asObject(object),
      oldObject: asObject(oldObject),
      namespaceLabels: () => action.namespaceLabels,
    };
  }
}
