import { quoteGo } from "./go-quote.ts";

/** An IP address as a number of 32 or 128 bits. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
  /** The zone of an IPv6 address: `eth0` in `fe80::1%eth0`; empty without. */
  readonly zone: string;
}

/** An address and the length of its network part; host bits are kept as they were written. */
export interface IpPrefix {
  readonly address: IpAddress;
  readonly bits: number;
}

export type IpResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

class ParseFailure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

function fail(input: string, message: string, at = ""): never {
  throw new ParseFailure(`ParseAddr(${quoteGo(input)}): ${message}${at === "" ? "" : ` (at ${quoteGo(at)})`}`);
}

function parsing<T>(read: () => T): IpResult<T> {
  try {
    return { ok: true, value: read() };
  } catch (failure) {
    if (failure instanceof ParseFailure) return { ok: false, message: failure.message };
    throw failure;
  }
}

/** Reads an address as Go's netip.ParseAddr does, with its messages: no leading zeros, zones allowed. */
export function parseIpAddress(text: string): IpResult<IpAddress> {
  return parsing(() => readAddress(text));
}

function readAddress(text: string): IpAddress {
  switch (/[.:%]/.exec(text)?.[0]) {
    case ".":
      return { family: 4, value: readIpv4(text, text), zone: "" };
    case ":":
      return readIpv6(text);
    case "%":
      return fail(text, "missing IPv6 address");
    default:
      return fail(text, "unable to parse IP");
  }
}

function readIpv4(input: string, text: string): bigint {
  const fields: number[] = [];
  let digits = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char >= "0" && char <= "9") {
      if (digits === "0") fail(input, "IPv4 field has octet with leading zero");
      digits += char;
      if (Number(digits) > 255) fail(input, "IPv4 field has value >255");
    } else if (char === ".") {
      if (i === 0 || i === text.length - 1 || text[i - 1] === ".") {
        fail(input, "IPv4 field must have at least one digit", text.slice(i));
      }
      if (fields.length === 3) fail(input, "IPv4 address too long");
      fields.push(Number(digits));
      digits = "";
    } else fail(input, "unexpected character", text.slice(i));
  }
  if (fields.length < 3) fail(input, "IPv4 address too short");
  return [...fields, Number(digits)].reduce((value, field) => (value << 8n) | BigInt(field), 0n);
}

function readIpv6(input: string): IpAddress {
  const percent = input.indexOf("%");
  const zone = percent < 0 ? "" : input.slice(percent + 1);
  if (percent >= 0 && zone === "") fail(input, "zone must be a non-empty string");
  let rest = percent < 0 ? input : input.slice(0, percent);
  const groups: number[] = [];
  let ellipsis = -1;
  if (rest.startsWith("::")) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === "") return { family: 6, value: 0n, zone };
  }
  while (groups.length < 8) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? "";
    if (digits.length > 4) fail(input, "each group must have 4 or less digits", rest);
    if (digits === "") fail(input, "each colon-separated field must have at least one digit", rest);
    if (rest[digits.length] === ".") {
      if (ellipsis < 0 && groups.length !== 6) {
        fail(input, "embedded IPv4 address must replace the final 2 fields of the address", rest);
      }
      if (groups.length > 6) fail(input, "too many hex fields to fit an embedded IPv4 at the end of the address", rest);
      const embedded = Number(readIpv4(input, rest));
      groups.push(embedded >>> 16, embedded & 0xffff);
      rest = "";
      break;
    }
    groups.push(Number.parseInt(digits, 16));
    rest = rest.slice(digits.length);
    if (rest === "") break;
    if (!rest.startsWith(":")) fail(input, "unexpected character, want colon", rest);
    if (rest === ":") fail(input, "colon must be followed by more characters", rest);
    rest = rest.slice(1);
    if (rest.startsWith(":")) {
      if (ellipsis >= 0) fail(input, "multiple :: in address", rest);
      ellipsis = groups.length;
      rest = rest.slice(1);
      if (rest === "") break;
    }
  }
  if (rest !== "") fail(input, "trailing garbage after address", rest);
  if (groups.length < 8) {
    if (ellipsis < 0) fail(input, "address string too short");
    groups.splice(ellipsis, 0, ...new Array<number>(8 - groups.length).fill(0));
  } else if (ellipsis >= 0) fail(input, "the :: must expand to at least one field of zeros");
  return { family: 6, value: groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n), zone };
}

/** Reads `address/bits` as Go's netip.ParsePrefix does, with its messages. */
export function parseIpPrefix(text: string): IpResult<IpPrefix> {
  const slash = text.lastIndexOf("/");
  const wrong = (message: string) => ({ ok: false, message: `netip.ParsePrefix(${quoteGo(text)}): ${message}` }) as const;
  if (slash < 0) return wrong("no '/'");
  const address = parseIpAddress(text.slice(0, slash));
  if (!address.ok) return wrong(address.message);
  if (address.value.zone !== "") return wrong("IPv6 zones cannot be present in a prefix");
  const bits = text.slice(slash + 1);
  if (!/^(?:\d|[1-9]\d{1,8})$/.test(bits)) return wrong(`bad bits after slash: ${quoteGo(bits)}`);
  if (Number(bits) > widthOf(address.value)) return wrong("prefix length out of range");
  return { ok: true, value: { address: address.value, bits: Number(bits) } };
}

export function widthOf(address: IpAddress): 32 | 128 {
  return address.family === 4 ? 32 : 128;
}

/** An IPv4 address written as IPv6: `::ffff:1.2.3.4`. */
export function isIpv4Mapped(address: IpAddress): boolean {
  return address.family === 6 && address.value >> 32n === 0xffffn;
}

/** The canonical text: lower case, the longest run of zeros left out. */
export function formatIpAddress(address: IpAddress): string {
  const { value, zone } = address;
  if (address.family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  const suffix = zone === "" ? "" : `%${zone}`;
  if (isIpv4Mapped(address)) return `::ffff:${formatIpAddress({ family: 4, value: value & 0xffff_ffffn, zone: "" })}${suffix}`;
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(16 * (7 - i))) & 0xffffn));
  const [start, end] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (end - start < 2) return hex.join(":") + suffix;
  return `${hex.slice(0, start).join(":")}::${hex.slice(end).join(":")}${suffix}`;
}

function longestZeros(groups: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best[1] - best[0]) best = [i, end];
  }
  return best;
}

/** The prefix with its host bits cleared. */
export function maskPrefix({ address, bits }: IpPrefix): IpPrefix {
  const host = BigInt(widthOf(address) - bits);
  return { address: { ...address, value: (address.value >> host) << host }, bits };
}

export function prefixContains({ address, bits }: IpPrefix, other: IpAddress): boolean {
  if (address.family !== other.family || other.zone !== "") return false;
  const host = BigInt(widthOf(address) - bits);
  return address.value >> host === other.value >> host;
}
