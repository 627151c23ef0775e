import type { ComponentCatalogue } from "../analysis/network/catalogue/component.ts";
import { ConnectionSet, protocolNumber } from "../analysis/network/connection-set.ts";
import { describeEndpoint } from "../analysis/network/describe.ts";
import { diffNetworks } from "../analysis/network/diff.ts";
import { endpointIn, type ReplayResult, replayTraffic } from "../analysis/network/flows/replay.ts";
import type { Observed, Traffic } from "../analysis/network/flows/traffic.ts";
import type { Network, NetworkDifference, NetworkOptions, Workload } from "../analysis/network/model.ts";
import type { AllowPort, PolicyPlan } from "../analysis/network/suggest/allow.ts";
import { type FlowSuggestion, type FlowSuggestionOptions, suggestFromFlows } from "../analysis/network/suggest/from-flows.ts";
import { type IntentPlanStep, type IntentSuggestion, suggestFromIntent } from "../analysis/network/suggest/from-intent.ts";
import { purposefulRules } from "../analysis/network/suggest/mirror-policies.ts";
import { type PolicyTarget, type WrittenPolicies, writePolicies } from "../analysis/network/suggest/write-policies.ts";
import type { SourceDocument } from "../core/source.ts";
import { madeDocuments, networkWith } from "./network-change.ts";

/** The state that a suggestion is made for. */
export interface SuggestionBase {
  readonly network: Network;
  readonly documents: readonly SourceDocument[];
  readonly options: NetworkOptions;
  readonly catalogue: ComponentCatalogue;
  readonly target: PolicyTarget;
}

export interface HeldOut {
  /** Pairs of endpoints and port that were first seen in the time held out. */
  readonly fresh: number;
  /** Connections of the time held out, tried on what the time before suggests. */
  readonly replay: ReplayResult;
}

export interface ProvenFlowSuggestion extends FlowSuggestion {
  readonly written: WrittenPolicies;
  /** The same flows on the cluster with the proposal; what it denies was left out on purpose, with a note. */
  readonly replay: ReplayResult;
  /** Undefined where nothing was held out. */
  readonly heldOut: HeldOut | undefined;
  readonly after: Network;
  /** Undefined where there are too many pairs to compare. */
  readonly difference: NetworkDifference | undefined;
}

export interface FlowChoice extends FlowSuggestionOptions {
  /** A share of the time; 0: none. */
  readonly holdOut: number;
}

/** Pairs that are compared, at most: some seconds. */
const mostPairs = 4_000_000;

/** The difference, where those that the plans isolate are few enough to be compared with everybody. */
function boundedDifference(before: Network, after: Network, plans: readonly PolicyPlan[]): NetworkDifference | undefined {
  const namespaces = new Set(plans.map((plan) => plan.namespace));
  const changed = before.workloads.filter((w) => namespaces.has(w.namespace)).length;
  return changed * before.workloads.length > mostPairs ? undefined : diffNetworks(before, after);
}

/** Least privilege from traffic, replayed: on all of it, and on its last part with what the first part suggests. */
export function proveFlowSuggestion(
  base: SuggestionBase,
  traffic: Pick<Traffic, "observed">,
  { holdOut, ...choice }: FlowChoice,
): ProvenFlowSuggestion {
  const suggestion = suggestFromFlows(traffic.observed, base.network, base.catalogue, choice);
  const written = writePolicies(suggestion.plans, base.target);
  const after = networkWith(base.documents, madeDocuments(written.objects), base.options);
  return {
    ...suggestion,
    written,
    after,
    replay: replayTraffic(traffic, after),
    heldOut: holdOut > 0 ? tryHeldOut(base, traffic, choice, holdOut) : undefined,
    difference: boundedDifference(base.network, after, suggestion.plans),
  };
}

