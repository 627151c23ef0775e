import { isArray, isObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";

/**
 * A slow and plain reading of Kyverno's pattern rules, to compare the compiled one with: it interprets the pattern anew
 * for each value, throws what it finds, and knows texts, whole numbers, `*`, `?`, `!` and `|` only.
 */
export type ReferenceStatus = "pass" | "skip" | "fail" | "error";

class Violation extends Error {
  readonly path: string;

  constructor(path: string) {
    super("violation");
    this.path = path;
  }
}
class Forbidden extends Violation {}
/** `own`: an anchor of this very object did not hold, as opposed to one further in. */
class NotConcerned extends Error {
  readonly own: boolean;

  constructor(own: boolean) {
    super("not concerned");
    this.own = own;
  }
}

interface Memory {
  /** By anchored key: whether some object had the key. */
  readonly found: { [anchored: string]: boolean };
}

export function referenceStatus(value: JsonValue, pattern: JsonValue): ReferenceStatus {
  const memory: Memory = { found: {} };
  try {
    check(value, pattern, "/", memory);
    return "pass";
  } catch (error) {
    if (error instanceof NotConcerned) return "skip";
    if (!(error instanceof Violation)) throw error;
    if (error.path === "") return "error";
    const missing = Object.entries(memory.found).some(([key, found]) => !found && !key.startsWith("X"));
    return missing && !(error instanceof Forbidden) ? "error" : "fail";
  }
}

function check(value: JsonValue | undefined, pattern: JsonValue, path: string, memory: Memory): void {
  if (isObject(pattern)) {
    if (!isObject(value)) throw new Violation(path);
    checkObject(value, pattern, path, memory);
  } else if (isArray(pattern)) {
    if (!isArray(value)) throw new Violation(path);
    checkList(value, pattern, path, memory);
  } else {
    const values = isArray(value) ? value : [value];
    if (!values.every((v) => matches(v, pattern))) throw new Violation(path);
  }
}

function split(key: string): { readonly anchor: string; readonly name: string } {
  const parts = /^([+<=X^]?)\((.+)\)$/.exec(key);
  return parts === null ? { anchor: "none", name: key } : { anchor: parts[1] ?? "", name: parts[2] ?? "" };
}

function hasAnchor(pattern: JsonValue): boolean {
  if (isArray(pattern)) return pattern.some(hasAnchor);
  if (!isObject(pattern)) return false;
  return Object.entries(pattern).some(([k, v]) => !["none", "+"].includes(split(k).anchor) || hasAnchor(v ?? null));
}

function checkObject(object: JsonObject, pattern: JsonObject, path: string, memory: Memory): void {
  const keys = Object.keys(pattern).sort();
  for (const key of keys) {
    const { anchor, name } = split(key);
    if (["", "^", "X"].includes(anchor)) memory.found[key] = memory.found[key] === true || Object.hasOwn(object, name);
  }
  const first = keys.filter((key) => ["", "^", "=", "X"].includes(split(key).anchor));
  checkAnchors(first, object, pattern, path, memory);
  const others = keys.filter((key) => !first.includes(key));
  const early = others.filter((key) => split(key).anchor === "<" || hasAnchor(pattern[key] ?? null)).reverse();
  const late = others.filter((key) => !early.includes(key));
  for (const key of [...early, ...late]) checkMember(object, key, pattern[key] ?? null, path, memory);
}

/** A skipped anchor hides the violations of those after it; the object is skipped if none of its anchors applied. */
function checkAnchors(keys: readonly string[], object: JsonObject, pattern: JsonObject, path: string, memory: Memory): void {
  const skips: NotConcerned[] = [];
  let applied = 0;
  for (const key of keys) {
    try {
      checkMember(object, key, pattern[key] ?? null, path, memory);
      applied++;
    } catch (error) {
      if (error instanceof NotConcerned) skips.push(error);
      else if (!skips.some((skip) => skip.own)) throw error;
    }
  }
  if (skips.length > 0 && (applied === 0 || skips.some((skip) => skip.own))) throw new NotConcerned(false);
}

function checkMember(object: JsonObject, key: string, pattern: JsonValue, path: string, memory: Memory): void {
  const { anchor, name } = split(key);
  const at = `${path}${name}/`;
  if (!["", "<", "=", "X", "^"].includes(anchor)) checkPlain(object, key, pattern, path, memory);
  else if (!Object.hasOwn(object, name)) {
    if (anchor === "") throw new NotConcerned(true);
  } else if (anchor === "X") throw new Forbidden(at);
  else if (anchor === "^") checkExistence(object[name] ?? null, pattern, at, memory);
  else if (anchor === "=") check(object[name], pattern, at, memory);
  else ownSkip(() => check(object[name], pattern, at, memory));
}

function checkPlain(object: JsonObject, key: string, pattern: JsonValue, path: string, memory: Memory): void {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  if (pattern !== "*") check(value, pattern, `${path}${key}/`, memory);
  else if (value === undefined || value === null) throw new Violation(path);
}

/** Whatever goes wrong inside a condition means that the condition does not hold. */
function ownSkip(body: () => void): void {
  try {
    body();
  } catch {
    throw new NotConcerned(true);
  }
}

function checkExistence(value: JsonValue, pattern: JsonValue, path: string, memory: Memory): void {
  if (!isArray(value) || !isArray(pattern)) throw new Violation(path);
  for (const wanted of pattern) {
    if (!isObject(wanted)) throw new Violation(path);
    const found = value.some((item, i) => {
      try {
        check(item, wanted, `${path}${i}/`, memory);
        return true;
      } catch {
        return false;
      }
    });
    if (!found) throw new Violation(path);
  }
}

function checkList(items: readonly JsonValue[], patterns: readonly JsonValue[], path: string, memory: Memory): void {
  const [first] = patterns;
  if (first === undefined) throw new Violation(path);
  if (isObject(first))
    checkPairs(
      items.map((item) => [item, first] as const),
      path,
      memory,
    );
  else if (!isArray(first)) check(items, first, path, memory);
  else if (items.length < patterns.length) throw new Violation("");
  else
    checkPairs(
      patterns.map((pattern, i) => [items[i] ?? null, pattern] as const),
      path,
      memory,
    );
}

function checkPairs(pairs: readonly (readonly [JsonValue, JsonValue])[], path: string, memory: Memory): void {
  let skips = 0;
  for (const [i, [item, pattern]] of pairs.entries()) {
    try {
      check(item, pattern, `${path}${i}/`, memory);
    } catch (error) {
      if (!(error instanceof NotConcerned)) throw error;
      skips++;
    }
  }
  if (skips > 0 && skips === pairs.length) throw new NotConcerned(false);
}

function matches(value: JsonValue | undefined, pattern: JsonValue): boolean {
  if (pattern === null) return value === undefined || value === null || value === 0 || value === "" || value === false;
  if (typeof pattern === "boolean") return value === pattern;
  if (typeof pattern === "number") return value === pattern || value === String(pattern);
  if (typeof pattern !== "string") return false;
  return value === pattern || pattern.split("|").some((one) => matchesText(value, one.trim()));
}

function matchesText(value: JsonValue | undefined, pattern: string): boolean {
  const negated = pattern.length > 1 && pattern.startsWith("!");
  const wanted = negated ? pattern.slice(1) : pattern;
  // Whole numbers compare as numbers, and nothing counts as zero.
  const number = value === undefined || value === null ? 0 : Number(value);
  if (
    /^\d+$/.test(wanted) &&
    typeof value !== "boolean" &&
    typeof value !== "object" &&
    /^\d*$/.test(String(value ?? "0")) &&
    value !== ""
  ) {
    return (number === Number(wanted)) !== negated;
  }
  if (/^\d+$/.test(wanted) && value === null) return (Number(wanted) === 0) !== negated;
  if (value === undefined || value === null || typeof value === "object") return false;
  const source = wanted
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`).test(String(value)) !== negated;
}
