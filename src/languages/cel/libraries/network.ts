import { quoteGo } from "../../../core/go-quote.ts";
import {
  formatIpAddress,
  type IpAddress,
  type IpPrefix,
  isIpv4Mapped,
  maskPrefix,
  parseIpAddress,
  parseIpPrefix,
  prefixContains,
  widthOf,
} from "../../../core/ip-address.ts";
import { type FunctionDeclaration, type Library, memberOverload, overload } from "../declarations.ts";
import { boolType, type CelType, type CelTypeOf, intType, opaqueType, stringType, typeOfType } from "../types.ts";
import { CelError, CelObject, type CelValue, noSuchOverload, TypeValue, type Value } from "../values/value.ts";

const ipType: CelTypeOf<Ip> = opaqueType("net.IP");
const cidrType: CelTypeOf<Cidr> = opaqueType("net.CIDR");

/** Kubernetes' functions came first; those of cel-go's own extension differ in small ways. */
export type NetworkDialect = "kubernetes" | "extension";

class Ip extends CelObject {
  readonly address: IpAddress;
  readonly #dialect: NetworkDialect;

  constructor(address: IpAddress, dialect: NetworkDialect) {
    super();
    this.address = address;
    this.#dialect = dialect;
  }

  get type(): CelType {
    return ipType;
  }

  /** In bytes. */
  override get size(): number {
    return widthOf(this.address) / 8;
  }

  equals(other: CelValue): boolean | CelError {
    if (!(other instanceof Ip)) return this.#dialect === "kubernetes" ? noSuchOverload() : false;
    return sameAddress(this.address, other.address);
  }

  override toJson(): string {
    return formatIpAddress(this.address);
  }
}

function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}

class Cidr extends CelObject {
  readonly prefix: IpPrefix;
  readonly #dialect: NetworkDialect;

  constructor(prefix: IpPrefix, dialect: NetworkDialect) {
    super();
    this.prefix = prefix;
    this.#dialect = dialect;
  }

  get type(): CelType {
    return cidrType;
  }

  /** Of the network part, in bytes. */
  override get size(): number {
    return Math.ceil(this.prefix.bits / 8);
  }

  equals(other: CelValue): boolean | CelError {
    if (!(other instanceof Cidr)) return this.#dialect === "kubernetes" ? noSuchOverload() : false;
    return this.prefix.bits === other.prefix.bits && sameAddress(this.prefix.address, other.prefix.address);
  }

  override toJson(): string {
    return formatCidr(this);
  }
}

type Parse<T> = (text: string) => T | CelError;

function ipParser(dialect: NetworkDialect): Parse<Ip> {
  return (text) => {
    const parsed = parseIpAddress(text);
    if (!parsed.ok)
      return new CelError(`IP Address ${quoteGo(text)} parse error during conversion from string: ${parsed.message}`);
    const address = parsed.value;
    if (address.zone !== "") return new CelError(`IP address ${quoteGo(text)} with zone value is not allowed`);
    if (!isIpv4Mapped(address)) return new Ip(address, dialect);
    // The extension only refuses the notation; `::ffff:c0a8:1` is 192.168.0.1 to it.
    if (dialect === "kubernetes" || text.includes(".")) {
      return new CelError(`IPv4-mapped IPv6 address ${quoteGo(text)} is not allowed`);
    }
    return new Ip({ family: 4, value: address.value & 0xffff_ffffn, zone: "" }, dialect);
  };
}

function cidrParser(dialect: NetworkDialect): Parse<Cidr> {
  const prefix = "network address parse error during conversion from string: ";
  return (text) => {
    const parsed = parseIpPrefix(text);
    if (!parsed.ok) return new CelError(`${prefix}${prefix}${parsed.message}`);
    if (!isIpv4Mapped(parsed.value.address)) return new Cidr(parsed.value, dialect);
    return new CelError(`${prefix}IPv4-mapped IPv6 address ${quoteGo(text)} is not allowed`);
  };
}

/** Whether the first `bits` bits of an address are those of `value`, a number of the address's width for each family. */
function within(address: IpAddress, four: readonly [bigint, number], six: readonly [bigint, number]): boolean {
  const [value, bits] = address.family === 4 ? four : six;
  return prefixContains({ address: { ...address, value }, bits }, address);
}

const isUnspecified = (ip: IpAddress) => ip.value === 0n;
const isLoopback = (ip: IpAddress) => within(ip, [0x7f00_0000n, 8], [1n, 128]);
const isMulticast = (ip: IpAddress) => within(ip, [0xe000_0000n, 4], [0xffn << 120n, 8]);
const isLinkLocalUnicast = (ip: IpAddress) => within(ip, [0xa9fe_0000n, 16], [0xfe80n << 112n, 10]);

/** The scope nibble of an IPv6 multicast address is in the low half of its second byte. */
function isLinkLocalMulticast(ip: IpAddress): boolean {
  if (ip.family === 4) return within(ip, [0xe000_0000n, 24], [0n, 0]);
  return isMulticast(ip) && ((ip.value >> 112n) & 0xfn) === 2n;
}