/** What the part before the last share of the time suggests, tried on what happened in that last part. */
function tryHeldOut(
  base: SuggestionBase,
  traffic: Pick<Traffic, "observed">,
  choice: FlowSuggestionOptions,
  share: number,
): HeldOut | undefined {
  const { observed } = traffic;
  const first = observed.reduce((least, o) => Math.min(least, o.first), Number.POSITIVE_INFINITY);
  const last = observed.reduce((most, o) => Math.max(most, o.last), Number.NEGATIVE_INFINITY);
  const cut = last - (last - first) * share;
  if (!(cut > first)) return undefined;
  const before = observed.filter((o) => o.first <= cut);
  const trained = suggestFromFlows(before, base.network, base.catalogue, choice);
  const { objects } = writePolicies(trained.plans, base.target);
  const network = networkWith(base.documents, madeDocuments(objects), base.options);
  const isLater = (o: Observed) => o.last > cut && o.dropped < o.count;
  return { fresh: observed.filter((o) => o.first > cut).length, replay: replayTraffic(traffic, network, isLater) };
}

export interface ProvenStep extends IntentPlanStep {
  readonly written: WrittenPolicies;
  /** To the state after the step before; undefined where there are too many pairs to compare. */
  readonly difference: NetworkDifference | undefined;
  readonly after: Network;
}

/** Connections that an existing policy opens to callers it names. */
export interface Purpose {
  /** Pairs of workloads. */
  readonly pairs: number;
  /** Pairs that would lose something. */
  readonly broken: readonly string[];
}

export interface ProvenIntentSuggestion extends Omit<IntentSuggestion, "steps"> {
  readonly steps: readonly ProvenStep[];
  readonly written: WrittenPolicies;
  readonly after: Network;
  /** From the state that is there to the last step; undefined where there are too many pairs to compare. */
  readonly difference: NetworkDifference | undefined;
  readonly purpose: Purpose;
}

/** Segmentation by what the workloads are, each step with its difference, and the proof that what was meant still passes. */
export function proveIntentSuggestion(
  base: SuggestionBase,
  choice: { readonly namespaces?: readonly string[] | undefined; readonly upTo?: number | undefined },
): ProvenIntentSuggestion {
  const suggestion = suggestFromIntent(base.network, base.catalogue, choice.namespaces);
  const steps: ProvenStep[] = [];
  let before = base.network;
  let written: WrittenPolicies = { objects: [], notes: [] };
  for (const step of suggestion.steps.slice(0, choice.upTo)) {
    const known = new Set(written.objects.map((object) => JSON.stringify(object)));
    // Written as a whole: where policies have an order, it is an order of all of them.
    written = writePolicies(step.standing, base.target);
    const objects = written.objects.filter((object) => !known.has(JSON.stringify(object)));
    const after = networkWith(base.documents, madeDocuments(written.objects), base.options);
    steps.push({ ...step, written: { ...written, objects }, after, difference: boundedDifference(before, after, step.plans) });
    before = after;
  }
  return {
    ...suggestion,
    steps,
    written,
    after: before,
    difference: boundedDifference(base.network, before, suggestion.plans),
    purpose: purposeKept(base.network, before, new Set(suggestion.namespaces)),
  };
}

/** Whether every caller that a rule names still gets all that the rule gave it. */
function purposeKept(before: Network, after: Network, scope: ReadonlySet<string>): Purpose {
  const broken: string[] = [];
  let pairs = 0;
  for (const { from, to, ports, policy } of purposefulRules(before, scope)) {
    for (const source of from) {
      for (const target of to) {
        if (source === target) continue;
        pairs++;
        const given = before.between(source, target).connections.intersect(connectionsOf(ports, target));
        const [a, b] = [endpointIn(after, source), endpointIn(after, target)];
        const now = a === undefined || b === undefined ? ConnectionSet.none : after.between(a, b).connections;
        const lost = given.subtract(now);
        if (!lost.isEmpty) broken.push(`${describeEndpoint(source)} to ${describeEndpoint(target)}: ${lost} (${policy.id})`);
      }
    }
  }
  return { pairs, broken };
}

function connectionsOf(ports: readonly AllowPort[] | undefined, target: Workload): ConnectionSet {
  if (ports === undefined) return ConnectionSet.all;
  return ports.reduce((set, { protocol, from, to, name }) => {
    const number = protocolNumber(protocol) ?? 6;
    if (name === undefined) return set.union(ConnectionSet.of(number, from, to));
    const named = target.ports.filter((p) => p.name === name && p.protocol === number);
    return named.reduce((all, p) => all.union(ConnectionSet.of(number, p.port)), set);
  }, ConnectionSet.none);
}
