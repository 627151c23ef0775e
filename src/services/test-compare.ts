import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals, toDotted } from "../core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";

/** Without nulls, empty objects and empty lists, which say nothing. */
function tidy(value: JsonValue | undefined): JsonValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (isArray(value)) {
    const items = value.map(tidy).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, tidy(item)] as const)
    .filter(([, item]) => item !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Labels by which Kyverno knows what it generated; expectations leave them out. */
function withoutBookkeeping(object: KubernetesObject): JsonObject {
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const labels = isObject(metadata["labels"]) ? metadata["labels"] : {};
  const kept = Object.entries(labels).filter(([key]) => !key.startsWith("generate.kyverno.io/"));
  return {
    ...object,
    metadata: { ...metadata, labels: Object.fromEntries([["app.kubernetes.io/managed-by", "kyverno"], ...kept]) },
  };
}

/** The first place where two values differ. */
function difference(
  actual: JsonValue | undefined,
  expected: JsonValue | undefined,
  path: readonly (string | number)[],
): {
  readonly path: readonly (string | number)[];
  readonly actual: JsonValue | undefined;
  readonly expected: JsonValue | undefined;
} {
  if (isArray(actual) && isArray(expected)) {
    const length = Math.max(actual.length, expected.length);
    for (let i = 0; i < length; i++) {
      if (!jsonEquals(actual[i], expected[i])) return difference(actual[i], expected[i], [...path, i]);
    }
  }
  if (isObject(actual) && isObject(expected)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      if (!jsonEquals(actual[key], expected[key])) return difference(actual[key], expected[key], [...path, key]);
    }
  }
  return { path, actual, expected };
}

const shown = (value: JsonValue | undefined): string =>
  value === undefined
    ? "nothing"
    : JSON.stringify(value, (_, v: JsonValue) => (typeof v === "bigint" ? Number(v) : v)).slice(0, 200);

/** Undefined when the objects are the same but for parts that say nothing; else where they differ first. */
export function compareObjects(actual: KubernetesObject, expected: KubernetesObject): string | undefined {
  const left = tidy(withoutBookkeeping(actual));
  const right = tidy(withoutBookkeeping(expected));
  if (jsonEquals(left, right)) return undefined;
  const found = difference(left, right, []);
  return `${toDotted(found.path)} is ${shown(found.actual)}, expected ${shown(found.expected)}`;
}

/** Whether two objects carry the same identity: version, kind, namespace and name. */
export function isSameObject(a: KubernetesObject, b: KubernetesObject): boolean {
  return a.apiVersion === b.apiVersion && a.kind === b.kind && nameOf(a) === nameOf(b) && namespaceOf(a) === namespaceOf(b);
}

/** The expected form of an object among documents whose objects may leave out the namespace `default`. */
export function findExpected(documents: readonly SourceDocument[], actual: KubernetesObject): KubernetesObject | undefined {
  for (const { value } of documents) {
    if (!isKubernetesObject(value)) continue;
    const metadata = isObject(value.metadata) ? value.metadata : {};
    const implicit = namespaceOf(value) === "" && namespaceOf(actual) === "default";
    const expected = implicit ? { ...value, metadata: { ...metadata, namespace: "default" } } : value;
    if (isSameObject(expected, actual)) return expected;
  }
  return undefined;
}
