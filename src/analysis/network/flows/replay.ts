import { protocolNumber } from "../connection-set.ts";
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
    const protocol = protocolNumber(observed.protocol);
    if (protocol === undefined || observed.port === undefined) {
      undecided.push(observed);
      continue;
    }
    const [from, to] = [endpointIn(network, observed.from), endpointIn(network, observed.to)];
    if (from === undefined || to === undefined) undecided.push(observed);
    else if (permits(network, from, to, { protocol, port: observed.port, names: observed.names })) allowedFlows += observed.count;
    else {
      deniedFlows += observed.count;
      denied.push({ observed, explanation: network.explain(from, to, protocol, observed.port) });
    }
  }
  denied.sort((a, b) => b.observed.count - a.observed.count);
  return { flows, connections, allowedFlows, denied, deniedFlows, undecided };
}

interface Called {
  readonly protocol: number;
  readonly port: number;
  readonly names: ReadonlySet<string>;
}

/** By the address, or by a name that it was called by. */
function permits(network: Network, from: Endpoint, to: Endpoint, { protocol, port, names }: Called): boolean {
  if (network.permits(from, to, protocol, port)) return true;
  return (
    to.kind === "external" && [...names].some((name) => network.permits(from, { kind: "domain", names: [name] }, protocol, port))
  );
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
