import type { Labels } from "../../../core/label-selector.ts";
import { AddressSet } from "../address-set.ts";
import type { ComponentCatalogue } from "../catalogue/component.ts";
import { componentOf } from "../catalogue/workload-component.ts";
import type { Observed } from "../flows/traffic.ts";
import type { Direction, Endpoint, Network, Workload } from "../model.ts";
import { type Allow, type AllowPeer, type AllowPort, type PolicyPlan, peerKey, policyName, portProtocol } from "./allow.ts";
import { dnsAllows } from "./dns.ts";
import { evidenceOf } from "./evidence.ts";
import { selectorPicker } from "./pod-selector.ts";

export interface FlowSuggestion {
  readonly plans: readonly PolicyPlan[];
  /** Workloads of the same namespaces without a flow: they are not isolated. */
  readonly unseen: readonly Workload[];
  readonly notes: readonly string[];
}

export interface FlowSuggestionOptions {
  /** Only for workloads of these; all unless told. */
  readonly namespaces?: readonly string[] | undefined;
  /** Also isolate everything else in the namespaces of what was seen. */
  readonly defaultDeny?: boolean;
  /** Which connections count; those that were forwarded unless told. */
  readonly include?: (observed: Observed) => boolean;
}

/** More single ports than this to one peer, none of them declared, are a range: RPC of Ray, NCCL, FTP. */
const manyPorts = 5;

/**
 * The least that lets through what was observed: for every workload that was seen its peers, by selectors that were tried
 * against everything that runs, and always the names. Traffic from the pod's own node always passes and needs no rule.
 */
export function suggestFromFlows(
  observed: readonly Observed[],
  network: Network,
  catalogue: ComponentCatalogue,
  options: FlowSuggestionOptions = {},
): FlowSuggestion {
  const notes = new Set<string>();
  const builder = new PlanBuilder(network, catalogue, notes);
  const counted = observed.filter(options.include ?? (({ count, dropped }) => dropped < count));
  const isWanted = ({ namespace }: Workload) => options.namespaces?.includes(namespace) !== false;
  for (const group of Map.groupBy(counted, (o) => o.to).values()) {
    const to = group[0]?.to;
    if (to?.kind === "workload" && isWanted(to)) builder.add(to, "ingress", group);
  }
  for (const group of Map.groupBy(counted, (o) => o.from).values()) {
    const from = group[0]?.from;
    if (from?.kind === "workload" && isWanted(from)) builder.add(from, "egress", group);
  }
  const plans = builder.plans();
  const namespaces = new Set(plans.map((plan) => plan.namespace));
  const unseen = network.workloads.filter((w) => namespaces.has(w.namespace) && !w.hostNetwork && !builder.seen.has(w));
  const denials = options.defaultDeny === true ? [...namespaces].sort().map(defaultDeny) : [];
  return { plans: [...denials, ...plans], unseen, notes: [...notes] };
}

export function defaultDeny(namespace: string): PolicyPlan {
  return { name: "default-deny", namespace, subject: {}, isolates: ["ingress", "egress"], allows: [] };
}

interface Draft {
  readonly workload: Workload;
  readonly subject: Labels;
  readonly allows: Allow[];
}

class PlanBuilder {
  readonly seen = new Set<Workload>();
  readonly #network: Network;
  readonly #pick: ReturnType<typeof selectorPicker>;
  readonly #catalogue: ComponentCatalogue;
  readonly #notes: Set<string>;
  readonly #drafts = new Map<string, Draft>();

  constructor(network: Network, catalogue: ComponentCatalogue, notes: Set<string>) {
    this.#network = network;
    this.#pick = selectorPicker(network);
    this.#catalogue = catalogue;
    this.#notes = notes;
  }