function isGlobalUnicast(ip: IpAddress): boolean {
  if (ip.family === 4 && ip.value === 0xffff_ffffn) return false;
  return !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip);
}

function test(name: string, id: string, holds: (ip: IpAddress) => boolean): FunctionDeclaration {
  return { name, overloads: [memberOverload(id, [ipType], boolType, (ip) => holds(ip.address))] };
}

function formatCidr({ prefix }: Cidr): string {
  return `${formatIpAddress(prefix.address)}/${prefix.bits}`;
}

function containsIp(cidr: Cidr, ip: Ip): boolean {
  return prefixContains(cidr.prefix, ip.address);
}

/** Kubernetes loses the reason why a text is no address. */
function containsWritten(cidr: Cidr, ip: Ip | CelError, dialect: NetworkDialect): Value {
  if (ip instanceof CelError) return dialect === "kubernetes" ? noSuchOverload() : ip;
  return containsIp(cidr, ip);
}

/** Whether all of `inner` is in `outer`. */
function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix.bits <= inner.prefix.bits && prefixContains(outer.prefix, inner.prefix.address);
}

/** Goes on with a value that was read from a string, or with the reason it could not be. */
function read<T extends CelObject>(parse: Parse<T>, text: string, use: (value: T) => Value): Value {
  const value = parse(text);
  return value instanceof CelError ? value : use(value);
}

/** A name that stands for a type. */
function typeName(type: CelType) {
  return { name: type.name, type: typeOfType(type), value: new TypeValue(type) };
}

export function ipLibrary(dialect: NetworkDialect): Library {
  const parse = ipParser(dialect);
  return {
    name: "kubernetes.net.ip",
    variables: [typeName(ipType)],
    functions: [
      { name: "ip", overloads: [overload("string_to_ip", [stringType], ipType, parse)] },
      { name: "isIP", overloads: [overload("is_ip", [stringType], boolType, (text) => !(parse(text) instanceof CelError))] },
      {
        name: "ip.isCanonical",
        overloads: [
          overload("ip_is_canonical", [stringType], boolType, (text) =>
            read(parse, text, (ip) => formatIpAddress(ip.address) === text),
          ),
        ],
      },
      { name: "family", overloads: [memberOverload("ip_family", [ipType], intType, (ip) => ip.address.family)] },
      test("isUnspecified", "ip_is_unspecified", isUnspecified),
      test("isLoopback", "ip_is_loopback", isLoopback),
      test("isLinkLocalMulticast", "ip_is_link_local_multicast", isLinkLocalMulticast),
      test("isLinkLocalUnicast", "ip_is_link_local_unicast", isLinkLocalUnicast),
      test("isGlobalUnicast", "ip_is_global_unicast", isGlobalUnicast),
      { name: "string", overloads: [overload("ip_to_string", [ipType], stringType, (ip) => formatIpAddress(ip.address))] },
    ],
  };
}

export function cidrLibrary(dialect: NetworkDialect): Library {
  const parse = cidrParser(dialect);
  const parseIp = ipParser(dialect);
  return {
    name: "kubernetes.net.cidr",
    variables: [typeName(cidrType)],
    functions: [
      { name: "cidr", overloads: [overload("string_to_cidr", [stringType], cidrType, parse)] },
      { name: "isCIDR", overloads: [overload("is_cidr", [stringType], boolType, (text) => !(parse(text) instanceof CelError))] },
      {
        name: "containsIP",
        overloads: [
          memberOverload("cidr_contains_ip_string", [cidrType, stringType], boolType, (cidr, text) =>
            containsWritten(cidr, parseIp(text), dialect),
          ),
          memberOverload("cidr_contains_ip_ip", [cidrType, ipType], boolType, containsIp),
        ],
      },
      {
        name: "containsCIDR",
        overloads: [
          memberOverload("cidr_contains_cidr_string", [cidrType, stringType], boolType, (cidr, text) =>
            read(parse, text, (other) => containsCidr(cidr, other)),
          ),
          memberOverload("cidr_contains_cidr", [cidrType, cidrType], boolType, containsCidr),
        ],
      },
      { name: "ip", overloads: [memberOverload("cidr_ip", [cidrType], ipType, (cidr) => new Ip(cidr.prefix.address, dialect))] },
      {
        name: "prefixLength",
        overloads: [memberOverload("cidr_prefix_length", [cidrType], intType, (cidr) => cidr.prefix.bits)],
      },
      {
        name: "masked",
        overloads: [memberOverload("cidr_masked", [cidrType], cidrType, (cidr) => new Cidr(maskPrefix(cidr.prefix), dialect))],
      },
      { name: "string", overloads: [overload("cidr_to_string", [cidrType], stringType, formatCidr)] },
    ],
  };
}
