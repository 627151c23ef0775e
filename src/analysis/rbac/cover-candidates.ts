import { atomsOf } from "./covers.ts";
import type { Role } from "./objects.ts";
import type { PolicyRule } from "./policy-rule.ts";

/**
 * Finds the roles that may cover given rules without comparing all with all: those that hold the verb, group and resource of
 * every atom in so many words, and those with a wildcard.
 */
export class CoverCandidates {
  readonly #holders = new Map<string, Set<Role>>();
  readonly #wild = new Set<Role>();
  readonly #order = new Map<Role, number>();

  add(role: Role): void {
    this.#order.set(role, this.#order.size);
    if (role.rules.some(isWild)) this.#wild.add(role);
    for (const key of keysOf(role.rules)) {
      const holders = this.#holders.get(key) ?? new Set();
      this.#holders.set(key, holders);
      holders.add(role);
    }
  }

  /** In the order in which they were added. Whether they cover the rules is still to be asked: names are not looked at. */
  of(rules: readonly PolicyRule[]): readonly Role[] {
    const keys = keysOf(rules);
    if (keys.size === 0) return [...this.#order.keys()];
    const holders = [...keys].map((key) => this.#holders.get(key));
    const smallest = holders.reduce((a, b) => ((b?.size ?? 0) < (a?.size ?? 0) ? b : a));
    const literal = [...(smallest ?? [])].filter((role) => holders.every((set) => set?.has(role) === true));
    return [...new Set([...literal, ...this.#wild])].sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0));
  }
}

function keysOf(rules: readonly PolicyRule[]): ReadonlySet<string> {
  return new Set(
    rules
      .flatMap(atomsOf)
      .map(({ verbs, apiGroups, resources, nonResourceURLs }) =>
        [verbs[0], apiGroups[0], resources[0], nonResourceURLs[0]].join(" "),
      ),
  );
}

function isWild({ verbs, apiGroups, resources, nonResourceURLs }: PolicyRule): boolean {
  return [...verbs, ...apiGroups, ...resources, ...nonResourceURLs].some((word) => word.includes("*"));
}