  add(workload: Workload, direction: Direction, observed: readonly Observed[]): void {
    if (workload.hostNetwork) {
      this.#notes.add(`${workload.id} shares its node's address: policies neither hold nor protect it.`);
      return;
    }
    const subject = this.#selector(workload);
    if (subject === undefined) return;
    this.seen.add(workload);
    const key = peerKey({ kind: "pods", namespace: workload.namespace, labels: subject });
    const draft = this.#drafts.get(key) ?? { workload, subject, allows: [] };
    this.#drafts.set(key, draft);
    const byPeer = Map.groupBy(
      observed.flatMap((o) => this.#peers(o, workload, direction)),
      ({ peer }) => peerKey(peer),
    );
    for (const group of byPeer.values()) {
      const peer = joinBlocks(group.map((entry) => entry.peer));
      if (peer === undefined) continue;
      const records = group.map((entry) => entry.observed);
      const ports = this.#ports(records, direction === "ingress" ? workload : group[0]?.workload);
      // What has no ports was said in a note; an empty list would mean all of them.
      if (ports?.length !== 0)
        draft.allows.push({ direction, peer, ports, why: "observed", evidence: evidenceOf(records, workload) });
    }
  }

  plans(): readonly PolicyPlan[] {
    const dns = dnsAllows(this.#network, this.#catalogue);
    for (const note of dns.notes) this.#notes.add(note);
    const names = new Set<string>();
    return [...this.#drafts.values()]
      .map(({ workload, subject, allows }): PolicyPlan => {
        let name = policyName(workload.owner.name, workload.role);
        for (let i = 2; names.has(`${workload.namespace}/${name}`); i++)
          name = policyName(workload.owner.name, workload.role, `${i}`);
        names.add(`${workload.namespace}/${name}`);
        const isServer = componentOf(workload, this.#catalogue)?.component.role === "dns";
        const extra = isServer ? [] : dns.allows;
        return { name, namespace: workload.namespace, subject, isolates: ["ingress", "egress"], allows: [...allows, ...extra] };
      })
      .sort((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));
  }

  #selector(workload: Workload): Labels | undefined {
    const picked = this.#pick(workload);
    if (picked === undefined) this.#notes.add(`${workload.id} carries no lasting label: no policy can select it alone.`);
    else if (picked.also.length > 0) {
      this.#notes.add(`No label tells ${workload.id} from ${picked.also.map((w) => w.id).join(", ")}: they share one policy.`);
    }
    return picked?.labels;
  }

  #peers(
    observed: Observed,
    own: Workload,
    direction: Direction,
  ): readonly { observed: Observed; peer: AllowPeer; workload: Workload | undefined }[] {
    const endpoint: Endpoint = direction === "ingress" ? observed.from : observed.to;
    const peer = this.#peer(endpoint, observed, own, direction);
    return peer === undefined ? [] : [{ observed, peer, workload: endpoint.kind === "workload" ? endpoint : undefined }];
  }

  #peer(endpoint: Endpoint, observed: Observed, own: Workload, direction: Direction): AllowPeer | undefined {
    switch (endpoint.kind) {
      case "workload": {
        if (endpoint.hostNetwork) return direction === "ingress" ? undefined : this.#node();
        const labels = this.#selector(endpoint);
        return labels === undefined ? undefined : { kind: "pods", namespace: endpoint.namespace, labels };
      }
      case "node":
        // The own node always may; which node it was nobody can say beforehand.
        return direction === "ingress" ? undefined : this.#node();
      case "apiserver":
        return { kind: "apiserver", addresses: endpoint.addresses };
      case "domain":
        return { kind: "domains", names: endpoint.names, blocks: [] };
      case "external": {
        if (endpoint.addresses.isAll) return { kind: "world" };
        const blocks = endpoint.addresses.toCidrs();
        if (observed.names.size > 0) return { kind: "domains", names: [...observed.names].sort(), blocks };
        if (isPrivate(endpoint.addresses)) {
          this.#notes.add(
            `${own.id}: ${blocks.join(", ")} is a private address that no object has; pods that are gone have such.`,
          );
        }
        return { kind: "cidrs", blocks };
      }
    }
  }

  #node(): AllowPeer {
    return { kind: "node", addresses: this.#network.nodes.flatMap((node) => node.addresses) };
  }

  /** Declared ports by their number; many others to one peer as the range that holds them. */
  #ports(observed: readonly Observed[], listener: Workload | undefined): readonly AllowPort[] | undefined {
    const ports: AllowPort[] = [];
    for (const [name, group] of Map.groupBy(observed, (o) => o.protocol)) {
      const protocol = portProtocol(name);
      if (protocol === undefined) {
        this.#notes.add(`${name} carries no ports and NetworkPolicy says nothing about it; it is left out.`);
        continue;
      }
      const numbers = [...new Set(group.flatMap((o) => o.port ?? []))].sort((a, b) => a - b);
      const declared = numbers.filter((n) => listener?.ports.some((p) => p.port === n) === true);
      const others = numbers.filter((n) => !declared.includes(n));
      const isRange = others.length >= manyPorts;
      for (const n of isRange ? declared : numbers) ports.push({ protocol, from: n, to: n });
      const [low, high] = [others[0], others.at(-1)];
      if (!isRange || low === undefined || high === undefined) continue;
      ports.push({ protocol, from: low, to: high });
      this.#notes.add(
        `${listener?.id ?? "A peer"} was called on ${others.length} ports that it does not declare: the range ${low}-${high} is allowed.`,
      );
    }
    return ports.length === 0 && observed.every((o) => o.port === undefined && portProtocol(o.protocol) !== undefined)
      ? undefined
      : ports;
  }
}

/** A name has several addresses. */
function joinBlocks(peers: readonly AllowPeer[]): AllowPeer | undefined {
  const first = peers[0];
  if (first?.kind !== "domains") return first;
  return { ...first, blocks: [...new Set(peers.flatMap((peer) => (peer.kind === "domains" ? peer.blocks : [])))].sort() };
}

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"].reduce(
  (set, block) => set.union(AddressSet.parse(block) ?? AddressSet.none),
  AddressSet.none,
);

function isPrivate(addresses: AddressSet): boolean {
  return privateRanges.contains(addresses);
}
