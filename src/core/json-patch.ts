import type { JsonPatch, JsonPatchOperation } from "./finding.ts";
import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals, member } from "./json.ts";

/** A changed document, or why the patch does not apply. */
export type Patched = { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly message: string };

export interface PatchOptions {
  /**
   * What Kyverno allows beyond RFC 6902: negative indexes count from the end, `add` creates missing parents (a list where
   * the next step is an index, padded with nulls), `remove` of what is missing does nothing.
   */
  readonly lenient?: boolean;
}

class PatchError extends Error {}

/** RFC 6901 reference tokens of a pointer; undefined when it does not begin with `/`. */
export function parsePointer(pointer: string): readonly string[] | undefined {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Applies an RFC 6902 patch. `document` stays as it is; unchanged parts are shared with the result. */
export function applyJsonPatch(document: JsonValue, patch: JsonPatch, options: PatchOptions = {}): Patched {
  try {
    return { ok: true, value: patch.reduce((doc, operation) => applyOperation(doc, operation, options), document) };
  } catch (error) {
    if (error instanceof PatchError) return { ok: false, message: error.message };
    throw error;
  }
}

function applyOperation(document: JsonValue, operation: JsonPatchOperation, options: PatchOptions): JsonValue {
  const lenient = options.lenient ?? false;
  const path = tokens(operation.path);
  switch (operation.op) {
    case "add":
      return add(document, path, operation.value, lenient, lenient, operation.path);
    case "remove":
      return remove(document, path, lenient, operation.path);
    case "replace":
      if (read(document, path, lenient) === undefined) {
        const parent = read(document, path.slice(0, -1), lenient);
        throw missing("replace", operation.path, isArray(parent) || isObject(parent) ? "key" : "path");
      }
      if (path.length === 0) return operation.value;
      return change(document, path, lenient, operation.path, (container, token) =>
        isArray(container)
          ? container.with(index(container, token, lenient, container.length - 1, operation.path), operation.value)
          : { ...container, [token]: operation.value },
      );
    case "move": {
      const from = tokens(operation.from);
      if (isPrefix(from, path)) throw new PatchError(`move operation does not apply: cannot move ${operation.from} into itself`);
      const value = read(document, from, lenient);
      if (value === undefined) throw missing("move", operation.from);
      return add(remove(document, from, lenient, operation.from), path, value, lenient, false, operation.path);
    }
    case "copy": {
      const value = read(document, tokens(operation.from), lenient);
      if (value === undefined) throw missing("copy", operation.from);
      return add(document, path, value, lenient, false, operation.path);
    }
    case "test":
      if (!jsonEquals(readMember(document, path, lenient), operation.value)) {
        throw new PatchError(`testing value ${operation.path} failed: test failed`);
      }
      return document;
  }
}

function tokens(pointer: string): readonly string[] {
  const parsed = parsePointer(pointer);
  if (parsed === undefined) throw new PatchError(`path ${JSON.stringify(pointer)} must begin with a forward slash`);
  return parsed;
}

function missing(operation: string, pointer: string, what: "key" | "path" = "path"): PatchError {
  return new PatchError(`${operation} operation does not apply: doc is missing ${what}: ${pointer}: missing value`);
}

function isPrefix(prefix: readonly string[], path: readonly string[]): boolean {
  return prefix.length < path.length && prefix.every((token, i) => token === path[i]);
}

/** The value of an index token: `from` 0 to `last`. */
function index(list: readonly JsonValue[], token: string, lenient: boolean, last: number, pointer: string): number {
  const strict = /^(0|[1-9]\d*)$/.test(token);
  if (!strict && !(lenient && /^[+-]?\d+$/.test(token))) {
    throw new PatchError(`value was not a proper array index: '${token}' in ${pointer}`);
  }
  const written = Number(token);
  const position = written < 0 ? written + last + 1 : written;
  if (position < 0 || position > last) {
    throw new PatchError(
      `Unable to access invalid index: ${token} in ${pointer} (length ${list.length}): invalid index referenced`,
    );
  }
  return position;
}

function read(document: JsonValue, path: readonly string[], lenient: boolean): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const token of path) {
    if (isArray(value)) {
      const written: number = (lenient ? /^[+-]?\d+$/ : /^(0|[1-9]\d*)$/).test(token) ? Number(token) : Number.NaN;
      value = value.at(written < 0 || written < value.length ? written : Number.POSITIVE_INFINITY);
    } else value = member(value, token);
    if (value === undefined) return undefined;
  }
  return value;
}

/** As `read`, but a missing member of an object that is there reads as null, as in the patch library of Kubernetes and Kyverno. */
function readMember(document: JsonValue, path: readonly string[], lenient: boolean): JsonValue | undefined {
  return read(document, path, lenient) ?? (isObject(read(document, path.slice(0, -1), lenient)) ? null : undefined);
}

type Change = (container: JsonObject | readonly JsonValue[], token: string) => JsonValue;

