import { isArray, isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { containsWildcard, matchWildcard } from "../../core/wildcard.ts";
import { type Anchor, comesFirst, formatAnchor, hasNestedAnchor, parseAnchor } from "./anchor.ts";
import { AnchorMismatch, goTypeName, type Mismatch, ShapeMismatch, Skipped, ValueMismatch } from "./mismatch.ts";
import { SeenAnchors, type WatchedAnchor, watchedAnchor } from "./seen-anchors.ts";
import { compileValuePattern } from "./value-pattern.ts";

/**
 * What a pattern says about a value. `path` is Kyverno's (`/spec/containers/0/image/`); `error` is what Kyverno calls an
 * execution error: the pattern could not be applied, for instance because a key that one of its anchors names is missing.
 */
export type PatternResult =
  | { readonly status: "pass" }
  | { readonly status: "fail"; readonly path: string; readonly message: string }
  | { readonly status: "skip"; readonly message: string }
  | { readonly status: "error"; readonly message: string };

export type PatternProgram = (value: JsonValue | undefined) => PatternResult;

/** `seen` is undefined where the pattern has no anchor to note. */
type Check = (value: JsonValue | undefined, path: string, seen: SeenAnchors | undefined) => Mismatch | undefined;
type ObjectCheck = (object: JsonObject, path: string, seen: SeenAnchors | undefined) => Mismatch | undefined;

const pass: PatternResult = { status: "pass" };

/** Its text is rarely asked for: most messages name the path alone. */
class PatternFailure {
  readonly status = "fail";
  readonly path: string;
  readonly #mismatch: Mismatch;

  constructor(mismatch: Mismatch) {
    this.path = mismatch.path;
    this.#mismatch = mismatch;
  }

  get message(): string {
    return this.#mismatch.text();
  }
}

/** Compiles a `validate.pattern` in which all variables have been substituted. The order of keys has no effect. */
export function compilePattern(pattern: JsonValue): PatternProgram {
  const check = compileElement(pattern, "");
  const watched = hasWatchedAnchor(pattern);
  return (value) => {
    const seen = watched ? new SeenAnchors() : undefined;
    const mismatch = check(value, "/", seen);
    if (mismatch === undefined) return pass;
    if (mismatch.skip) return { status: "skip", message: mismatch.text() };
    const failed = mismatch.path !== "" && (mismatch.negation || seen?.keysAreMissing() !== true);
    return failed ? new PatternFailure(mismatch) : { status: "error", message: mismatch.text() };
  };
}

function isWatched(anchor: Anchor | undefined): anchor is Anchor {
  return anchor?.kind === "condition" || anchor?.kind === "existence" || anchor?.kind === "negation";
}

function hasWatchedAnchor(pattern: JsonValue): boolean {
  if (isArray(pattern)) return pattern.some(hasWatchedAnchor);
  return isObject(pattern) && Object.entries(pattern).some(([k, v]) => isWatched(parseAnchor(k)) || hasWatchedAnchor(v ?? null));
}

/** `key` is the key under which the pattern stands, without an anchor. */
function compileElement(pattern: JsonValue, key: string): Check {
  if (isObject(pattern)) return compileObject(pattern, key);
  if (isArray(pattern)) return compileList(pattern);
  return compileScalar(pattern);
}

function compileScalar(pattern: JsonValue): Check {
  const test = compileValuePattern(pattern);
  return (value, path) => {
    const matches = isArray(value) ? value.every(test) : test(value);
    return matches ? undefined : new ValueMismatch(path, value, pattern);
  };
}

function compileList(patterns: readonly JsonValue[]): Check {
  const elements = compileElements(patterns);
  return (value, path, seen) => {
    if (isArray(value)) return elements(value, path, seen);
    return new ShapeMismatch(
      path,
      `validation rule failed at path ${path}, resource does not satisfy the expected overlay pattern`,
    );
  };
}

type ListCheck = (items: readonly JsonValue[], path: string, seen: SeenAnchors | undefined) => Mismatch | undefined;

/** The first element decides: an object or a scalar applies to every item, a list makes the pattern go item by item. */
function compileElements(patterns: readonly JsonValue[]): ListCheck {
  const [first] = patterns;
  if (first === undefined) return (_, path) => new ShapeMismatch(path, "pattern Array empty");
  if (isObject(first)) {
    const check = compileElement(first, "");
    return (items, path, seen) => checkAll(items, () => check, path, seen);
  }
  if (!isArray(first)) {
    const check = compileScalar(first);
    return (items, path, seen) => check(items, path, seen);
  }
  const checks = patterns.map((pattern) => compileElement(pattern, ""));
  return (items, path, seen) => {
    if (items.length >= checks.length) return checkAll(items.slice(0, checks.length), (i) => checks[i], path, seen);
    const lengths = `resource Array len is ${items.length} and pattern Array len is ${checks.length}`;
    return new ShapeMismatch("", `validate Array failed, array length mismatch, ${lengths}`);
  };
}

/** Items that are skipped do not count, unless all are. */
function checkAll(
  items: readonly JsonValue[],
  checkOf: (index: number) => Check | undefined,
  path: string,
  seen: SeenAnchors | undefined,
): Mismatch | undefined {
  let skipped: Mismatch[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const mismatch = checkOf(i)?.(items[i], `${path}${i}/`, seen);
    if (mismatch === undefined) continue;
    if (!mismatch.skip) return mismatch;
    skipped ??= [];
    skipped.push(mismatch);
  }
  return skipped !== undefined && skipped.length === items.length ? new Skipped(path, skipped) : undefined;
}

function compileObject(pattern: JsonObject, key: string): Check {
  const entries = Object.entries(pattern).map(
    ([k, v]): Entry => ({ key: k, pattern: v ?? null, inMetadata: key === "metadata" }),
  );
  const members = compileMembers(entries);
  return (value, path, seen) => {
    if (isObject(value)) return members(value, path, seen);
    const types = `Expected ${goTypeName(pattern)}, found ${goTypeName(value)}`;
    return new ShapeMismatch(path, `pattern and resource have different structures. Path: ${path}. ${types}`);
  };
}

interface Entry {
  readonly key: string;
  readonly pattern: JsonValue;
  readonly inMetadata: boolean;
}

/** Anchors first, in the order of their keys; what they skip, the other members are not asked about. */
function compileMembers(entries: readonly Entry[]): ObjectCheck {
  const sorted = [...entries].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const anchors: ObjectCheck[] = [];
  const first: ObjectCheck[] = [];
  const last: ObjectCheck[] = [];
  const watched: WatchedAnchor[] = [];
  for (const entry of sorted) {
    const anchor = parseAnchor(entry.key);
    if (isWatched(anchor)) watched.push(watchedAnchor(anchor));
    const check = compileMember(entry, anchor);
    if (comesFirst(anchor)) anchors.push(check);
    else if (anchor?.kind === "global" || hasNestedAnchor(entry.pattern)) first.unshift(check);
    else last.push(check);
  }
  const members = [...first, ...last];
  return (object, path, seen) => {
    if (watched.length > 0) seen?.note(watched, object);
    const stopped = anchors.length === 0 ? undefined : checkAnchors(anchors, object, path, seen);
    if (stopped !== undefined) return stopped;
    for (let i = 0; i < members.length; i++) {
      const mismatch = members[i]?.(object, path, seen);
      if (mismatch !== undefined) return mismatch;
    }
    return undefined;
  };
}

function has(object: JsonObject, key: string): boolean {
  return Object.hasOwn(object, key) && object[key] !== undefined;
}

function get(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function checkAnchors(
  anchors: readonly ObjectCheck[],
  object: JsonObject,
  path: string,
  seen: SeenAnchors | undefined,
): Mismatch | undefined {
  let skipped: Mismatch[] | undefined;
  let applied = 0;
  let direct = false;
  for (let i = 0; i < anchors.length; i++) {
    const mismatch = anchors[i]?.(object, path, seen);
    if (mismatch === undefined) applied++;
    else if (mismatch.skip) {
      skipped ??= [];
      skipped.push(mismatch);
      direct ||= mismatch.direct;
    } else if (!direct) return mismatch;
  }
  return skipped !== undefined && (applied === 0 || direct) ? new Skipped(path, skipped) : undefined;
}

function compileMember(entry: Entry, anchor: Anchor | undefined): ObjectCheck {
  const key = anchor?.key ?? entry.key;
  switch (anchor?.kind) {
    case "condition": {
      const check = compileValueOf(entry, key);
      return (object, path, seen) => {
        const at = `${path}${key}/`;
        if (!has(object, key)) {
          return new AnchorMismatch("condition", at, "conditional anchor key doesn't exist in the resource");
        }
        const mismatch = check(object[key], at, seen);
        return mismatch === undefined ? undefined : new AnchorMismatch("condition", mismatch.path, mismatch);
      };
    }
    case "global": {
      const check = compileValueOf(entry, key);
      return (object, path, seen) => {
        if (!has(object, key)) return undefined;
        const mismatch = check(object[key], `${path}${key}/`, seen);
        return mismatch === undefined ? undefined : new AnchorMismatch("global", mismatch.path, mismatch);
      };
    }
    case "equality": {
      const check = compileValueOf(entry, key);
      return (object, path, seen) => (has(object, key) ? check(object[key], `${path}${key}/`, seen) : undefined);
    }
    case "negation":
      return (object, path) => {
        if (!has(object, key)) return undefined;
        const at = `${path}${key}/`;
        return new AnchorMismatch("negation", at, `${at} is not allowed`);
      };
    case "existence":
      return compileExistence(entry.pattern, key);
    default:
      return compileDefault(entry);
  }
}

/** A member without an anchor that the pattern engine acts on; `+(key)` is looked up under its full name. */
function compileDefault(entry: Entry): ObjectCheck {
  const { key } = entry;
  if (entry.pattern === "*") {
    return (object, path) => {
      const value = get(object, key);
      return value === undefined || value === null ? new ShapeMismatch(path, `${path}/${key} not found`) : undefined;
    };
  }
  const check = compileValueOf(entry, key);
  return (object, path, seen) => check(get(object, key), `${path}${key}/`, seen);
}

/** Numbers of a pattern are floats to Kyverno, whatever they look like. */
function patternTypeName(pattern: JsonValue): string {
  return typeof pattern === "number" ? "float64" : goTypeName(pattern);
}

/** Each pattern of the list has to be met by at least one item. */
function compileExistence(pattern: JsonValue, key: string): ObjectCheck {
  const patterns = isArray(pattern) ? pattern.map((p) => (isObject(p) ? compileElement(p, "") : p)) : undefined;
  return (object, path, seen) => {
    if (!has(object, key)) return undefined;
    const at = `${path}${key}/`;
    const items = object[key];
    if (!isArray(items)) {
      const found = `invalid resource type ${goTypeName(items)}`;
      return new ShapeMismatch(at, `${found}: Existence ^ () anchor can be used only on list/array type resource`);
    }
    if (patterns === undefined) {
      const found = `invalid pattern type ${patternTypeName(pattern)}`;
      return new ShapeMismatch(at, `${found}: Pattern has to be of list to compare against resource`);
    }
    for (const check of patterns) {
      if (typeof check !== "function") {
        const found = `invalid pattern type ${patternTypeName(pattern)}`;
        return new ShapeMismatch(at, `${found}: Pattern has to be of type map to compare against items in resource`);
      }
      if (!items.some((item, i) => check(item, `${at}${i}/`, seen) === undefined)) {
        return new ShapeMismatch(at, `existence anchor validation failed at path ${at}`);
      }
    }
    return undefined;
  };
}

function compileValueOf(entry: Entry, key: string): Check {
  const labels = entry.inMetadata && (key === "labels" || key === "annotations");
  return labels && isObject(entry.pattern) ? compileLabels(entry.pattern) : compileElement(entry.pattern, key);
}

/**
 * Labels and annotations of a `metadata` object: keys may hold wildcards, which stand for the first key of the object
 * that matches. Only text patterns count here; Kyverno drops others, anchors with a null pattern included.
 */
function compileLabels(pattern: JsonObject): Check {
  const otherwise = compileObject(pattern, "");
  const texts = Object.entries(pattern).filter((e): e is [string, string] => typeof e[1] === "string");
  const entryOf = ([key, text]: [string, string]): Entry => ({ key, pattern: text, inMetadata: false });
  if (!texts.some(([key]) => containsWildcard(key))) {
    const members = compileMembers(texts.map(entryOf));
    return (value, path, seen) => (isObject(value) ? members(value, path, seen) : otherwise(value, path, seen));
  }
  const compiled = new Map<string, ObjectCheck>();
  return (value, path, seen) => {
    if (!isObject(value)) return otherwise(value, path, seen);
    const expanded = new Map(texts.map(([key, text]) => [expandKey(key, value), text] as const));
    const keys = Array.from(expanded.keys()).join("\n");
    let check = compiled.get(keys);
    if (check === undefined) {
      check = compileMembers(Array.from(expanded, entryOf));
      if (compiled.size < maxExpansions) compiled.set(keys, check);
    }
    return check(value, path, seen);
  };
}

/** Objects of one kind use the same few labels, so their expansions are worth keeping. */
const maxExpansions = 64;

function expandKey(key: string, object: JsonObject): string {
  if (!containsWildcard(key)) return key;
  const anchor = parseAnchor(key);
  const wildcard = anchor?.key ?? key;
  const match = Object.keys(object).find((k) => typeof object[k] === "string" && matchWildcard(wildcard, k)) ?? wildcard;
  return anchor === undefined ? match : formatAnchor({ kind: anchor.kind, key: match });
}
