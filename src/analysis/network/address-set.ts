import { formatIpAddress, type IpPrefix, maskPrefix, parseIpAddress, parseIpPrefix } from "../../core/ip-address.ts";
import { differenceOf, holds, type IntervalSet, intersectionOf, intervalsOf, sameIntervals, unionOf } from "./interval-set.ts";

const end4 = 2 ** 32;
const end6 = 1n << 128n;

/** An address in the form in which sets are asked. */
export type Address = { readonly family: 4; readonly value: number } | { readonly family: 6; readonly value: bigint };

/** A set of IPv4 and IPv6 addresses. Immutable; all operations are exact. */
export class AddressSet {
  static readonly none = new AddressSet([], []);
  static readonly all = new AddressSet([0, end4], [0n, end6]);
  static readonly allIpv4 = new AddressSet([0, end4], []);
  static readonly allIpv6 = new AddressSet([], [0n, end6]);

  readonly v4: IntervalSet<number>;
  readonly v6: IntervalSet<bigint>;

  private constructor(v4: IntervalSet<number>, v6: IntervalSet<bigint>) {
    this.v4 = v4;
    this.v6 = v6;
  }

  /** `10.0.0.0/8`, `fd00::/8`, or a single address; undefined where the text is neither. Host bits are cleared. */
  static parse(text: string): AddressSet | undefined {
    const prefix = parseIpPrefix(text);
    if (prefix.ok) return AddressSet.ofPrefix(prefix.value);
    const address = parseIpAddress(text);
    if (!address.ok || address.value.zone !== "") return undefined;
    return AddressSet.ofPrefix({ address: address.value, bits: address.value.family === 4 ? 32 : 128 });
  }

  static ofPrefix(prefix: IpPrefix): AddressSet {
    const { address } = maskPrefix(prefix);
    if (address.family === 4) {
      const from = Number(address.value);
      return new AddressSet([from, from + 2 ** (32 - prefix.bits)], []);
    }
    return new AddressSet([], [address.value, address.value + (1n << BigInt(128 - prefix.bits))]);
  }

  static ofAddress(address: Address): AddressSet {
    return address.family === 4
      ? new AddressSet([address.value, address.value + 1], [])
      : new AddressSet([], [address.value, address.value + 1n]);
  }

  /** Of half-open intervals that are sorted and disjoint. */
  static ofIntervals(v4: IntervalSet<number>, v6: IntervalSet<bigint>): AddressSet {
    return new AddressSet(v4, v6);
  }

  get isEmpty(): boolean {
    return this.v4.length === 0 && this.v6.length === 0;
  }

  get isAll(): boolean {
    return this.equals(AddressSet.all);
  }

  has(address: Address): boolean {
    return address.family === 4 ? holds(this.v4, address.value) : holds(this.v6, address.value);
  }

  union(other: AddressSet): AddressSet {
    return new AddressSet(unionOf(this.v4, other.v4), unionOf(this.v6, other.v6));
  }

  intersect(other: AddressSet): AddressSet {
    return new AddressSet(intersectionOf(this.v4, other.v4), intersectionOf(this.v6, other.v6));
  }

  subtract(other: AddressSet): AddressSet {
    return new AddressSet(differenceOf(this.v4, other.v4), differenceOf(this.v6, other.v6));
  }

  equals(other: AddressSet): boolean {
    return sameIntervals(this.v4, other.v4) && sameIntervals(this.v6, other.v6);
  }

  contains(other: AddressSet): boolean {
    return other.subtract(this).isEmpty;
  }

  /** The smallest list of CIDR blocks that makes the set up, IPv4 first. */
  toCidrs(): readonly string[] {
    const blocks4 = intervalsOf(this.v4).flatMap(([from, end]) => blocks(4, BigInt(from), BigInt(end)));
    return [...blocks4, ...intervalsOf(this.v6).flatMap(([from, end]) => blocks(6, from, end))];
  }

  /** As ranges: `10.0.0.0-10.255.255.255`; a single address alone. */
  toRanges(): readonly string[] {
    const text = (family: 4 | 6, from: bigint, last: bigint) => {
      const [a, b] = [from, last].map((value) => formatIpAddress({ family, value, zone: "" }));
      return from === last ? `${a}` : `${a}-${b}`;
    };
    return [
      ...intervalsOf(this.v4).map(([from, end]) => text(4, BigInt(from), BigInt(end) - 1n)),
      ...intervalsOf(this.v6).map(([from, end]) => text(6, from, end - 1n)),
    ];
  }

  toString(): string {
    if (this.isAll) return "any address";
    return this.isEmpty ? "no address" : this.toCidrs().join(", ");
  }
}

function blocks(family: 4 | 6, from: bigint, end: bigint): string[] {
  const width = family === 4 ? 32 : 128;
  const result: string[] = [];
  let at = from;
  while (at < end) {
    let host = 0;
    while (host < width && (at & ((1n << BigInt(host + 1)) - 1n)) === 0n && at + (1n << BigInt(host + 1)) <= end) host++;
    result.push(`${formatIpAddress({ family, value: at, zone: "" })}/${width - host}`);
    at += 1n << BigInt(host);
  }
  return result;
}

/** Undefined where the text is no address, or has a zone. */
export function parseAddress(text: string): Address | undefined {
  const parsed = parseIpAddress(text);
  if (!parsed.ok || parsed.value.zone !== "") return undefined;
  const { family, value } = parsed.value;
  return family === 4 ? { family, value: Number(value) } : { family, value };
}
