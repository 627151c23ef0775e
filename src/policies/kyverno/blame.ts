import { isArray, isObject, type JsonPath, type JsonValue } from "../../core/json.ts";

/**
 * Where a pattern's path (`/spec/containers/0/image/`) leads in a value. Keys may hold slashes; the path ends at the
 * first member that the value does not have.
 */
export function resolvePatternPath(value: JsonValue, path: string): JsonPath {
  const steps: (string | number)[] = [];
  let rest = path.replace(/^\//, "");
  let current: JsonValue | undefined = value;
  while (rest !== "") {
    if (isArray(current)) {
      const index = Number.parseInt(rest, 10);
      if (!(index < current.length)) break;
      steps.push(index);
      current = current[index];
      rest = rest.slice(rest.indexOf("/") + 1);
    } else if (isObject(current)) {
      const key: string | undefined = longestKey(Object.keys(current), rest);
      if (key === undefined) break;
      steps.push(key);
      current = current[key];
      rest = rest.slice(key.length + 1);
    } else break;
  }
  return steps;
}

function longestKey(keys: readonly string[], rest: string): string | undefined {
  let found: string | undefined;
  for (const key of keys) {
    if (rest.startsWith(`${key}/`) && (found === undefined || key.length > found.length)) found = key;
  }
  return found;
}

/** The path of a part of `root`, by identity; undefined where it was built rather than taken from there. */
export function pathOfPart(root: JsonValue | undefined, part: JsonValue): JsonPath | undefined {
  if (root === part) return [];
  if (isArray(root)) return pathInEntries(root.entries(), part);
  return isObject(root) ? pathInEntries(Object.entries(root), part) : undefined;
}

function pathInEntries(
  entries: Iterable<readonly [string | number, JsonValue | undefined]>,
  part: JsonValue,
): JsonPath | undefined {
  for (const [step, value] of entries) {
    const path = pathOfPart(value, part);
    if (path !== undefined) return [step, ...path];
  }
  return undefined;
}
