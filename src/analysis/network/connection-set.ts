import { differenceOf, holds, type IntervalSet, intersectionOf, intervalsOf, sameIntervals, unionOf } from "./interval-set.ts";

/** An IP protocol by its number (IANA). */
export type ProtocolNumber = number;

export const protocols = { ICMP: 1, TCP: 6, UDP: 17, ICMPv6: 58, SCTP: 132, UDPLite: 136 } as const;

/** What NetworkPolicy and its relatives speak about. */
export const portProtocols: readonly ProtocolNumber[] = [protocols.TCP, protocols.UDP, protocols.SCTP];

const portsAll: IntervalSet<number> = [1, 65_536];
const icmpAll: IntervalSet<number> = [0, 65_536];
const single: IntervalSet<number> = [0, 1];

/**
 * Everything one protocol can carry: destination ports 1 to 65535; of ICMP `type * 256 + code`; of any other protocol
 * the one value 0.
 */
function fullOf(protocol: ProtocolNumber): IntervalSet<number> {
  switch (protocol) {
    case protocols.TCP:
    case protocols.UDP:
    case protocols.SCTP:
    case protocols.UDPLite:
      return portsAll;
    case protocols.ICMP:
    case protocols.ICMPv6:
      return icmpAll;
    default:
      return single;
  }
}

/** `TCP` for 6; the number of a protocol without a usual name. */
export function protocolName(protocol: ProtocolNumber): string {
  return Object.entries(protocols).find(([, number]) => number === protocol)?.[0] ?? `protocol ${protocol}`;
}

const byName: ReadonlyMap<string, ProtocolNumber> = new Map(
  Object.entries(protocols).map(([name, number]) => [name.toUpperCase(), number]),
);

/** By name in any case; undefined where there is no such protocol. */
export function protocolNumber(name: string): ProtocolNumber | undefined {
  return byName.get(name.toUpperCase());
}

type ByProtocol = ReadonlyMap<ProtocolNumber, IntervalSet<number>>;

/**
 * A set of connections by protocol and destination port. Immutable; all operations are exact.
 * Its members are private to the compiler only: with private names TypeScript 7.0 emits static members that do not run.
 */
export class ConnectionSet {
  static readonly none = new ConnectionSet(new Map(), false);
  /** Every protocol. */
  static readonly all = new ConnectionSet(new Map(), true);

  /** Protocols that differ from `others`. */
  private readonly listed: ByProtocol;
  /** Whether protocols that are not listed are allowed in full. */
  private readonly others: boolean;

  private constructor(listed: ByProtocol, others: boolean) {
    this.listed = listed;
    this.others = others;
  }

  private static make(entries: Iterable<readonly [ProtocolNumber, IntervalSet<number>]>, others: boolean): ConnectionSet {
    const listed = new Map<ProtocolNumber, IntervalSet<number>>();
    for (const [protocol, set] of entries) {
      if (!(others ? sameIntervals(set, fullOf(protocol)) : set.length === 0)) listed.set(protocol, set);
    }
    if (listed.size === 0) return others ? ConnectionSet.all : ConnectionSet.none;
    return new ConnectionSet(listed, others);
  }

  /** Ports `from` to `to`, both included; all of the protocol where no ports are given. */
  static of(protocol: ProtocolNumber, from?: number, to?: number): ConnectionSet {
    const full = fullOf(protocol);
    const set = from === undefined ? full : intersectionOf([from, (to ?? from) + 1], full);
    return ConnectionSet.make([[protocol, set]], false);
  }

  static ofIntervals(protocol: ProtocolNumber, set: IntervalSet<number>): ConnectionSet {
    return ConnectionSet.make([[protocol, intersectionOf(set, fullOf(protocol))]], false);
  }

  /** What is allowed of one protocol. */
  of(protocol: ProtocolNumber): IntervalSet<number> {
    return this.listed.get(protocol) ?? (this.others ? fullOf(protocol) : []);
  }

