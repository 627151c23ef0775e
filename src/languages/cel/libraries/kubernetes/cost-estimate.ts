import { baseCosts, type CallCostEstimate } from "../../cost/model.ts";
import {
  addRanges,
  type EstimateContext,
  fixed,
  least,
  maxUint64,
  multiplyRanges,
  type Range,
  type SizedNode,
  scaleRange,
  uniteRanges,
  zero,
} from "../../cost/size.ts";
import { checkCost, selectorCost } from "./selector-cost.ts";

const step = baseCosts.stringTraversal;
const one = fixed(1);
/** Bytes of an address. */
const addressSize: Range = { min: 4n, max: 16n };
const maxNameRegex = 128;
const maxFormatName = 64n;

const nominal: CallCostEstimate = () => ({ cost: one });

/** The size of one of a call's parts, where the call has it. */
function onArg(estimate: (size: Range, context: EstimateContext) => ReturnType<CallCostEstimate>): CallCostEstimate {
  return (_, _target, [arg], context) => arg && estimate(context.sizeOf(arg), context);
}

function onTarget(
  estimate: (
    size: Range,
    target: SizedNode,
    args: readonly SizedNode[],
    context: EstimateContext,
  ) => ReturnType<CallCostEstimate>,
): CallCostEstimate {
  return (_, target, args, context) => target && estimate(context.sizeOf(target), target, args, context);
}

const walkArg = onArg((size) => ({ cost: scaleRange(size, step) }));
const walkTarget = onTarget((size) => ({ cost: scaleRange(size, step), resultSize: size }));
const select = onArg((size) => ({ cost: selectorCost(size) }));

/** A node that stands for the elements of a list; undefined for what is no list. */
function elementOf(list: SizedNode): SizedNode | undefined {
  const [type] = list.type.params;
  if (type === undefined) return undefined;
  return { path: list.path === undefined ? undefined : [...list.path, "@items"], type, expr: undefined, size: undefined };
}

function elementCost(element: SizedNode, context: EstimateContext): Range {
  const { kind } = element.type;
  return kind === "string" || kind === "bytes" ? addRanges(one, scaleRange(context.sizeOf(element), step)) : one;
}

/** `indexOf` and its like: of lists, or of strings. */
function walkList(ofOthers: (size: Range) => Range): CallCostEstimate {
  return onTarget((size, target, _args, context) => {
    const element = elementOf(target);
    return { cost: element === undefined ? ofOthers(size) : multiplyRanges(size, elementCost(element, context)) };
  });
}

function ratioUp(size: bigint, by: bigint): bigint {
  return BigInt(Math.ceil(Number(size) / Number(by)));
}

/** How often an empty string is found: before every character and at the end. */
function around(size: bigint): bigint {
  return size < maxUint64 ? size + 1n : size;
}

/** How long the text can become, and how short. */
function replacedSize(size: Range, old: Range, replacement: Range): Range {
  const longest = () => {
    if (old.min === 0n) return { count: around(size.max), kept: size.max };
    return replacement.max <= old.min ? { count: 0n, kept: size.max } : { count: ratioUp(size.max, old.min), kept: 0n };
  };
  const shortest = () => {
    if (old.max === 0n) return { count: around(size.min), kept: size.min };
    return old.max <= replacement.min ? { count: 0n, kept: size.min } : { count: ratioUp(size.min, old.max), kept: 0n };
  };
  const [most, fewest] = [longest(), shortest()];
  const count = { min: fewest.count, max: least(most.count, maxUint64) };
  return addRanges(multiplyRanges(count, replacement), { min: fewest.kept, max: most.kept });
}

const replace = onTarget((size, _target, [old, replacement], context) => {
  if (old === undefined || replacement === undefined) return undefined;
  return { cost: scaleRange(size, 2 * step), resultSize: replacedSize(size, context.sizeOf(old), context.sizeOf(replacement)) };
});

/** At worst every character becomes an element of its own. */
const split = onTarget((size, _target, [, limit]) => {
  const literal = limit?.expr?.kind === "literal" && limit.expr.type.kind === "int" ? limit.expr.value : undefined;
  const isCount = typeof literal === "number" || typeof literal === "bigint";
  const max = isCount ? BigInt.asUintN(64, BigInt(literal)) : size.max;
  return { cost: scaleRange(size, 2 * step), resultSize: { min: 0n, max } };
});

