import { formatIpAddress, type IpAddress, isIpv4Mapped, parseIpAddress } from "../../../core/ip-address.ts";

/** An address or network with IPv4-mapped IPv6 read as IPv4, as Go's net package compares them. */
export interface Network {
  readonly family: 4 | 6;
  /** The lowest address, or any address where host bits were left on purpose. */
  readonly value: bigint;
  readonly bits: number;
}

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128);

function normalized(address: IpAddress): IpAddress {
  return isIpv4Mapped(address) ? { family: 4, value: address.value & 0xffffffffn, zone: "" } : address;
}

/** As Go's net.ParseIP: zones are refused. */
export function parseIp(text: string): IpAddress | undefined {
  const parsed = parseIpAddress(text);
  return parsed.ok && parsed.value.zone === "" ? normalized(parsed.value) : undefined;
}

/** As Go's net.ParseCIDR, the address cut to the network. */
export function parseCidr(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const length = /^\d+$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : Number.NaN;
  const parsed = slash < 0 ? undefined : parseIpAddress(text.slice(0, slash));
  if (parsed === undefined || !parsed.ok || parsed.value.zone !== "") return undefined;
  const { family, value } = parsed.value;
  if (!(length <= width(family))) return undefined;
  const host = BigInt(width(family) - length);
  const base = normalized({ family, value: (value >> host) << host, zone: "" });
  return { family: base.family, value: base.value, bits: base.family === family ? length : length - 96 };
}

export function lastOf({ family, value, bits }: Network): bigint {
  return value | ((1n << BigInt(width(family) - bits)) - 1n);
}

export function containsAddress(network: Network, address: { readonly family: 4 | 6; readonly value: bigint }): boolean {
  const host = BigInt(width(network.family) - network.bits);
  return network.family === address.family && network.value >> host === address.value >> host;
}

export function containsNetwork(a: Network, b: Network): boolean {
  return a.bits <= b.bits && containsAddress(a, b);
}

export function formatAddress(family: 4 | 6, value: bigint): string {
  return formatIpAddress({ family, value, zone: "" });
}

export function formatNetwork({ family, value, bits }: Network): string {
  return `${formatAddress(family, value)}/${bits}`;
}

/** A network with the addresses that it spans, as numbers of 128 bits: IPv4 stands where IPv6 maps it. */
interface Range {
  readonly first: bigint;
  readonly last: bigint;
  /** As it was given; undefined once it is merged with another. */
  readonly network: Network | undefined;
}

const mapped = 0xffffn << 32n;

function rangeOf(network: Network): Range {
  const offset = network.family === 4 ? mapped : 0n;
  const host = BigInt(width(network.family) - network.bits);
  const first = (network.value >> host) << host;
  return { first: first + offset, last: lastOf({ ...network, value: first }) + offset, network };
}

const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Neighbours and overlaps put together; networks that touch no other stay as they were given. */
export function mergeNetworks(networks: readonly Network[]): readonly Network[] {
  const ranges = networks.map(rangeOf).sort((a, b) => order(a.last, b.last) || order(a.first, b.first));
  for (let i = ranges.length - 1; i > 0; i--) {
    const current = ranges[i];
    const below = ranges[i - 1];
    if (current === undefined || below === undefined) break;
    // No address comes before the lowest of its family.
    const previous = current.first === 0n || current.first === mapped ? current.first : current.first - 1n;
    if (previous > below.last) continue;
    const first = order(below.first, current.first) < 0 ? below.first : current.first;
    ranges.splice(i - 1, 2, { first, last: current.last, network: undefined });
  }
  return ranges.flatMap((range) => (range.network === undefined ? networksOf(range.first, range.last) : [range.network]));
}

/** The fewest networks that span exactly the addresses from `first` to `last`. */
function networksOf(first: bigint, last: bigint): readonly Network[] {
  const family = first >> 32n === 0xffffn ? 4 : 6;
  const offset = family === 4 ? mapped : 0n;
  const found: Network[] = [];
  for (let at = first; at <= last; ) {
    let host = 0;
    while (host < width(family) && at % (1n << BigInt(host + 1)) === 0n && at + (1n << BigInt(host + 1)) - 1n <= last) host++;
    found.push({ family, value: at - offset, bits: width(family) - host });
    at += 1n << BigInt(host);
  }
  return found;
}
