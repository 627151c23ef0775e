import { AddressSet } from "../address-set.ts";
import type { PeerTerm } from "../rule.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import type { EndpointIndex } from "./endpoint-index.ts";

/** How an endpoint is met by a peer of a rule. */
export type Match = "no" | "identity" | "address" | "perhaps";

/** What is known about the addresses of pods that have none yet. */
export interface PodRange {
  readonly addresses: AddressSet;
  /** Told by the user: all pods lie within. Else a guess: usual private ranges, IPv4. */
  readonly isCertain: boolean;
}

export const usualPodRange: PodRange = {
  addresses: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].reduce(
    (set, cidr) => set.union(AddressSet.parse(cidr) ?? AddressSet.none),
    AddressSet.none,
  ),
  isCertain: false,
};

const uniqueLocal = AddressSet.parse("fc00::/7") ?? AddressSet.none;

/** Whether a pod of unknown address is in a block. */
function unaddressed(block: AddressSet, range: PodRange): Match {
  if (block.contains(range.addresses)) return "address";
  if (!block.intersect(range.addresses).isEmpty) return "perhaps";
  return range.isCertain || block.intersect(uniqueLocal).isEmpty ? "no" : "perhaps";
}

/** A node or the API server of unknown address may be anywhere. */
function anywhere(block: AddressSet): Match {
  if (block.isEmpty) return "no";
  return block.contains(AddressSet.allIpv4) || block.contains(AddressSet.allIpv6) ? "address" : "perhaps";
}

const nobody = new Set<number>();
const nothingSpecial = new Map<number, Match>();

/** One alternative of a rule's peers, resolved to the endpoints that there are. */
export class PeerSet {
  readonly term: PeerTerm;
  readonly #index: EndpointIndex;
  readonly #range: PodRange;
  #identity: Set<number> = nobody;
  #address: Set<number> = nobody;
  #special: Map<number, Match> = nothingSpecial;
  /** Of pods whose address nobody knows. */
  readonly unaddressed: Match;

  constructor(term: PeerTerm, index: EndpointIndex, range: PodRange) {
    this.term = term;
    this.#index = index;
    this.#range = range;
    this.unaddressed = term.byAddress === undefined ? "no" : unaddressed(term.byAddress, range);
    if (term.everything) return;
    if (term.pods !== undefined && !this.isEveryPod) for (const cls of index.select(term.pods)) this.#admitPod(cls);
    if (term.byAddress !== undefined) index.atAddresses(term.byAddress, (id) => this.#addAddress(id));
    for (const cls of index.others) this.#admitOther(cls);
  }

  /** Whether every pod of the cluster is met by what it is. */
  get isEveryPod(): boolean {
    const { pods, within, outside } = this.term;
    return pods?.everyPod === true && pods.namespaces.kind === "all" && within === undefined && outside === undefined;
  }

  // Most sets hold few endpoints of one sort: the others are not even made.

  #addIdentity(id: number): void {
    if (this.#identity === nobody) this.#identity = new Set();
    this.#identity.add(id);
  }

  #addAddress(id: number): void {
    if (this.#address === nobody) this.#address = new Set();
    this.#address.add(id);
  }

  #addSpecial(id: number, match: Match): void {
    if (this.#special === nothingSpecial) this.#special = new Map();
    this.#special.set(id, match);
  }

  /** A class that was not there before. */
  admit(cls: EndpointClass): void {
    const { term } = this;
    if (term.everything) return;
    if (cls.kind !== "pod") {
      this.#admitOther(cls);
      return;
    }
    if (term.pods !== undefined && !this.isEveryPod && this.#index.selects(term.pods, cls)) this.#admitPod(cls);
    if (term.byAddress !== undefined && isAt(cls, term.byAddress)) this.#addAddress(cls.id);
  }

  #admitPod(cls: EndpointClass): void {
    const { within, outside } = this.term;
    if (within === undefined && outside === undefined) {
      this.#addIdentity(cls.id);
      return;
    }
    const met = both(
      within === undefined ? "address" : this.#isIn(cls, within),
      outside === undefined ? "address" : inverse(this.#isIn(cls, outside)),
    );
    if (met === "address") this.#addIdentity(cls.id);
    else if (met === "perhaps") this.#addSpecial(cls.id, met);
  }

  #isIn(cls: EndpointClass, set: AddressSet): Match {
    if (cls.addresses.length === 0) return cls.kind === "pod" ? unaddressed(set, this.#range) : anywhere(set);
    return isAt(cls, set) ? "address" : "no";
  }

  #admitOther(cls: EndpointClass): void {
    const { nodes, apiServer, byAddress } = this.term;
    if (apiServer === true && cls.kind === "apiserver") this.#addIdentity(cls.id);
    else if (nodes !== undefined && (cls.kind === "node" || cls.kind === "host")) {
      if (nodes.matches(cls.nodeLabels)) this.#addIdentity(cls.id);
      // Labels of a node that no object shows are not known.
      else if (Object.keys(cls.nodeLabels).length === 0) this.#addSpecial(cls.id, "perhaps");
    } else if (byAddress !== undefined) {
      const met = this.#isIn(cls, byAddress);
      if (met === "address") this.#addAddress(cls.id);
      else if (met !== "no") this.#addSpecial(cls.id, met);
    }
  }

  match(cls: EndpointClass): Match {
    if (this.term.everything) return "identity";
    if (this.#identity.has(cls.id)) return "identity";
    if (cls.kind === "pod" && this.isEveryPod) return "identity";
    if (this.#address.has(cls.id)) return "address";
    const special = this.#special.get(cls.id);
    if (special !== undefined) return special;
    return cls.kind === "pod" && cls.addresses.length === 0 ? this.unaddressed : "no";
  }

  /** Classes that are met one by one; those that are met because they are pods at all do not count. */
  *listed(): Generator<number> {
    yield* this.#identity;
    yield* this.#address;
    yield* this.#special.keys();
  }

  /** Whether pods that `listed` does not hold may be met, too. */
  get isOpen(): boolean {
    return this.term.everything === true || this.isEveryPod || this.unaddressed !== "no";
  }

  get external(): AddressSet {
    return this.term.everything ? AddressSet.all : (this.term.external ?? AddressSet.none);
  }
}

function isAt(cls: EndpointClass, set: AddressSet): boolean {
  return cls.addresses.some((address) => set.has(address));
}

function inverse(match: Match): Match {
  if (match === "perhaps") return match;
  return match === "no" ? "address" : "no";
}

function both(a: Match, b: Match): Match {
  if (a === "no" || b === "no") return "no";
  return a === "perhaps" || b === "perhaps" ? "perhaps" : "address";
}
