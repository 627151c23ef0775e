import { isArray, isObject, type JsonPath, type JsonValue, member } from "../json.ts";

/** A member name, every item of an array, or every member of an object. */
type PatternStep = { readonly key: string } | "items" | "members";

/** Where things of one sort stand in objects of one kind: `spec.workerGroupSpecs[].template`, `spec.tasks.*.container`. */
export type PathPattern = readonly PatternStep[];

/** One place that a pattern found. */
export interface Place {
  readonly path: JsonPath;
  readonly value: JsonValue;
}

/** Reads a pattern; `.` is the empty one. Undefined when the text is malformed. */
export function parsePattern(text: string): PathPattern | undefined {
  if (text === ".") return [];
  const steps: PatternStep[] = [];
  for (const part of text.split(".")) {
    const match = /^([A-Za-z_][\w-]*|\*)((?:\[\])*)$/.exec(part);
    if (match === null) return undefined;
    steps.push(match[1] === "*" ? "members" : { key: match[1] ?? "" });
    for (let i = 0; i < (match[2]?.length ?? 0); i += 2) steps.push("items");
  }
  return steps;
}

/** Every place under `root` that matches, in document order; absent and null values are no places. */
export function expand(root: JsonValue | undefined, pattern: PathPattern, at: JsonPath = []): readonly Place[] {
  let places: Place[] = root === undefined || root === null ? [] : [{ path: at, value: root }];
  for (const step of pattern) {
    if (places.length === 0) return places;
    places = places.flatMap((place) => next(place, step));
  }
  return places;
}

function next(place: Place, step: PatternStep): readonly Place[] {
  const { path, value } = place;
  if (step === "items")
    return isArray(value)
      ? present(
          value.map((item, i) => [i, item] as const),
          path,
        )
      : [];
  if (step === "members") return isObject(value) ? present(Object.entries(value), path) : [];
  return present([[step.key, member(value, step.key)] as const], path);
}

function present(entries: readonly (readonly [string | number, JsonValue | undefined])[], path: JsonPath): readonly Place[] {
  return entries.flatMap(([key, value]) => (value === undefined || value === null ? [] : [{ path: [...path, key], value }]));
}

/** The path that a pattern without wildcards names, from `at`; undefined for one with wildcards. */
export function literalPath(pattern: PathPattern, at: JsonPath): JsonPath | undefined {
  const path: (string | number)[] = [...at];
  for (const step of pattern) {
    if (typeof step === "string") return undefined;
    path.push(step.key);
  }
  return path;
}
