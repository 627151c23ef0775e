import { isArray, isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { KubernetesSchemas, Schema } from "../../core/schema.ts";
import { containsWildcard } from "../../core/wildcard.ts";
import { type Anchor, comesFirst, hasNestedAnchor, parseAnchor } from "../../policies/kyverno/anchor.ts";
import { compileValuePattern } from "../../policies/kyverno/value-pattern.ts";
import { allOf, always, anyOf, type CelText, hasMember, memberOf, NotConvertible, never, not, relation } from "./cel-text.ts";
import { scalarTest } from "./scalar-pattern.ts";

/** What a pattern says of a value: whether it does not fail, and whether it is skipped for a condition that does not hold. */
interface PatternCel {
  /** It fits, or is skipped. */
  readonly ok: CelText;
  /** Implies `ok`. */
  readonly skipped: () => CelText;
}

interface Place {
  readonly value: string;
  readonly schema: Schema | undefined;
  readonly schemas: KubernetesSchemas;
  /** How many loops the place is in. */
  readonly depth: number;
}

const neverSkipped = () => never;
const plain = (ok: CelText): PatternCel => ({ ok, skipped: neverSkipped });
const fits = ({ ok, skipped }: PatternCel): CelText => {
  const skip = skipped();
  return skip.text === never.text ? ok : allOf(ok, not(skip));
};

/**
 * A `validate.pattern` as an expression that holds where the pattern does not fail: it fits, or one of its conditions does
 * not hold.
 * @throws NotConvertible
 */
export function patternToCel(pattern: JsonValue, root: string, schema: Schema | undefined, schemas: KubernetesSchemas): CelText {
  return elementCel(pattern, { value: root, schema, schemas, depth: 0 }, "").ok;
}

/** Whether a pattern may be skipped. @throws NotConvertible */
export function hasConditions(pattern: JsonValue): boolean {
  if (isArray(pattern)) return pattern.some(hasConditions);
  if (!isObject(pattern)) return false;
  return Object.entries(pattern).some(([key, value]) => {
    const kind = parseAnchor(key)?.kind;
    return kind === "condition" || kind === "global" || hasConditions(value ?? null);
  });
}

function elementCel(pattern: JsonValue, place: Place, key: string): PatternCel {
  if (isObject(pattern)) return objectCel(pattern, place, key);
  if (isArray(pattern)) return listCel(pattern, place);
  return plain(scalarCel(pattern, place));
}

const itemNames = ["c", "e", "i", "j", "k"] as const;

function inItems({ schema, schemas, depth }: Place): { readonly item: string; readonly place: Place } {
  const item = itemNames[depth];
  if (item === undefined) throw new NotConvertible("the pattern has more loops than five");
  const inner = schema === undefined ? undefined : schemas.child(schema, 0);
  return { item, place: { value: item, schema: inner, schemas, depth: depth + 1 } };
}

/** A scalar stands for every item where the value is a list. */
function scalarCel(pattern: JsonValue, place: Place): CelText {
  if (place.schema?.type !== "array") return scalarTest(pattern, place.value, place.schema);
  const { item, place: inner } = inItems(place);
  return { text: `${place.value}.all(${item}, ${scalarTest(pattern, item, inner.schema).text})`, level: "primary" };
}

function listCel(patterns: readonly JsonValue[], place: Place): PatternCel {
  const [first] = patterns;
  if (first === undefined || isArray(first)) throw new NotConvertible("a list in a pattern is empty or holds lists");
  const { item, place: inner } = inItems(place);
  const element = isObject(first) ? elementCel(first, inner, "") : plain(scalarTest(first, item, inner.schema));
  const all = (test: CelText): CelText =>
    test.text === always.text ? always : { text: `${place.value}.all(${item}, ${test.text})`, level: "primary" };
  return {
    ok: all(element.ok),
    skipped: () => {
      const skip = element.skipped();
      return skip.text === never.text ? never : allOf(relation(`size(${place.value}) > 0`), all(skip));
    },
  };
}

interface Entry {
  readonly name: string;
  readonly anchor: Anchor | undefined;
  readonly pattern: JsonValue;
  readonly nested: boolean;
}

function entriesOf(pattern: JsonObject, isLabels: boolean): readonly Entry[] {
  return Object.entries(pattern)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => {
      const anchor = parseAnchor(key);
      const name = anchor?.key ?? key;
      if (isLabels && containsWildcard(name)) throw new NotConvertible(`the key ${key} stands for any of several labels`);
      if (key.includes("{{")) throw new NotConvertible(`the key ${key} holds a variable`);
      return { name, anchor, pattern: value ?? null, nested: hasNestedAnchor(value ?? null) };
    });
}

