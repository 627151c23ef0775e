import type { RequestAttributes } from "../../../core/request-attributes.ts";
import { describeObject, describeRule } from "../describe.ts";
import { serviceAccountOf } from "../identities.ts";
import type { Binding, Role } from "../objects.ts";
import { ruleAllows } from "../policy-rule.ts";
import { RbacIndex, subjectKey } from "../rbac-index.ts";
import type { RbacWorld } from "../world.ts";
import { generateRbac, subjectOf } from "./generate.ts";
import type { ObservedRequest } from "./observed.ts";

/** Objects whose names a controller makes: they are other ones tomorrow. */
const changingNames = new Set([
  "pods",
  "replicasets",
  "jobs",
  "controllerrevisions",
  "endpointslices",
  "events",
  "certificatesigningrequests",
  "leases",
]);

/** Verbs that lend the authority of what they name: without a name, everybody's. */
function isAuthority(verb: string): boolean {
  return (
    verb === "impersonate" || verb.startsWith("impersonate:") || ["bind", "escalate", "approve", "sign", "attest"].includes(verb)
  );
}

/** More names than these, and the set grows with time. */
const maximumNames = 5;

export interface RuleUse {
  readonly binding: string;
  readonly role: string;
  readonly rule: string;
  /** RFC 3339; undefined: not in this log. */
  readonly lastUsed: string | undefined;
}

export interface BindingUse {
  readonly binding: Binding;
  readonly lastUsed: string | undefined;
}

/** What one user needs, by what they did. */
export interface Proposal {
  readonly user: string;
  readonly requests: number;
  /** Refused requests: they are not granted. */
  readonly denied: readonly RequestAttributes[];
  readonly roles: readonly Role[];
  readonly bindings: readonly Binding[];
  /** Bindings that name the user directly: the proposal takes their place. */
  readonly replaced: readonly BindingUse[];
  /** Rights that reach the user through groups: they stay. */
  readonly kept: readonly BindingUse[];
  readonly unused: readonly RuleUse[];
}

export interface Learned {
  readonly user: string;
  readonly requests: readonly ObservedRequest[];
}

/** Minimal roles and bindings for one user, beside what they keep through groups. */
export function proposeRoles(world: RbacWorld, { user, requests }: Learned): Proposal {
  const { index } = world;
  const granted = requests.filter((r) => !r.denied);
  const groups = [...new Set(granted.flatMap((r) => r.request.groups))];
  const held = index.appliedAnywhere(user, groups).map((a) => a.binding);
  // What Kubernetes itself gives a user it would give again.
  const direct = held.filter(
    (binding) => names(binding, user) && !world.defaults.bindings.some((d) => isSame(d, binding) && names(d, user)),
  );
  const uses = held.map((binding) => ({ binding, uses: usesOf(index, binding, granted) }));
  const kept = indexOf(
    index,
    held.filter((binding) => !direct.includes(binding)),
  );
  const created = new Set(granted.filter((r) => r.request.verb === "create").map((r) => targetOf(r.request)));
  const { roles, bindings } = generateRbac(
    kept,
    granted.map((r) => r.request),
    subjectOf(user),
    {
      name: nameFor(user),
      verbExpansions: new Map(),
      maximumNames,
      maximumNamespaces: Number.POSITIVE_INFINITY,
      isNameEssential: ({ verb }) => isAuthority(verb),
      // What a user creates has names that nobody knows beforehand.
      isNameStable: (request) => !changingNames.has(request.resource) && !created.has(targetOf(request)),
    },
  );
  const useOf = (binding: Binding): BindingUse => {
    const list = uses.find((u) => u.binding === binding)?.uses ?? [];
    return { binding, lastUsed: latest(list.map((u) => u.lastUsed)) };
  };
  return {
    user,
    requests: granted.reduce((sum, r) => sum + r.count, 0),
    denied: requests.filter((r) => r.denied).map((r) => r.request),
    roles,
    bindings,
    replaced: direct.map(useOf),
    kept: held.filter((b) => !direct.includes(b)).map(useOf),
    unused: uses.flatMap((u) => u.uses).filter((u) => u.lastUsed === undefined),
  };
}

/** By the name of the subject, not by a group. */
function names(binding: Binding, user: string): boolean {
  return binding.subjects.some((s) => subjectKey(s, binding.namespace) === `u:${user}`);
}

function isSame(a: Binding, b: Binding): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

/** These bindings and their roles alone: the rest of a cluster does not bear on whom they name. */
function indexOf(world: RbacIndex, bindings: readonly Binding[]): RbacIndex {
  const index = new RbacIndex();
  for (const binding of bindings) {
    const role = world.resolve(binding.roleRef, binding.namespace);
    if (!("error" in role)) index.putRole(role);
    index.putBinding(binding);
  }
  return index;
}

function usesOf(index: RbacIndex, binding: Binding, observed: readonly ObservedRequest[]): readonly RuleUse[] {
  const role = index.resolve(binding.roleRef, binding.namespace);
  if ("error" in role) return [];
  const inReach = observed.filter((r) => binding.namespace === "" || r.request.namespace === binding.namespace);
  const names = { binding: describeObject(binding), role: describeObject(role) };
  return role.rules.flatMap((rule): RuleUse[] => {
    const requests = inReach.filter((r) => ruleAllows(rule, r.request));
    const use = { ...names, rule: describeRule(rule), lastUsed: latest(requests.map((r) => r.last)) };
    const verbs = new Set(requests.map((r) => r.request.verb));
    const rest = rule.verbs.filter((verb) => verb !== "*" && !verbs.has(verb));
    // Of a rule that is used, the verbs that are not.
    const unused = use.lastUsed === undefined || rest.length === 0 ? [] : [{ ...rule, verbs: rest }];
    return [use, ...unused.map((part) => ({ ...names, rule: describeRule(part), lastUsed: undefined }))];
  });
}

function latest(times: readonly (string | undefined)[]): string | undefined {
  return times.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined);
}

const targetOf = ({ apiGroup, resource }: RequestAttributes) => `${apiGroup}/${resource}`;

/** `learned-team-a.builder`: a name that the API server takes for roles; no namespace has a dot in its name. */
function nameFor(user: string): string {
  const account = serviceAccountOf(user);
  const text = account === undefined ? user : `${account.namespace}.${account.name}`;
  return `learned-${text.toLowerCase().replace(/[^a-z0-9.-]+/g, "-")}`;
}
