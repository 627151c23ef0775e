import { effectiveGroups, type Identities } from "../identities.ts";
import { type PolicyRule, ruleAllows } from "../policy-rule.ts";
import { subjectKey } from "../rbac-index.ts";
import type { RbacWorld } from "../world.ts";
import type { HeldRule, Place } from "./graph.ts";

/** What one identity holds: rules by namespace, `""` for the whole cluster. */
export interface Holdings {
  readonly place: Place;
  readonly rules: ReadonlyMap<string, readonly HeldRule[]>;
}

/** Everybody whom bindings name, every service account, and the users of the identities. */
export function identitiesOf(world: RbacWorld, identities: Identities): readonly Place[] {
  const places = new Map<string, Place>();
  const account = (user: string) => places.set(`u:${user}`, { kind: "account", user });
  for (const binding of world.index.bindings()) {
    for (const subject of binding.subjects) {
      const key = subjectKey(subject, binding.namespace);
      if (key === undefined) continue;
      if (key.startsWith("g:")) places.set(key, { kind: "group", group: subject.name });
      // In a whole cluster an account that is not there is nobody.
      else if (subject.kind === "User" || !world.complete || world.serviceAccounts.has(key.slice(2))) account(key.slice(2));
    }
  }
  for (const user of world.serviceAccounts.keys()) account(user);
  for (const user of identities.users()) account(user);
  return [...places.values()];
}

export function holdingsOf(world: RbacWorld, place: Place, identities: Identities): Holdings {
  const rules = new Map<string, HeldRule[]>();
  const [user, groups] =
    place.kind === "account"
      ? [place.user, effectiveGroups(place.user, identities.groupsOf(place.user) ?? [])]
      : ["", place.kind === "group" ? [place.group] : []];
  for (const { binding } of world.index.appliedAnywhere(user, groups)) {
    const role = world.index.resolve(binding.roleRef, binding.namespace);
    if ("error" in role) continue;
    const held = rules.get(binding.namespace) ?? [];
    rules.set(binding.namespace, held);
    for (const rule of role.rules) held.push({ rule, role, binding });
  }
  return { place, rules };
}

const nobody = { user: "", groups: [], isResourceRequest: true, path: "", namespace: "" };

interface Right {
  readonly verbs: readonly string[];
  /** `group/resource[/subresource]` */
  readonly resources: readonly string[];
}

export const right = (verbs: string, ...resources: readonly string[]): Right => ({ verbs: verbs.split(","), resources });

function allows(rule: PolicyRule, { verbs, resources }: Right, name: string): boolean {
  return resources.some((text) => {
    const [apiGroup = "", resource = "", subresource = ""] = text.split("/");
    return verbs.some((verb) => ruleAllows(rule, { ...nobody, verb, apiGroup, resource, subresource, name }));
  });
}

/** The first held rule that gives a right over all names. */
export function grantOf(held: readonly HeldRule[], wanted: Right): HeldRule | undefined {
  return held.find(({ rule }) => rule.resourceNames.length === 0 && allows(rule, wanted, ""));
}

/** Rights over single names: `[name, rule]` for each. */
export function namedGrants(held: readonly HeldRule[], wanted: Right): readonly (readonly [string, HeldRule])[] {
  return held.flatMap((h) => h.rule.resourceNames.flatMap((name) => (allows(h.rule, wanted, name) ? [[name, h] as const] : [])));
}

/** A rule for each of the rights, or nothing. */
export function grantsOf(held: readonly HeldRule[], ...wanted: readonly Right[]): readonly HeldRule[] | undefined {
  const grants = wanted.flatMap((w) => grantOf(held, w) ?? []);
  return grants.length === wanted.length ? grants : undefined;
}
