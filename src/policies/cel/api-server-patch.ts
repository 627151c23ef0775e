import { isArray, isObject, type JsonValue, jsonEquals } from "../../core/json.ts";
import type { Patched } from "../../core/json-patch.ts";

/** An operation as an expression wrote it; nothing about it has been checked. */
export interface WrittenOperation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  /** Undefined where the expression gave none. */
  readonly value: JsonValue | undefined;
}

type Draft = DraftObject | DraftList | string | number | bigint | boolean | null;
interface DraftObject {
  [name: string]: Draft;
}
type DraftList = Draft[];

class PatchFailure extends Error {}

const fail = (message: string): never => {
  throw new PatchFailure(message);
};

const missing = (message: string): never => fail(`${message}: missing value`);

function draftOf(value: JsonValue): Draft {
  if (isArray(value)) return value.map(draftOf);
  if (!isObject(value)) return value;
  const draft: DraftObject = {};
  for (const [name, inner] of Object.entries(value)) {
    if (inner !== undefined)
      Object.defineProperty(draft, name, { value: draftOf(inner), writable: true, enumerable: true, configurable: true });
  }
  return draft;
}

const unescaped = (token: string): string => token.replaceAll("~1", "/").replaceAll("~0", "~");

/** An index, negative ones from the end of `length`. */
function indexOf(token: string, length: number, last: number): number {
  if (!/^[+-]?\d+$/.test(token)) return fail(`strconv.Atoi: parsing ${JSON.stringify(token)}: invalid syntax`);
  const index = Number(token);
  const invalid = index > last || index < -length;
  return invalid
    ? fail(`Unable to access invalid index: ${index}: invalid index referenced`)
    : index < 0
      ? index + length
      : index;
}

/** Where an operation applies: in this object or list, under this key. */
interface Place {
  readonly container: DraftObject | DraftList;
  readonly key: string;
}

function memberOf(container: DraftObject | DraftList, key: string): Draft | undefined {
  if (Array.isArray(container)) return container[indexOf(key, container.length, container.length - 1)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function find(root: Draft, path: string): Place | undefined {
  const tokens = path.split("/").slice(1).map(unescaped);
  const key = tokens.pop();
  if (key === undefined) return undefined;
  let container = root;
  for (const token of tokens) {
    if (typeof container !== "object" || container === null) return undefined;
    try {
      container = memberOf(container, token) ?? null;
    } catch (error) {
      if (error instanceof PatchFailure) return undefined;
      throw error;
    }
  }
  return typeof container === "object" && container !== null ? { container, key } : undefined;
}

/** Puts `what` before the reason why `act` fails. */
function within<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof PatchFailure) return fail(`${what}: ${error.message}`);
    throw error;
  }
}

function set(container: DraftObject, key: string, value: Draft): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}

function insert({ container, key }: Place, value: Draft): void {
  if (!Array.isArray(container)) set(container, key, value);
  else if (key === "-") container.push(value);
  else {
    const at = () => indexOf(key, container.length + 1, container.length);
    const isIndex = /^[+-]?\d+$/.test(key);
    container.splice(isIndex ? at() : within(`value was not a proper array index: '${key}'`, at), 0, value);
  }
}

function erase({ container, key }: Place): void {
  if (Array.isArray(container)) container.splice(indexOf(key, container.length, container.length - 1), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else missing(`Unable to remove nonexistent key: ${key}`);
}

function replace(root: Draft, { path, value }: WrittenOperation): Draft {
  const replacement = draftOf(value ?? null);
  if (path === "") return replacement;
  const place = find(root, path) ?? missing(`replace operation does not apply: doc is missing path: ${path}`);
  const { container, key } = place;
  if (!Array.isArray(container)) set(container, key, replacement);
  else {
    try {
      container[indexOf(key, container.length, container.length - 1)] = replacement;
    } catch {
      missing(`replace operation does not apply: doc is missing key: ${path}`);
    }
  }
  return root;
}

function move(root: Draft, { from, path }: WrittenOperation): void {
  const source = find(root, from) ?? missing(`move operation does not apply: doc is missing from path: ${from}`);
  const value = within(`error in move for path: '${source.key}'`, () => {
    const moved = memberOf(source.container, source.key) ?? null;
    erase(source);
    return moved;
  });
  const target = find(root, path) ?? missing(`move operation does not apply: doc is missing destination path: ${path}`);
  within(`error in move for path: '${path}'`, () => insert(target, value));
}

function copy(root: Draft, { from, path }: WrittenOperation): void {
  const source = find(root, from) ?? missing(`copy operation does not apply: doc is missing from path: ${from}`);
  const value = within(`error in copy for from: '${from}'`, () => memberOf(source.container, source.key) ?? null);
  const target = find(root, path) ?? missing(`copy operation does not apply: doc is missing destination path: ${path}`);
  within("error while adding value during copy", () => insert(target, draftOf(value)));
}

/** Whether the document has the value. */
function holds(root: Draft, { path, value = null }: WrittenOperation): boolean {
  if (path === "") return jsonEquals(root, value);
  const place = find(root, path) ?? missing(`test operation does not apply: is missing path: ${path}`);
  const actual = within(`error in test for path: '${path}'`, () => memberOf(place.container, place.key) ?? null);
  return jsonEquals(actual, value);
}

/** The document after the operation; undefined where a test fails. */
function applied(root: Draft, operation: WrittenOperation): Draft | undefined {
  const { op, path } = operation;
  switch (op) {
    case "add": {
      const place = find(root, path) ?? missing(`add operation does not apply: doc is missing path: "${path}"`);
      within(`error in add for path: '${path}'`, () => insert(place, draftOf(operation.value ?? null)));
      return root;
    }
    case "remove": {
      const place = find(root, path) ?? missing(`remove operation does not apply: doc is missing path: "${path}"`);
      within(`error in remove for path: '${path}'`, () => erase(place));
      return root;
    }
    case "replace":
      return replace(root, operation);
    case "move":
      move(root, operation);
      return root;
    case "copy":
      copy(root, operation);
      return root;
    case "test":
      return holds(root, operation) ? root : undefined;
    default:
      return fail(`Unexpected kind: ${op}`);
  }
}

/**
 * Applies a patch as the API server does, with the library that it uses: what is replaced or copied need not be there,
 * negative indexes count from the end. Undefined: a test failed, and the document stays as it is.
 */
export function apiServerPatch(document: JsonValue, operations: readonly WrittenOperation[]): Patched | undefined {
  try {
    let draft: Draft = draftOf(document);
    for (const operation of operations) {
      const next = applied(draft, operation);
      if (next === undefined) return undefined;
      draft = next;
    }
    return { ok: true, value: draft };
  } catch (error) {
    if (error instanceof PatchFailure) return { ok: false, message: error.message };
    throw error;
  }
}
