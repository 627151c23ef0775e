import { gvkOf } from "../../core/kubernetes.ts";
import { PolicySet } from "../../engine/index.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";
import type { ObjectDocument } from "../scanned-objects.ts";

/** What a policy costs where it looks at an object. */
export interface PolicyCost {
  /** The median of the last samples: the first ones are those of code that is not compiled yet. */
  readonly microseconds: number;
  readonly samples: number;
}

interface Measured {
  /** The policy alone. */
  readonly set: PolicySet;
  /** Of the last samples, the oldest first. */
  readonly microseconds: number[];
}

const keptSamples = 20;
/** Of objects judged, once a policy has its samples: what measuring costs stays a small part of judging. */
const sampleEvery = 50;
const stages = ["mutate", "verify", "validate"] as const;

/** How long policies take, measured on some of the objects that the background scan looks at. Admission measures nothing. */
export class PolicyCosts {
  readonly #measured = new WeakMap<CompiledPolicy, Measured>();
  readonly #ticks: () => number;
  #sinceSample = 0;

  /** `ticks`: milliseconds since some moment, in fractions. */
  constructor(ticks: () => number = () => performance.now()) {
    this.#ticks = ticks;
  }

  /** Judges some of `objects` by single policies, with `judge`, and keeps how long that took. */
  sample(
    policies: readonly CompiledPolicy[],
    objects: readonly ObjectDocument[],
    judge: (set: PolicySet, object: ObjectDocument) => void,
  ): void {
    for (const object of objects) {
      const isDue = ++this.#sinceSample >= sampleEvery;
      if (isDue) this.#sinceSample = 0;
      const key = { ...gvkOf(object.value), subresource: "", operation: "CREATE" } as const;
      for (const policy of policies) {
        const { set, microseconds } = this.#of(policy);
        if ((!isDue && microseconds.length >= keptSamples) || !set.concerns(key, stages)) continue;
        const start = this.#ticks();
        judge(set, object);
        microseconds.push((this.#ticks() - start) * 1000);
        if (microseconds.length > keptSamples) microseconds.shift();
      }
    }
  }

  /** Undefined where no object was judged by it yet. */
  costOf(policy: CompiledPolicy): PolicyCost | undefined {
    const sorted = this.#measured.get(policy)?.microseconds.toSorted((a, b) => a - b) ?? [];
    const median = sorted[Math.floor(sorted.length / 2)];
    return median === undefined ? undefined : { microseconds: Math.round(median), samples: sorted.length };
  }

  #of(policy: CompiledPolicy): Measured {
    const measured = this.#measured.get(policy) ?? { set: new PolicySet([policy]), microseconds: [] };
    this.#measured.set(policy, measured);
    return measured;
  }
}
