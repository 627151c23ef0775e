import { encodeUtf8 } from "../../../../core/utf8.ts";
import { baseCosts, type CallCost, type CostModel } from "../../cost/model.ts";
import { matching, traversal } from "../../cost/runtime.ts";
import { elementAt, mapFind, mapKeys, mapSize } from "../../values/containers.ts";
import { codePointCount } from "../../values/text.ts";
import { Boxed, Bytes, CelObject, isList, isMap, Optional, type Value } from "../../values/value.ts";
import { callEstimates } from "./cost-estimate.ts";
import { NamedFormat } from "./format.ts";
import { checkCost, selectorCost } from "./selector-cost.ts";

/** What `size()` gives; 1 for what has no size. */
function size(value: Value | undefined): number {
  if (typeof value === "string") return codePointCount(value);
  if (value === undefined || value === null) return 1;
  if (isList(value)) return value.length;
  if (isMap(value)) return mapSize(value);
  return value instanceof Boxed && !(value instanceof Optional) ? (value.size ?? 1) : 1;
}

/** What walking through all of a value costs. */
function treeCost(value: Value | undefined): number {
  if (value === undefined) return 0;
  if (typeof value === "string") return Math.floor(encodeUtf8(value).length * baseCosts.stringTraversal);
  if (value instanceof Bytes) return Math.floor(value.size * baseCosts.stringTraversal);
  if (isList(value)) {
    let cost = 0;
    for (let i = 0; i < value.length; i++) cost += treeCost(elementAt(value, i));
    return cost;
  }
  if (!isMap(value)) return 1;
  const map = value;
  return mapKeys(map).reduce<number>((cost, key) => cost + treeCost(key) + treeCost(mapFind(map, key)), 0);
}

const nominal: CallCost = () => 1;
const walkFirst: CallCost = (_, [first]) => traversal(size(first));
const rebuildFirst: CallCost = (_, [first]) => Math.ceil(size(first) * 2 * baseCosts.stringTraversal);
const walkTree: CallCost = (_, [list]) => treeCost(list);
const search: CallCost = (_, args) => (args.length < 2 ? undefined : matching(size(args[0]), size(args[1])));
const select: CallCost = (_, [, text]) => {
  const length = BigInt(size(text));
  return Number(selectorCost({ min: length, max: length }).max);
};

const containsIp: CallCost = (overload, [cidr, other]) => {
  const parse = overload === "cidr_contains_ip_string" ? traversal(size(other)) : 0;
  return traversal(size(cidr) * 2) + parse;
};

const containsCidr: CallCost = (overload, [cidr, other]) => {
  const parse = overload === "cidr_contains_cidr_string" ? traversal(size(other)) : 0;
  return traversal(size(cidr) * 2) + traversal(size(cidr)) + 1 + parse;
};

/** Comparing a value of a Kubernetes type with anything costs 1. */
const equality: CallCost = (_, [left]) =>
  left instanceof CelObject && /^(?:kubernetes|net)\./.test(left.type.name) ? 1 : undefined;

function named(names: string, cost: CallCost): readonly (readonly [string, CallCost])[] {
  return names.split(" ").map((name) => [name, cost]);
}

const calls = new Map<string, CallCost>([
  ["check", () => checkCost],
  ...named("serviceAccount path group resource subresource namespace name allowed reason error errored", nominal),
  ...named("fieldSelector labelSelector", select),
  ...named("isSorted sum max min indexOf lastIndexOf includes", walkTree),
  ...named("url lowerAscii upperAscii substring trim jsonpatch.escapeKey", walkFirst),
  ...named("replace split", rebuildFirst),
  ["join", (_, _args, result) => Math.ceil(size(result) * 2 * baseCosts.stringTraversal)],
  ...named("find findAll", search),
  ...named("cidr isIP isCIDR quantity isQuantity semver isSemver", walkFirst),
  ["ip", (overload, args, result) => (overload === "cidr_ip" ? 1 : walkFirst(overload, args, result))],
  ["ip.isCanonical", rebuildFirst],
  ...named(
    "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast",
    nominal,
  ),
  ["containsIP", containsIp],
  ["containsCIDR", containsCidr],
  ["validate", (_, [format, text]) => (format instanceof NamedFormat ? matching(size(text), format.regexLength) : undefined)],
  ["format.named", nominal],
  ...named("sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch", nominal),
  ...named("getScheme getHostname getHost getPort getEscapedPath getQuery", nominal),
  ["_==_", equality],
]);

/** What Kubernetes charges for the functions it knows; everything else costs what it costs in cel-go. */
export const kubernetesCosts: CostModel = { calls, estimates: callEstimates };
