import { isArray, isObject, type JsonValue } from "../../../core/json.ts";
import { compileRegex } from "../../../core/regex.ts";

/** A field in which an object is not what was signed; undefined on the side that does not have it. */
export interface Difference {
  /** Steps joined by dots, dots and tildes in them written `~1` and `~0`: `spec.ports.0.port` */
  readonly key: string;
  readonly signed: Scalar | undefined;
  readonly found: Scalar | undefined;
}

type Scalar = string | number | bigint | boolean;

/** Paths of different fields must never be one: `{a: {b: 1}}` is not `{"a.b": 1}`. */
const stepText = (step: string): string => step.replaceAll("~", "~0").replaceAll(".", "~1");

/** Scalars by path; nulls, and objects and lists without any, are nothing. */
function scalarsOf(value: JsonValue | undefined, path: string, into: Map<string, Scalar>): Map<string, Scalar> {
  const at = (step: string) => `${path}.${stepText(step)}`;
  if (isArray(value)) for (const [i, item] of value.entries()) scalarsOf(item, at(String(i)), into);
  else if (isObject(value)) for (const key of Object.keys(value)) scalarsOf(value[key], at(key), into);
  else if (value !== undefined && value !== null) into.set(path.slice(1), value);
  return into;
}

/**
 * Where an object differs from the manifest that was signed, as k8s-manifest-sigstore compares them: items that only moved
 * within a list, empty texts, registries and tags that a runtime fills in, a namespace that the manifest leaves open, and
 * the ignored paths do not count. Unlike there, an ignored path stands for what begins with it, in a pod's template too,
 * and not for whatever holds it: a key that an author chose could hold anything.
 */
export function manifestDifferences(signed: JsonValue, found: JsonValue, ignored: readonly string[]): readonly Difference[] {
  const [before, after] = [scalarsOf(signed, "", new Map()), scalarsOf(found, "", new Map())];
  const all = [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((key): Difference => ({ key, signed: before.get(key), found: after.get(key) }))
    .filter((difference) => difference.signed !== difference.found);
  const isIgnored = ignored.map(pathTest);
  const missing = new Set(all.map(missingAt));
  return all.filter(
    (difference) =>
      !missing.has(movedFrom(difference)) &&
      !isEmptyText(difference) &&
      !isFilledIn(difference) &&
      !(difference.key === "metadata.namespace" && difference.signed === undefined) &&
      !isIgnored.some((test) => test(difference.key)),
  );
}

const templates = "(?:spec\\.(?:jobTemplate\\.spec\\.)?template\\.)?";

/** `*` stands for any run of characters, and a dot for itself in a name, too. */
function pathTest(path: string): (key: string) => boolean {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const pieces = path.split("*").map((piece) =>
    piece
      .split(".")
      .map((step) => literal(stepText(step)))
      .join("(?:\\.|~1)"),
  );
  const compiled = compileRegex(`^${templates}${pieces.join(".*")}`);
  return compiled.ok ? (key) => compiled.value.test(key) : () => false;
}

/** Where in its list, whichever item, a value stands that the other side does not have. */
function placeOf(key: string, side: "signed" | "found", value: Scalar | undefined): string {
  const place = key.replace(/\.\d+\./g, ".#.");
  return place === key ? "" : `${side} ${place} ${typeof value} ${String(value)}`;
}

function missingAt({ key, signed, found }: Difference): string {
  if (signed !== undefined && found !== undefined) return "";
  return placeOf(key, signed === undefined ? "signed" : "found", signed ?? found);
}

/** What would have to be missing on the other side, had the value only moved there; no such text is ever empty. */
function movedFrom({ key, signed, found }: Difference): string {
  if (signed !== undefined && found !== undefined) return "none";
  return placeOf(key, signed === undefined ? "found" : "signed", signed ?? found) || "none";
}

function isEmptyText({ signed, found }: Difference): boolean {
  return (signed === undefined && found === "") || (found === undefined && signed === "");
}

function isFilledIn({ key, signed, found }: Difference): boolean {
  if (!key.endsWith("image") || typeof signed !== "string") return false;
  return found === `docker.io/${signed}` || found === `${signed}:latest`;
}
