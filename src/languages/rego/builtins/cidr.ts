import { anyOf, anyType, arrayOf, booleanType, objectOf, setOf, stringType, tuple } from "../types/type.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import type { Builtin, BuiltinContext, BuiltinError, BuiltinResult } from "./builtin.ts";
import {
  containsAddress,
  containsNetwork,
  formatAddress,
  formatNetwork,
  lastOf,
  mergeNetworks,
  type Network,
  parseCidr,
  parseIp,
} from "./ip-network.ts";
import { any, binary, failure, isArray, isError, isSet, itemsOf, string, typeError, unary } from "./operand.ts";

const invalid = (text: string): BuiltinError => failure(`invalid CIDR address: ${text}`);

function contains(outer: string, inner: string): boolean | BuiltinError {
  const network = parseCidr(outer);
  if (network === undefined) return invalid(outer);
  const address = parseIp(inner);
  if (address !== undefined) return containsAddress(network, address);
  const other = parseCidr(inner);
  if (other === undefined) return failure(`not a valid textual representation of an IP address or CIDR: ${inner}`);
  return containsNetwork(network, other);
}

/** What is matched (a CIDR or address), and what the result calls it. */
interface Candidate {
  readonly cidr: Value;
  readonly name: Value;
}

/** A text by itself; elements of arrays by index, of sets by themselves, of objects by key. */
function candidates(value: Value, position: number): readonly Candidate[] | BuiltinError {
  if (typeof value === "string") return [{ cidr: value, name: value }];
  const found: { readonly item: Value; readonly name: Value }[] = [];
  if (isArray(value)) found.push(...value.map((item, name) => ({ item, name })));
  else if (isSet(value)) found.push(...value.sorted().map((item) => ({ item, name: item })));
  else if (value instanceof RegoObject) found.push(...value.sorted().map((m) => ({ item: m.value, name: m.key })));
  const read: Candidate[] = [];
  for (const { item, name } of found) {
    const cidr = isArray(item) ? item[0] : item;
    if (cidr === undefined || (typeof item !== "string" && !isArray(item))) {
      return failure(`operand ${position}: element must be string or non-empty array`);
    }
    read.push({ cidr, name });
  }
  return read;
}

function containsMatches(outer: Value, inner: Value, context: BuiltinContext): BuiltinResult {
  const outers = candidates(outer, 1);
  if (isError(outers)) return outers;
  if (outers.length === 0) return RegoSet.empty;
  const inners = candidates(inner, 2);
  if (isError(inners)) return inners;
  const found: Value[] = [];
  for (const a of outers) {
    for (const b of inners) {
      context.spend(1);
      if (typeof a.cidr !== "string") return typeError(1, a.cidr, "string");
      if (typeof b.cidr !== "string") return typeError(1, b.cidr, "string");
      const holds = contains(a.cidr, b.cidr);
      if (isError(holds)) return holds;
      if (holds) found.push([a.name, b.name]);
    }
  }
  return RegoSet.of(found);
}

function expand(text: string, context: BuiltinContext): BuiltinResult {
  const network = parseCidr(text);
  if (network === undefined) return invalid(text);
  const addresses: Value[] = [];
  const last = lastOf(network);
  for (let at = network.value; at <= last; at++) {
    context.spend(1);
    addresses.push(formatAddress(network.family, at));
  }
  return RegoSet.of(addresses);
}

/** The network of the class that an IPv4 address belonged to before there were prefix lengths; host bits stay. */
function classful(value: bigint): Network {
  const first = Number(value >> 24n);
  return { family: 4, value, bits: first < 128 ? 8 : first < 192 ? 16 : 24 };
}

function networkOf(item: Value): Network | BuiltinError {
  if (typeof item !== "string") return failure("element must be string");
  const address = parseIp(item);
  if (address === undefined) return parseCidr(item) ?? invalid(item);
  return address.family === 4 ? classful(address.value) : failure("IPv6 invalid: needs prefix length");
}

function merge(value: Value): BuiltinResult {
  if (!isArray(value) && !isSet(value)) return failure("operand must be an array");
  const networks: Network[] = [];
  for (const item of itemsOf(value)) {
    const network = networkOf(item);
    if (isError(network)) return network;
    networks.push(network);
  }
  return RegoSet.of(mergeNetworks(networks).map(formatNetwork));
}

const cidrOrList = anyOf(stringType, arrayOf(anyType));
const manyType = anyOf(stringType, arrayOf(cidrOrList), objectOf(stringType, cidrOrList), setOf(cidrOrList));
const many = { ...any, type: manyType };
const mergeable = { ...any, type: anyOf(arrayOf(anyOf(stringType)), setOf(stringType)) };

export const cidrBuiltins: readonly Builtin[] = [
  binary("net.cidr_contains", [string, string], booleanType, contains),
  binary("net.cidr_overlap", [string, string], booleanType, contains, { deprecated: true }),
  binary("net.cidr_intersects", [string, string], booleanType, (a, b) => {
    const left = parseCidr(a);
    if (left === undefined) return invalid(a);
    const right = parseCidr(b);
    if (right === undefined) return invalid(b);
    return containsAddress(left, right) || containsAddress(right, left);
  }),
  binary("net.cidr_contains_matches", [many, many], setOf(tuple(anyType, anyType)), containsMatches),
  unary("net.cidr_expand", string, setOf(stringType), expand),
  unary("net.cidr_is_valid", string, booleanType, (text) => parseCidr(text) !== undefined),
  unary("net.cidr_merge", mergeable, setOf(stringType), merge),
];
