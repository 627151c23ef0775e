import { jsonEquals } from "../../../core/json.ts";
import { formatRef, groupOf, isKubernetesObject, type KubernetesObject, resourceRef } from "../../../core/kubernetes.ts";
import { MatchFailure } from "../match.ts";
import type { GatekeeperWorld } from "../world.ts";
import { ChangeFailure } from "./change.ts";
import { conflictsAmong } from "./conflicts.ts";
import { compileMutator, isMutatorKind, type Mutable, type Mutator, mutationGroup } from "./mutator.ts";

export type Mutated =
  | { readonly kind: "done"; readonly object: KubernetesObject; readonly applied: ReadonlySet<string> }
  | {
      readonly kind: "failed";
      readonly object: KubernetesObject;
      readonly message: string;
      readonly mutator: string | undefined;
    };

/** All mutators together. */
export interface Mutators {
  readonly conflicting: ReadonlySet<string>;
  /** Applies them in the order of their kinds and names, again and again until nothing changes any more. */
  mutate(mutable: Mutable): Mutated;
}

const isBefore = (a: Mutator, b: Mutator): number => {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
};

class MutationSystem implements Mutators {
  readonly conflicting: ReadonlySet<string>;
  readonly #mutators: readonly Mutator[];

  constructor(mutators: readonly Mutator[]) {
    this.conflicting = conflictsAmong(mutators.flatMap(({ claim }) => (claim === undefined ? [] : [claim])));
    this.#mutators = [...mutators].sort(isBefore);
  }

  mutate(mutable: Mutable): Mutated {
    const applied = new Set<string>();
    let { object } = mutable;
    for (let round = 0; round <= this.#mutators.length; round++) {
      const before = object;
      let any = false;
      for (const mutator of this.#mutators) {
        if (this.conflicting.has(mutator.id)) continue;
        try {
          const current = { ...mutable, object };
          if (!mutator.matches(current)) continue;
          const after = mutator.mutate(current);
          if (after === undefined || !isKubernetesObject(after)) continue;
          any = true;
          if (!jsonEquals(after, object)) applied.add(mutator.id);
          object = after;
        } catch (failure) {
          if (!(failure instanceof ChangeFailure || failure instanceof MatchFailure)) throw failure;
          return { kind: "failed", object: mutable.object, message: `${mutator.id}: ${failure.message}`, mutator: mutator.id };
        }
      }
      if (!any || jsonEquals(before, object)) return { kind: "done", object, applied };
    }
    const message = `the mutations of ${formatRef(resourceRef(mutable.object))} do not come to an end: each round changes it anew`;
    return { kind: "failed", object: mutable.object, message, mutator: undefined };
  }
}

/** Mutators made ready to work together. */
function mutationSystem(mutators: readonly Mutator[]): Mutators {
  return new MutationSystem(mutators);
}

export const isMutator = (object: KubernetesObject): boolean => groupOf(object) === mutationGroup && isMutatorKind(object.kind);

const systems = new WeakMap<GatekeeperWorld, Mutators>();

/** The mutators of a world; made once. */
export function mutatorsOf(world: GatekeeperWorld): Mutators {
  const known = systems.get(world);
  if (known !== undefined) return known;
  const mutators = world.documents
    .filter(({ value }) => isMutator(value))
    .map((document) => compileMutator(document).mutator)
    .filter((mutator) => mutator !== undefined);
  const system = mutationSystem(mutators);
  systems.set(world, system);
  return system;
}
