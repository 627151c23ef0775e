import { PolicySet } from "../../engine/index.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";

/** What an error means for a request. */
export type OnError = CompiledPolicy["onError"];

/** How long a request waits for policies that do not say it, seconds: what Kubernetes and Kyverno have. */
export const usualTimeoutSeconds = 10;

/** The policies that one webhook is for. */
export interface PolicyGroup {
  readonly onError: OnError;
  readonly timeoutSeconds: number;
  /** They are asked about at `/{mutate,validate}/{deny,allow}`; others with their timeout behind it. */
  readonly isUsual: boolean;
  readonly policies: PolicySet;
}

/**
 * The policies that judge at admission, by what an error of theirs means and by how long a request may wait for them: the API server is told
 * either by a webhook. One for all would make a request wait for the slowest.
 */
export class PolicyGroups {
  readonly groups: readonly PolicyGroup[];
  readonly #byPath = new Map<string, PolicySet>();
  readonly #policies: readonly CompiledPolicy[];

  constructor(policies: readonly CompiledPolicy[], usualSeconds: number = usualTimeoutSeconds) {
    this.#policies = policies.filter((policy) => policy.admission);
    const timeoutOf = (policy: CompiledPolicy) => policy.webhookTimeoutSeconds ?? usualSeconds;
    this.groups = (["deny", "allow"] as const).flatMap((onError) => {
      const bySeconds = Map.groupBy(this.#with(onError), timeoutOf);
      return [...bySeconds]
        .sort(([a], [b]) => Number(b === usualSeconds) - Number(a === usualSeconds) || a - b)
        .map(([timeoutSeconds, own]): PolicyGroup => {
          return { onError, timeoutSeconds, isUsual: timeoutSeconds === usualSeconds, policies: new PolicySet(own) };
        });
    });
    for (const { onError, timeoutSeconds, isUsual, policies: set } of this.groups) {
      this.#byPath.set(`${onError}/${timeoutSeconds}`, set);
      if (isUsual) this.#byPath.set(onError, set);
    }
  }

  /**
   * Those asked about at the end of a path: `deny`, `allow/3`. Where a webhook is called that is needed no longer, its policies may have moved
   * to another that the API server does not know yet: all with that meaning of an error are asked.
   */
  at(onError: OnError, timeout: string | undefined): PolicySet {
    const path = timeout === undefined ? onError : `${onError}/${timeout}`;
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const all = new PolicySet(this.#with(onError));
    this.#byPath.set(path, all);
    return all;
  }

  #with(onError: OnError): readonly CompiledPolicy[] {
    return this.#policies.filter((policy) => policy.onError === onError);
  }
}
