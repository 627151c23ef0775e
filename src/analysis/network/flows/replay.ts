import { type ProtocolNumber, protocolNumber } from "../connection-set.ts";
import type { Endpoint, Explanation, Network } from "../model.ts";
import type { Observed, Traffic } from "./traffic.ts";

/** Flows between two endpoints that a network would not let through. */
export interface WouldDeny {
  readonly observed: Observed;
  readonly explanation: Explanation;
}

export interface ReplayResult {
  readonly flows: number;
  /** Pairs of endpoints and port. */
  readonly connections: number;
  readonly allowedFlows: number;
  readonly denied: readonly WouldDeny[];
  readonly deniedFlows: number;
  /** Flows that policies cannot speak about: ICMP, no port, a workload that is not there. Neither allowed nor denied. */
  readonly undecided: readonly Observed[];
}

/**
 * What of recorded traffic a network would deny, the most frequent first; endpoints are found by their names. `include`: which connections are asked about; those that were forwarded, unless told.
 */
export function replayTraffic(
  traffic: Pick<Traffic, "observed">,
  network: Network,
  include: (observed: Observed) => boolean = wasForwarded,
): ReplayResult {
  const denied: WouldDeny[] = [];
  const undecided: Observed[] = [];
  let [flows, allowedFlows, deniedFlows, connections] = [0, 0, 0, 0];
  for (const observed of traffic.observed) {
    if (!include(observed)) continue;
    connections++;
    flows += observed.count;
    const called = calledIn(network, observed);
    if (called === undefined) undecided.push(observed);
    else if (calledBy(network, called) !== undefined) allowedFlows += observed.count;
    else {
      deniedFlows += observed.count;
      denied.push({ observed, explanation: network.explain(called.from, called.to, called.protocol, called.port) });
    }
  }
  denied.sort((a, b) => b.observed.count - a.observed.count);
  return { flows, connections, allowedFlows, denied, deniedFlows, undecided };
}

/** What policies say of connections that were seen; undefined where they cannot speak about them. */
export function explainObserved(network: Network, observed: Observed): Explanation | undefined {
  const called = calledIn(network, observed);
  if (called === undefined) return undefined;
  return network.explain(called.from, calledBy(network, called) ?? called.to, called.protocol, called.port);
}

interface Called {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly protocol: ProtocolNumber;
  readonly port: number;
  readonly names: ReadonlySet<string>;
}

function calledIn(network: Network, { from, to, protocol, port, names }: Observed): Called | undefined {
  const number = protocolNumber(protocol);
  if (number === undefined || port === undefined) return undefined;
  const [source, target] = [endpointIn(network, from), endpointIn(network, to)];
  return source === undefined || target === undefined ? undefined : { from: source, to: target, protocol: number, port, names };
}

/** The address, or the name that it was called by, that policies let through; undefined where none is. */
function calledBy(network: Network, { from, to, protocol, port, names }: Called): Endpoint | undefined {
  const domains = to.kind === "external" ? [...names].map((name): Endpoint => ({ kind: "domain", names: [name] })) : [];
  return [to, ...domains].find((target) => network.permits(from, target, protocol, port));
}

/** What was dropped already says nothing about what would break. */
function wasForwarded({ count, dropped }: Observed): boolean {
  return dropped < count;
}

/** What an endpoint of one state of the cluster is in another one; undefined where it is not there. */
export function endpointIn(network: Network, endpoint: Endpoint): Endpoint | undefined {
  switch (endpoint.kind) {
    case "workload":
      return network.find(endpoint.id);
    case "node":
      return network.nodes.find((node) => node.id === endpoint.id) ?? network.nodes[0];
    case "apiserver":
      return network.apiServer;
    case "external":
    case "domain":
      return endpoint;
  }
}
