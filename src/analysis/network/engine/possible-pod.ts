import type { ConnectionSet } from "../connection-set.ts";
import type { PossiblePod, Requirement } from "../model.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import { evaluatePossible, type Reading } from "./evaluate.ts";
import type { PeerSet } from "./peer-set.ts";
import type { Plan } from "./plan.ts";

/** Nothing is known about it. */
export const anyPod: PossiblePod = { namespace: [], pods: [], byLabelsOnly: true };

export interface PossibleReading extends Reading {
  /** Only rules that ask for exactly what is known meet the pod; else those that ask for no more. */
  readonly exactly: boolean;
}

/** What surely passes between a class and such a pod, as far as the class's own side decides. */
export function throughToPossible(plan: Plan, own: EndpointClass, pod: PossiblePod, reading: PossibleReading): ConnectionSet {
  return evaluatePossible(plan, (set) => meets(set, pod, reading), own, reading);
}

/** Names of ports that rules let through to such a pod. */
export function namesToPossible(plan: Plan, pod: PossiblePod, reading: PossibleReading): readonly string[] {
  const names = plan.layers.flatMap(({ rules }) =>
    rules.flatMap(({ rule, peers }) =>
      rule.action === "allow" && rule.ports.named.length > 0 && peers.some((set) => meets(set, pod, reading))
        ? rule.ports.named.map(({ name }) => name)
        : [],
    ),
  );
  return [...new Set(names)].sort();
}

function meets(set: PeerSet, pod: PossiblePod, { exactly, blocksHoldPods }: PossibleReading): boolean {
  const { term } = set;
  if (term.everything === true || set.isEveryPod) return true;
  if (blocksHoldPods && set.unaddressed === "address") return true;
  const asks = term.pods?.asks;
  if (asks === undefined || term.within !== undefined || term.outside !== undefined) return false;
  const answers = exactly ? sameOrNone : implies;
  return answers(pod.namespace, asks.namespace) && answers(pod.pods, asks.pods);
}

function sameOrNone(known: readonly Requirement[], asked: readonly Requirement[]): boolean {
  return asked.length === 0 || JSON.stringify(known) === JSON.stringify(asked);
}

/** Whether labels that meet all of `known` surely meet all of `asked`. */
function implies(known: readonly Requirement[], asked: readonly Requirement[]): boolean {
  return asked.every((wanted) => known.some((fact) => fact.label === wanted.label && entails(fact, wanted)));
}

function entails(fact: Requirement, wanted: Requirement): boolean {
  switch (wanted.operator) {
    case "In":
      return fact.operator === "In" && fact.values.every((v) => wanted.values.includes(v));
    case "Exists":
      return fact.operator === "In" || fact.operator === "Exists";
    case "DoesNotExist":
      return fact.operator === "DoesNotExist";
    case "NotIn":
      if (fact.operator === "In") return !fact.values.some((v) => wanted.values.includes(v));
      return (
        fact.operator === "DoesNotExist" || (fact.operator === "NotIn" && wanted.values.every((v) => fact.values.includes(v)))
      );
  }
}