const join = onTarget((size, target, [separator], context) => {
  const element = elementOf(target);
  const parts = element === undefined ? zero : multiplyRanges(size, context.sizeOf(element));
  const gaps = { min: size.min > 0n ? size.min - 1n : 0n, max: size.max > 0n ? size.max - 1n : 0n };
  const resultSize = separator === undefined ? parts : addRanges(parts, multiplyRanges(context.sizeOf(separator), gaps));
  return { cost: scaleRange(resultSize, step), resultSize };
});

const search = onTarget((size, _target, [pattern], context) => {
  if (pattern === undefined) return undefined;
  const text = scaleRange(addRanges(size, one), step);
  const cost = multiplyRanges(text, scaleRange(context.sizeOf(pattern), baseCosts.regexLength));
  return { cost, resultSize: { min: 0n, max: size.max } };
});

const containsIp: CallCostEstimate = (overload, _target, [other], context) => {
  if (other === undefined) return undefined;
  const compare = scaleRange(addRanges(addressSize, addressSize), step);
  const cost = overload === "cidr_contains_ip_string" ? addRanges(compare, scaleRange(context.sizeOf(other), step)) : compare;
  return { cost };
};

const containsCidr: CallCostEstimate = (overload, _target, [other], context) => {
  if (other === undefined) return undefined;
  const compare = addRanges(scaleRange(addRanges(addressSize, addressSize), step), scaleRange(addressSize, step), one);
  const cost = overload === "cidr_contains_cidr_string" ? addRanges(compare, scaleRange(context.sizeOf(other), step)) : compare;
  return { cost };
};

const unitEquality = new Set([
  "net.IP",
  "net.CIDR",
  "kubernetes.Quantity",
  "kubernetes.Semver",
  ...["Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision"].map((name) => `kubernetes.authorization.${name}`),
]);

const equality: CallCostEstimate = (_, _target, [left, right]) => {
  if (left === undefined || right === undefined || left.type.name !== right.type.name) return undefined;
  const { name } = left.type;
  if (unitEquality.has(name)) return { cost: one };
  if (name === "kubernetes.NamedFormat") return { cost: scaleRange({ min: 1n, max: maxFormatName }, step) };
  if (name !== "kubernetes.URL") return undefined;
  const max = right.size === undefined ? 1n : uniteRanges(right.size, right.size).max;
  return { cost: scaleRange({ min: 1n, max }, step) };
};

function named(names: string, estimate: CallCostEstimate): readonly (readonly [string, CallCostEstimate])[] {
  return names.split(" ").map((name) => [name, estimate]);
}

/** Estimates of Kubernetes' own functions, and of those of others that it charges for. */
export const callEstimates: ReadonlyMap<string, CallCostEstimate> = new Map([
  ["check", (() => ({ cost: fixed(checkCost) })) satisfies CallCostEstimate],
  ...named("serviceAccount path group resource subresource namespace name allowed reason error errored", nominal),
  ...named("fieldSelector labelSelector", select),
  ...named(
    "isSorted sum max min indexOf lastIndexOf",
    walkList((size) => scaleRange(size, step)),
  ),
  ["includes", walkList((size) => size)],
  ...named(
    "url jsonpatch.escapeKey",
    onArg((size) => ({ cost: scaleRange(size, step), resultSize: size })),
  ),
  ...named("lowerAscii upperAscii substring trim", walkTarget),
  ["replace", replace],
  ["split", split],
  ["join", join],
  ...named("find findAll", search),
  ...named("cidr isIP isCIDR quantity isQuantity semver isSemver", walkArg),
  [
    "ip",
    (overload, target, args, context) => (overload === "cidr_ip" ? { cost: one } : walkArg(overload, target, args, context)),
  ],
  ["ip.isCanonical", onArg((size) => ({ cost: scaleRange(size, 2 * step) }))],
  ...named(
    "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast",
    nominal,
  ),
  ["containsIP", containsIp],
  ["containsCIDR", containsCidr],
  ["validate", onArg((size) => ({ cost: scaleRange(scaleRange(size, step), maxNameRegex * baseCosts.regexLength) }))],
  ["format.named", nominal],
  ...named("sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch", nominal),
  ...named("getScheme getHostname getHost getPort getEscapedPath getQuery", nominal),
  ["_==_", equality],
]);
