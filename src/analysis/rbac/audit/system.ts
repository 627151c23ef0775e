import { missingFrom } from "../covers.ts";
import { describeObject } from "../describe.ts";
import type { Binding, Role } from "../objects.ts";
import type { PolicyRule } from "../policy-rule.ts";
import { subjectKey } from "../rbac-index.ts";
import type { DefaultRbac } from "../world.ts";

/** Tells Kubernetes' own roles and bindings from everybody else's. */
export class SystemRbac {
  readonly #roles: ReadonlyMap<string, readonly PolicyRule[]>;
  readonly #bindings: ReadonlyMap<string, Binding>;

  constructor({ roles, gated, bindings }: DefaultRbac) {
    const rules = new Map<string, PolicyRule[]>();
    for (const role of [...roles, ...gated]) {
      const key = describeObject(role);
      rules.set(key, [...(rules.get(key) ?? []), ...role.rules]);
    }
    this.#roles = rules;
    this.#bindings = new Map(bindings.map((binding) => [describeObject(binding), binding]));
  }

  /** The atoms that a role of a default's name has and the default has not; undefined for other roles. */
  addedRules(role: Role): readonly PolicyRule[] | undefined {
    const own = this.#roles.get(describeObject(role));
    if (own === undefined) return undefined;
    // What aggregation brings is judged where it is written.
    return role.aggregationSelectors === undefined ? missingFrom(own, role.rules) : [];
  }

  /** The indexes of subjects that a binding of a default's name has and the default has not; undefined for other bindings. */
  addedSubjects(binding: Binding): readonly number[] | undefined {
    const own = this.#bindings.get(describeObject(binding));
    if (own === undefined) return undefined;
    const known = new Set(own.subjects.map((s) => subjectKey(s, binding.namespace)));
    return binding.subjects.flatMap((s, i) => (known.has(subjectKey(s, binding.namespace)) ? [] : [i]));
  }

  isOwnRole(role: Role): boolean {
    return this.#roles.has(describeObject(role));
  }

  isUnchangedBinding(binding: Binding): boolean {
    return this.addedSubjects(binding)?.length === 0;
  }
}