/** Copies the containers along `path` and lets `apply` change the last one. */
function change(document: JsonValue, path: readonly string[], lenient: boolean, pointer: string, apply: Change): JsonValue {
  const [token, ...rest] = path;
  if (token === undefined) return document;
  if (!isArray(document) && !isObject(document)) throw missing("patch", pointer);
  if (rest.length === 0) return apply(document, token);
  const child = read(document, [token], lenient);
  if (child === undefined) throw missing("patch", pointer);
  const changed = change(child, rest, lenient, pointer, apply);
  return isArray(document)
    ? document.with(index(document, token, lenient, document.length - 1, pointer), changed)
    : { ...document, [token]: changed };
}

function add(
  document: JsonValue,
  path: readonly string[],
  value: JsonValue,
  lenient: boolean,
  parents: boolean,
  pointer: string,
): JsonValue {
  if (path.length === 0) return value;
  const ready = parents ? ensureParents(document, path, lenient, pointer) : document;
  return change(ready, path, lenient, pointer, (container, token) => {
    if (!isArray(container)) return { ...container, [token]: value };
    return container.toSpliced(
      token === "-" ? container.length : index(container, token, lenient, container.length, pointer),
      0,
      value,
    );
  });
}

/** The document with every container on the way to `path` present; a null counts as absent. */
function ensureParents(document: JsonValue, path: readonly string[], lenient: boolean, pointer: string): JsonValue {
  const [token, next, ...rest] = path;
  if (token === undefined || next === undefined) return document;
  if (!isArray(document) && !isObject(document)) throw missing("add", pointer);
  const child = read(document, [token], lenient);
  if (child !== undefined && child !== null) {
    const ready = ensureParents(child, [next, ...rest], lenient, pointer);
    if (ready === child) return document;
    return isArray(document)
      ? document.with(index(document, token, lenient, document.length - 1, pointer), ready)
      : { ...document, [token]: ready };
  }
  const created = ensureParents(emptyContainer(next, pointer), [next, ...rest], lenient, pointer);
  if (!isArray(document)) return { ...document, [token]: created };
  if (token === "-") return [...document, created];
  const padded = [...document, ...nulls(/^\d+$/.test(token) ? Number(token) - document.length : 0, pointer)];
  return padded.toSpliced(index(padded, token, lenient, padded.length, pointer), 0, created);
}

function emptyContainer(next: string, pointer: string): JsonValue {
  if (next === "-" || next === "-1") return [];
  if (!/^[+-]?\d+$/.test(next)) return {};
  if (Number(next) < 0) {
    throw new PatchError(
      `Unable to ensure path for negative index other than -1: ${next} in ${pointer}: invalid index referenced`,
    );
  }
  return nulls(Number(next), pointer);
}

/** So that a typing error in an index cannot use up the memory. */
const maxPadding = 10_000;

function nulls(length: number, pointer: string): readonly null[] {
  if (length > maxPadding) throw new PatchError(`the index in ${pointer} is over ${maxPadding} items beyond the list's end`);
  return Array.from({ length: Math.max(length, 0) }, () => null);
}

function remove(document: JsonValue, path: readonly string[], lenient: boolean, pointer: string): JsonValue {
  if (path.length === 0) throw new PatchError("remove operation does not apply: the whole document cannot be removed");
  if (read(document, path, lenient) === undefined) {
    const last = path.at(-1) ?? "";
    const parent = read(document, path.slice(0, -1), lenient);
    if (lenient && !(isArray(parent) && !/^[+-]?\d+$/.test(last))) return document;
    throw missing("remove", pointer);
  }
  return change(document, path, lenient, pointer, (container, token) => {
    if (isArray(container)) return container.toSpliced(index(container, token, lenient, container.length - 1, pointer), 1);
    const { [token]: _, ...others } = container;
    return others;
  });
}

/** Reads a patch from data. `message` says which operation is wrong. */
export function parseJsonPatch(
  value: JsonValue,
): { readonly ok: true; readonly patch: JsonPatch } | { readonly ok: false; readonly message: string } {
  if (!isArray(value)) return { ok: false, message: "a JSON patch must be a list of operations" };
  const patch: JsonPatchOperation[] = [];
  for (const [i, item] of value.entries()) {
    const operation = parseOperation(item);
    if (typeof operation === "string") return { ok: false, message: `operation ${i}: ${operation}` };
    patch.push(operation);
  }
  return { ok: true, patch };
}

function parseOperation(item: JsonValue): JsonPatchOperation | string {
  const op = member(item, "op");
  const path = member(item, "path");
  const from = member(item, "from");
  const value = member(item, "value");
  if (typeof path !== "string") return "missing path";
  for (const pointer of [path, ...(typeof from === "string" ? [from] : [])]) {
    if (parsePointer(pointer) === undefined) return `path ${JSON.stringify(pointer)} must begin with a forward slash`;
  }
  switch (op) {
    case "add":
    case "replace":
      return value === undefined ? "missing value" : { op, path, value };
    case "test":
      return { op, path, value: value ?? null };
    case "remove":
      return { op, path };
    case "move":
    case "copy":
      return typeof from === "string" ? { op, from, path } : "missing from";
    default:
      return `unsupported operation ${JSON.stringify(op ?? null)}`;
  }
}

/** RFC 7386: members of `patch` replace those of `target`, null removes, objects merge; anything else replaces. */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const result = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else if (value !== undefined) result.set(key, applyMergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}