  private combine(
    other: ConnectionSet,
    sets: (a: IntervalSet<number>, b: IntervalSet<number>) => IntervalSet<number>,
    others: boolean,
  ): ConnectionSet {
    const entries: [ProtocolNumber, IntervalSet<number>][] = [];
    for (const protocol of this.listed.keys()) entries.push([protocol, sets(this.of(protocol), other.of(protocol))]);
    for (const protocol of other.listed.keys()) {
      if (!this.listed.has(protocol)) entries.push([protocol, sets(this.of(protocol), other.of(protocol))]);
    }
    return ConnectionSet.make(entries, others);
  }

  union(other: ConnectionSet): ConnectionSet {
    if (this === other || other.isEmpty || this.isAll) return this;
    if (this.isEmpty || other.isAll) return other;
    return this.combine(other, unionOf, this.others || other.others);
  }

  intersect(other: ConnectionSet): ConnectionSet {
    if (this === other || this.isEmpty || other.isAll) return this;
    if (other.isEmpty || this.isAll) return other;
    return this.combine(other, intersectionOf, this.others && other.others);
  }

  subtract(other: ConnectionSet): ConnectionSet {
    if (this.isEmpty || other.isEmpty) return this;
    if (this === other || other.isAll) return ConnectionSet.none;
    return this.combine(other, differenceOf, this.others && !other.others);
  }

  get isEmpty(): boolean {
    return !this.others && this.listed.size === 0;
  }

  get isAll(): boolean {
    return this.others && this.listed.size === 0;
  }

  equals(other: ConnectionSet): boolean {
    if (this === other) return true;
    if (this.others !== other.others || this.listed.size !== other.listed.size) return false;
    for (const [protocol, set] of this.listed) {
      const theirs = other.listed.get(protocol);
      if (theirs === undefined || !sameIntervals(set, theirs)) return false;
    }
    return true;
  }

  contains(other: ConnectionSet): boolean {
    return this.isAll || other.subtract(this).isEmpty;
  }

  has(protocol: ProtocolNumber, port: number): boolean {
    return holds(this.of(protocol), port);
  }

  /** Equal for equal sets. */
  get key(): string {
    const listed = [...this.listed].sort(([a], [b]) => a - b).map(([protocol, set]) => `${protocol}:${set.join()}`);
    return `${this.others ? "+" : ""}${listed.join(";")}`;
  }

  /** Only what NetworkPolicy speaks about: TCP, UDP and SCTP. */
  get portsOnly(): ConnectionSet {
    return this.intersect(allPorts);
  }

  /** Whether TCP, UDP and SCTP are allowed in full. */
  get allPorts(): boolean {
    return this.contains(allPorts);
  }

  /** Protocols with what is allowed of them, as ranges with both ends included; `undefined` of an unlisted protocol. */
  ranges(): readonly { readonly protocol: ProtocolNumber; readonly ranges: readonly (readonly [number, number])[] }[] {
    const known = new Set<ProtocolNumber>([...portProtocols, ...this.listed.keys()]);
    return [...known]
      .sort((a, b) => order(a) - order(b))
      .map((protocol) => ({
        protocol,
        ranges: intervalsOf(this.of(protocol)).map(([from, end]) => [from, end - 1] as const),
      }))
      .filter(({ ranges }) => ranges.length > 0);
  }

  /** `TCP 80,443; UDP 53`, `all connections`, `no connections`. */
  toString(): string {
    if (this.isEmpty) return "no connections";
    if (this.allPorts) return "all connections";
    return this.ranges()
      .map(({ protocol, ranges }) => {
        if (sameIntervals(this.of(protocol), fullOf(protocol))) return protocolName(protocol);
        return `${protocolName(protocol)} ${ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",")}`;
      })
      .join("; ");
  }
}

const order = (protocol: ProtocolNumber): number => {
  const index = portProtocols.indexOf(protocol);
  return index < 0 ? 1000 + protocol : index;
};

const allPorts = portProtocols.reduce((set, protocol) => set.union(ConnectionSet.of(protocol)), ConnectionSet.none);
