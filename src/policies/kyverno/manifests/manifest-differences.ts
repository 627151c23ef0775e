import { isArray, isObject, type JsonValue } from "../../../core/json.ts";
import { compileRegex } from "../../../core/regex.ts";

/** A field in which an object is not what was signed; undefined on the side that does not have it. */
export interface Difference {
  /** Steps joined by dots: `spec.ports.0.port` */
  readonly key: string;
  readonly signed: Scalar | undefined;
  readonly found: Scalar | undefined;
}

type Scalar = string | number | bigint | boolean;

/** Scalars by path; nulls, and objects and lists without any, are nothing. */
function scalarsOf(value: JsonValue | undefined, path: string, into: Map<string, Scalar>): Map<string, Scalar> {
  const at = (step: string) => (path === "" ? step : `${path}.${step}`);
  if (isArray(value)) for (const [i, item] of value.entries()) scalarsOf(item, at(String(i)), into);
  else if (isObject(value)) for (const key of Object.keys(value)) scalarsOf(value[key], at(key), into);
  else if (value !== undefined && value !== null) into.set(path, value);
  return into;
}

/**
 * Where an object differs from the manifest that was signed, as k8s-manifest-sigstore compares them: items that only moved
 * within a list, empty texts, registries and tags that a runtime fills in, a namespace that the manifest leaves open, and
 * the ignored paths do not count.
 */
export function manifestDifferences(signed: JsonValue, found: JsonValue, ignored: readonly string[]): readonly Difference[] {
  const [before, after] = [scalarsOf(signed, "", new Map()), scalarsOf(found, "", new Map())];
  const all = [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((key): Difference => ({ key, signed: before.get(key), found: after.get(key) }))
    .filter((difference) => difference.signed !== difference.found);
  const isIgnored = ignored.map(pathTest);
  return all.filter(
    (difference) =>
      !onlyMoved(difference, all) &&
      !isEmptyText(difference) &&
      !isFilledIn(difference) &&
      !(difference.key === "metadata.namespace" && difference.signed === undefined) &&
      !isIgnored.some((test) => test(difference.key)),
  );
}

/** A path stands for every key that holds it; `*` for any run of characters, and a dot for any one. */
function pathTest(path: string): (key: string) => boolean {
  const compiled = compileRegex(path.replaceAll("*", ".*"));
  return compiled.ok ? (key) => compiled.value.test(key) : () => false;
}

/** Positions in lists as one. */
const withoutPositions = (key: string): string => key.replace(/\.\d+\./g, ".#.");

/** Whether the value that is missing here stands at another place of the same list, where the other side has none. */
function onlyMoved({ key, signed, found }: Difference, all: readonly Difference[]): boolean {
  if (signed !== undefined && found !== undefined) return false;
  const place = withoutPositions(key);
  if (place === key) return false;
  return all.some((other) => other.signed === found && other.found === signed && withoutPositions(other.key) === place);
}

function isEmptyText({ signed, found }: Difference): boolean {
  return (signed === undefined && found === "") || (found === undefined && signed === "");
}

function isFilledIn({ key, signed, found }: Difference): boolean {
  if (!key.endsWith("image") || typeof signed !== "string") return false;
  return found === `docker.io/${signed}` || found === `${signed}:latest`;
}
