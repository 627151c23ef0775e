import { AddressSet } from "../address-set.ts";
import type { Direction, PolicyInfo, PossiblePod } from "../model.ts";
import type { CompiledPolicy, CompiledRule } from "../rule.ts";
import type { ClusterState } from "../state.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import { evaluateAddresses, evaluateDomains, evaluatePlan, type Reading } from "./evaluate.ts";
import type { Plan } from "./plan.ts";
import { anyPod, throughToPossible } from "./possible-pod.ts";

/**
 * Whether every answer stays the same without a policy, or without one rule of it: towards everything that exists, every
 * address, every name and every pod that rules speak of. Undefined where that would take more than `budget` comparisons.
 */
export function isRedundant(
  state: ClusterState,
  policy: PolicyInfo,
  rule: CompiledRule | undefined,
  reading: Reading,
  budget: number,
): boolean | undefined {
  const affected = state.index.classes.filter(
    (cls) => cls.members.size > 0 && [...state.policiesOf(cls)].some((p) => p.info === policy),
  );
  const peers = state.index.classes.filter((cls) => cls.members.size > 0);
  if (affected.length === 0) return undefined;
  if (affected.length * peers.length > budget) return undefined;
  return affected.every((cls) =>
    (["ingress", "egress"] as const).every((direction) => {
      if (!policy.directions.includes(direction)) return true;
      const all = [...state.policiesOf(cls)].filter((p) => p.info.directions.includes(direction));
      const rest = all.flatMap((p) => without(p, policy, rule, direction));
      const [before, after] = [state.plan(cls, direction), state.planWith(cls, direction, rest)];
      return decideAlike(cls, before, after, peers, reading);
    }),
  );
}

function without(
  policy: CompiledPolicy,
  removed: PolicyInfo,
  rule: CompiledRule | undefined,
  direction: Direction,
): readonly CompiledPolicy[] {
  if (policy.info !== removed) return [policy];
  if (rule === undefined) return [];
  return [{ ...policy, rules: { ...policy.rules, [direction]: policy.rules[direction].filter((r) => r !== rule) } }];
}

function decideAlike(cls: EndpointClass, a: Plan, b: Plan, peers: readonly EndpointClass[], reading: Reading): boolean {
  const alike = (peer: EndpointClass) => {
    const destination = a.direction === "ingress" ? cls : peer;
    return evaluatePlan(a, peer, destination, reading).equals(evaluatePlan(b, peer, destination, reading));
  };
  if (!peers.every(alike)) return false;
  const destination = a.direction === "ingress" ? cls : undefined;
  const [left, right] = [a, b].map((plan) => evaluateAddresses(plan, AddressSet.all, destination, reading));
  if (left === undefined || right === undefined || left.length !== right.length) return false;
  const sameAddresses = left.every((piece) =>
    right.some((other) => other.connections.equals(piece.connections) && other.addresses.equals(piece.addresses)),
  );
  const exact = { ...reading, exactly: false };
  const samePods = [anyPod, ...askedPods(a), ...askedPods(b)].every((pod) =>
    throughToPossible(a, cls, pod, exact).equals(throughToPossible(b, cls, pod, exact)),
  );
  const names = [...domainsOf(a), ...domainsOf(b)];
  return sameAddresses && samePods && names.every((n) => evaluateDomains(a, n, reading).equals(evaluateDomains(b, n, reading)));
}

function askedPods(plan: Plan): readonly PossiblePod[] {
  return termsOf(plan).flatMap(({ pods }) => pods?.asks ?? []);
}

function domainsOf(plan: Plan): readonly (readonly string[])[] {
  return termsOf(plan).flatMap(({ domains }) => (domains === undefined ? [] : [domains]));
}

function termsOf({ layers }: Plan) {
  return layers.flatMap(({ rules }) => rules.flatMap(({ rule }) => rule.peers));
}