function objectCel(pattern: JsonObject, place: Place, key: string): PatternCel {
  const entries = entriesOf(labelsOnly(pattern, key), isLabelMap(key));
  const conditions = entries.filter(({ anchor }) => anchor?.kind === "condition");
  const others = entries.filter(({ anchor }) => anchor?.kind !== "condition" && comesFirst(anchor));
  const members = entries.filter(({ anchor }) => !comesFirst(anchor));
  const ordered = [...members.filter((m) => m.nested).toReversed(), ...members.filter((m) => !m.nested)];
  const holds = allOf(...conditions.map((entry) => conditionCel(entry, place, key)));
  const anchored = others.map((entry) => anchorCel(entry, place, key));
  const skips = anchored.map((one) => one.skipped());
  const anchorSkip = conditions.length > 0 || skips.length === 0 ? never : allOf(...skips);
  const inMembers = inOrder(ordered.map((entry) => memberCel(entry, place, key)));
  const rest = anyOf(anchorSkip, allOf(...anchored.map((one) => one.ok), inMembers.ok));
  return {
    ok: anyOf(not(holds), rest),
    skipped: () => anyOf(not(holds), anchorSkip, allOf(...anchored.map((one) => one.ok), inMembers.skipped())),
  };
}

/** The first member that does not fit decides, be it that it fails or that it is skipped. */
function inOrder(members: readonly PatternCel[]): PatternCel {
  const [first, ...rest] = members;
  if (first === undefined) return plain(always);
  if (rest.length === 0) return first;
  const others = inOrder(rest);
  const skip = first.skipped();
  return {
    ok: skip.text === never.text ? allOf(first.ok, others.ok) : anyOf(skip, allOf(first.ok, others.ok)),
    skipped: () => anyOf(skip, allOf(fits(first), others.skipped())),
  };
}

const isLabelMap = (key: string): boolean => key === "metadata/labels" || key === "metadata/annotations";

/** Kyverno drops what is no text from the labels and annotations of a pattern. */
function labelsOnly(pattern: JsonObject, key: string): JsonObject {
  return isLabelMap(key) ? Object.fromEntries(Object.entries(pattern).filter(([, value]) => typeof value === "string")) : pattern;
}

function below({ value, schema, schemas, depth }: Place, name: string): Place {
  const inner = schema === undefined ? undefined : schemas.child(schema, name);
  return { value: memberOf(value, name), schema: inner, schemas, depth };
}

/** The key under which a pattern stands; labels are known by where they are. */
const keyOf = ({ name }: Entry, key: string): string => (key === "metadata" ? `metadata/${name}` : name);

function conditionCel(entry: Entry, place: Place, key: string): CelText {
  return allOf(hasMember(place.value, entry.name), fits(elementCel(entry.pattern, below(place, entry.name), keyOf(entry, key))));
}

function anchorCel(entry: Entry, place: Place, key: string): PatternCel {
  const has = hasMember(place.value, entry.name);
  switch (entry.anchor?.kind) {
    case "negation":
      return plain(not(has));
    case "equality": {
      const inner = elementCel(entry.pattern, below(place, entry.name), keyOf(entry, key));
      return {
        ok: inner.ok.text === always.text ? always : anyOf(not(has), inner.ok),
        skipped: () => allOf(has, inner.skipped()),
      };
    }
    default:
      throw new NotConvertible(`the anchor of ${entry.name} has no like`);
  }
}

function memberCel(entry: Entry, place: Place, key: string): PatternCel {
  if (entry.anchor !== undefined) throw new NotConvertible(`the anchor of ${entry.name} has no like`);
  const has = hasMember(place.value, entry.name);
  const { pattern } = entry;
  if (pattern === "*") return plain(has);
  const inner = elementCel(pattern, below(place, entry.name), keyOf(entry, key));
  if (isObject(pattern) || isArray(pattern)) return { ok: allOf(has, inner.ok), skipped: () => allOf(has, inner.skipped()) };
  // What a scalar says of a missing value is known beforehand.
  return plain(compileValuePattern(pattern)(undefined) ? anyOf(not(has), inner.ok) : allOf(has, inner.ok));
}
