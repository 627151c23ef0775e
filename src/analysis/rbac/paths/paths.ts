import { SystemRbac } from "../audit/system.ts";
import { describeObject, describeRule } from "../describe.ts";
import { type Identities, userName } from "../identities.ts";
import { subjectKey } from "../rbac-index.ts";
import type { RbacWorld } from "../world.ts";
import { escalationGraph } from "./build.ts";
import type { Place, Step } from "./graph.ts";
import { identitiesOf } from "./holdings.ts";
import { type Cut, cheapestCuts, type EscalationPath, hopsOf, shortestPaths } from "./search.ts";

export interface PathReport {
  readonly target: string;
  /** Who is there without any step but their own rights. */
  readonly already: readonly string[];
  /** Shortest first; one for each identity. */
  readonly paths: readonly DescribedPath[];
  readonly cuts: readonly { readonly binding: string; readonly breaks: number }[];
}

export interface DescribedPath {
  readonly from: string;
  readonly hops: readonly DescribedHop[];
}

export interface DescribedHop {
  readonly techniques: readonly string[];
  readonly says: string;
  readonly to: string;
  /** The binding, role and rule behind it, each once. */
  readonly grants: readonly { readonly binding: string; readonly role: string; readonly rule: string }[];
}

function describePlace(place: Place): string {
  switch (place.kind) {
    case "account":
      return /^system:serviceaccount:[^:]+:.+$/.test(place.user)
        ? place.user.replace(/^system:serviceaccount:([^:]+):/, "ServiceAccount $1/")
        : `User ${place.user}`;
    case "group":
      return `Group ${place.group}`;
    case "everywhere":
      return "any namespace";
    case "run":
    case "enter":
    case "accounts":
    case "own":
      return `namespace ${place.namespace}`;
    case "nodes":
      return "any node";
    case "node":
      return "a node";
    case "secrets":
      return "all secrets";
    case "cluster-admin":
      return "cluster-admin";
  }
}

/** `cluster-admin`, `secrets`, `node`, `group:NAME`, `NAMESPACE/NAME` or `sa:NAMESPACE:NAME` of a service account, or a user. */
export function parsePlace(text: string): Place {
  if (text === "cluster-admin" || text === "secrets" || text === "node") return { kind: text };
  if (text.startsWith("group:")) return { kind: "group", group: text.slice("group:".length) };
  const [, namespace, name] = /^([a-z0-9.-]+)\/([a-z0-9.-]+)$/.exec(text) ?? [];
  const user = namespace === undefined || name === undefined ? userName(text) : `system:serviceaccount:${namespace}:${name}`;
  return { kind: "account", user };
}

export interface PathQuestion {
  /** Undefined: everybody but Kubernetes' own components. */
  readonly from: Place | undefined;
  readonly to: Place;
}

/** Ways by which identities become more than they are. */
export function escalationPaths(world: RbacWorld, identities: Identities, { from, to }: PathQuestion): PathReport {
  return escalations(world, identities, from)(to);
}

/** `escalationPaths` for many targets: the steps are found once. */
export function escalations(world: RbacWorld, identities: Identities, from: Place | undefined): (to: Place) => PathReport {
  const graph = escalationGraph(world, identities);
  const system = new SystemRbac(world.defaults);
  const starts = from === undefined ? outsiders(world, system, identities) : [from];
  return (to) => {
    const all = shortestPaths(graph, starts, to);
    const already = all.filter(isOwnRight);
    const paths = all.filter((path) => !isOwnRight(path));
    return {
      target: describePlace(to),
      already: already.map((p) => describePlace(p.from)),
      paths: paths.map((path) => ({ from: describePlace(path.from), hops: hopsOf(path).map(describeHop) })),
      cuts: cheapestCuts(graph, all, to, (binding) => !system.isUnchangedBinding(binding)).map(({ binding, breaks }: Cut) => ({
        binding: describeObject(binding),
        breaks,
      })),
    };
  };
}

function isOwnRight({ steps }: EscalationPath): boolean {
  const [only] = steps;
  return steps.length === 1 && only?.technique === "everything";
}

function describeHop(steps: readonly Step[]): DescribedHop {
  // A step that says nothing only joins the others.
  const spoken = steps.filter((s) => s.says !== "");
  const [first] = spoken;
  const last = steps.at(-1);
  const grants = steps.flatMap((s) => s.grants.map(({ binding, role, rule }) => ({ binding, role, rule })));
  const told = spoken.filter((s) => s.technique !== "namespace" || s === first);
  return {
    techniques: spoken.map((s) => s.technique),
    says: told.map((s) => s.says).join(", then "),
    to: last === undefined ? "" : describePlace(last.to),
    grants: [...new Set(grants.map((g) => g.rule))].flatMap((rule) => {
      const grant = grants.find((g) => g.rule === rule);
      return grant === undefined
        ? []
        : [{ binding: describeObject(grant.binding), role: describeObject(grant.role), rule: describeRule(rule) }];
    }),
  };
}

/** Identities that something beyond Kubernetes' own bindings names. */
function outsiders(world: RbacWorld, system: SystemRbac, identities: Identities): readonly Place[] {
  const own = new Set<string>();
  const named = new Set<string>();
  for (const binding of world.index.bindings()) {
    const keys = binding.subjects.flatMap((s) => subjectKey(s, binding.namespace) ?? []);
    for (const key of keys) (system.isUnchangedBinding(binding) ? own : named).add(key);
  }
  return identitiesOf(world, identities).filter((place) => {
    const key = place.kind === "group" ? `g:${place.group}` : place.kind === "account" ? `u:${place.user}` : "";
    return named.has(key) || !own.has(key);
  });
}
