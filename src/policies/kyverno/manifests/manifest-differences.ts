import { isArray, isObject, type JsonValue } from "../../../core/json.ts";
import { compileRegex, escapeRegex } from "../../../core/regex.ts";

/** A field in which an object is not what was signed; undefined on the side that does not have it. */
export interface Difference {
  /** Steps joined by dots, dots and tildes in them written `~1` and `~0`: `spec.ports.0.port` */
  readonly key: string;
  readonly signed: Leaf | undefined;
  readonly found: Leaf | undefined;
}

/** An item of a list without any value: `ingress: [{}]` allows what `ingress: []` does not. */
const emptyItem = Symbol("an item without a value");

type Leaf = string | number | bigint | boolean | typeof emptyItem;

/** Nobody signs larger objects; those who send them may do so on purpose. */
const mostFields = 50_000;
const longestPath = 4096;

/** Paths of different fields must never be one: `{a: {b: 1}}` is not `{"a.b": 1}`. */
const stepText = (step: string): string => step.replaceAll("~", "~0").replaceAll(".", "~1");

/** Values by path, each step behind a dot, as a step may be empty; nulls, and members without any value, are nothing. @throws Error where there are too many */
function leavesOf(value: JsonValue | undefined, path: string, into: Map<string, Leaf>): Map<string, Leaf> {
  if (path.length > longestPath || into.size > mostFields)
    throw new Error("the object is too large to be compared with a manifest");
  const at = (step: string) => `${path}.${stepText(step)}`;
  if (isArray(value)) {
    for (const [i, item] of value.entries()) {
      const before = into.size;
      leavesOf(item, at(String(i)), into);
      if (into.size === before) into.set(at(String(i)), emptyItem);
    }
  } else if (isObject(value)) for (const key of Object.keys(value)) leavesOf(value[key], at(key), into);
  else if (value !== undefined && value !== null) into.set(path, value);
  return into;
}

/**
 * Where an object differs from the manifest that was signed, compared as k8s-manifest-sigstore does: empty texts, registries
 * and tags that a runtime fills in, and the ignored paths do not count. It is stricter where that would let through what nobody signed: items of a list have their places, an item without a value is
 * one, and an ignored path stands for what begins with it, in a pod's template too, not for whatever holds it.
 *
 * @throws Error where the object is too large
 */
export function manifestDifferences(signed: JsonValue, found: JsonValue, ignored: readonly string[]): readonly Difference[] {
  const [before, after] = [leavesOf(signed, "", new Map()), leavesOf(found, "", new Map())];
  const isIgnored = ignoringTest(ignored);
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((path): Difference => ({ key: path.slice(1), signed: before.get(path), found: after.get(path) }))
    .filter(
      (difference) =>
        difference.signed !== difference.found && !isEmptyText(difference) && !isFilledIn(difference) && !isIgnored(difference),
    );
}

const templates = "(?:spec\\.(?:jobTemplate\\.spec\\.)?template\\.)?";

/**
 * `*` stands for any run of characters, and a dot for itself in a name, too. A path stands for the members below it; for
 * names that only begin like it (`spec.serviceAccount`, `serviceAccountName`) where nothing was signed.
 */
function ignoringTest(paths: readonly string[]): (difference: Difference) => boolean {
  const pattern = (path: string) =>
    path
      .split("*")
      .map((piece) =>
        piece
          .split(".")
          .map((step) => escapeRegex(stepText(step)))
          .join("(?:\\.|~1)"),
      )
      .join(".*");
  const all = `^${templates}(?:${paths.map(pattern).join("|")})`;
  const [beginning, whole] = [compileRegex(all), compileRegex(`${all}(?:\\.|$)`)];
  if (!beginning.ok || !whole.ok) return () => false;
  return ({ key, signed }) => (signed === undefined ? beginning : whole).value.test(key);
}

/** In a list an empty text may mean much: `apiGroups: [""]`. */
function isEmptyText({ key, signed, found }: Difference): boolean {
  return !/\.\d+$/.test(key) && ((signed === undefined && found === "") || (found === undefined && signed === ""));
}

function isFilledIn({ key, signed, found }: Difference): boolean {
  if (!key.endsWith("image") || typeof signed !== "string") return false;
  return found === `docker.io/${signed}` || found === `${signed}:latest`;
}
