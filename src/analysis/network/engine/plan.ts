import { ConnectionSet } from "../connection-set.ts";
import type { Direction, NamedPort } from "../model.ts";
import type { CompiledPolicy, CompiledRule, Layer, PortMatch } from "../rule.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import type { PeerSet } from "./peer-set.ts";

/** A rule as it bears on one class of endpoints. */
export interface PlanRule {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
  readonly peers: readonly PeerSet[];
}

export interface PlanLayer {
  readonly layer: Layer;
  readonly rules: readonly PlanRule[];
  /** The same where the order of policies is not determined, the other way round. */
  readonly otherOrder: readonly PlanRule[] | undefined;
  readonly isolating: readonly CompiledPolicy[];
  /** No rule denies or passes on: their order says nothing. */
  readonly onlyAllows: boolean;
}

/** Everything that decides about one direction of one class, in the order in which it does. */
export interface Plan {
  readonly direction: Direction;
  readonly layers: readonly PlanLayer[];
  /** Nothing is denied, whoever asks. */
  readonly isUnrestricted: boolean;
}

export interface PlanInput {
  readonly direction: Direction;
  readonly cls: EndpointClass;
  /** Those that select the class. */
  readonly policies: readonly CompiledPolicy[];
  resolve(rule: CompiledRule): readonly PeerSet[];
  /** Whether a rule bears on this class. */
  bears(rule: CompiledRule, cls: EndpointClass): boolean;
}

export function makePlan({ direction, cls, policies, resolve, bears }: PlanInput): Plan {
  const inOrder = [...policies].sort(byOrder);
  const layers: PlanLayer[] = [];
  for (let i = 0; i < inOrder.length; ) {
    const first = inOrder[i];
    if (first === undefined) break;
    let end = i;
    while (inOrder[end] !== undefined && sameLayer(inOrder[end]?.layer, first.layer)) end++;
    const own = inOrder.slice(i, end);
    i = end;
    const rulesOf = (list: readonly CompiledPolicy[]) =>
      list.flatMap((policy) =>
        policy.rules[direction].flatMap((rule) => (bears(rule, cls) ? [{ policy, rule, peers: resolve(rule) }] : [])),
      );
    const rules = rulesOf(own);
    const other = first.layer.undeterminedTies ? reversedTies(own, direction) : undefined;
    layers.push({
      layer: first.layer,
      rules,
      otherOrder: other === undefined ? undefined : rulesOf(other),
      isolating: own.filter((policy) => policy.isolates.includes(direction)),
      onlyAllows: rules.every(({ rule }) => rule.action === "allow"),
    });
  }
  const denies = (layer: PlanLayer) => layer.isolating.length > 0 || layer.rules.some(({ rule }) => rule.action === "deny");
  return { direction, layers, isUnrestricted: !layers.some(denies) };
}

/** Equal for plans that decide alike in one cluster. */
export function signatureOf({ layers }: Plan): string {
  const rule = ({ rule: { action, peers, ports } }: PlanRule) => [
    action,
    peers.map((term) => term.key).sort(),
    ports.numbers.key,
    ports.named,
    ports.except === undefined ? "" : [ports.except.numbers.key, ports.except.named],
  ];
  return JSON.stringify(
    layers.map(({ layer, rules, isolating }) => [layer.rank, layer.name, rules.map(rule), isolating.length > 0]),
  );
}

function sameLayer(a: Layer | undefined, b: Layer): boolean {
  return a?.rank === b.rank && a.name === b.name;
}

function byOrder(a: CompiledPolicy, b: CompiledPolicy): number {
  if (a.layer.rank !== b.layer.rank) return a.layer.rank - b.layer.rank;
  if (a.layer.name !== b.layer.name) return a.layer.name < b.layer.name ? -1 : 1;
  if (a.order !== b.order) return a.order - b.order;
  return a.info.id < b.info.id ? -1 : a.info.id > b.info.id ? 1 : 0;
}

/** Policies of equal order in the opposite order; undefined where there are none that have rules. */
function reversedTies(policies: readonly CompiledPolicy[], direction: Direction): readonly CompiledPolicy[] | undefined {
  const deciding = policies.filter((p) => p.rules[direction].length > 0);
  if (new Set(deciding.map((p) => p.order)).size === deciding.length) return undefined;
  return [...policies].reverse().sort((a, b) => a.order - b.order);
}

/** What a rule's ports mean at a destination; `undefined` has no names for its ports. */
export function portsAt(ports: PortMatch, destination: EndpointClass | undefined): ConnectionSet {
  if (ports.named.length === 0 && ports.except === undefined) return ports.numbers;
  const known = destination?.resolvedPorts.get(ports);
  if (known !== undefined) return known;
  const found = resolve(ports, destination);
  destination?.resolvedPorts.set(ports, found);
  return found;
}

function resolve(ports: PortMatch, destination: EndpointClass | undefined): ConnectionSet {
  const names = destination?.facts.ports ?? [];
  const wanted = ports.named.reduce((set, name) => set.union(named(names, name)), ports.numbers);
  return ports.except === undefined ? wanted : wanted.subtract(portsAt(ports.except, destination));
}

function named(ports: readonly NamedPort[], { name, protocol }: PortMatch["named"][number]): ConnectionSet {
  return ports
    .filter((port) => port.name === name && (protocol === undefined || port.protocol === protocol))
    .reduce((set, port) => set.union(ConnectionSet.of(port.protocol, port.port)), ConnectionSet.none);
}
