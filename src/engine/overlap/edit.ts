import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../../core/json.ts";

/** One change to an object; `value` undefined removes what stands at the path. */
export interface Edit {
  readonly path: JsonPath;
  readonly value: JsonValue | undefined;
}

/** The value with the edits made, in order; missing parents are created. Unchanged parts are shared. */
export function applyEdits(value: JsonValue, edits: readonly Edit[]): JsonValue {
  return edits.reduce((v, edit) => set(v, edit.path, edit.value) ?? {}, value);
}

function set(at: JsonValue | undefined, path: JsonPath, value: JsonValue | undefined): JsonValue | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === "number") {
    const items = isArray(at) ? at : [];
    if (value === undefined && step >= items.length) return at;
    const item = set(items[step], rest, value);
    return item === undefined ? items.toSpliced(step, 1) : items.length > step ? items.with(step, item) : [...items, item];
  }
  const members: JsonObject = isObject(at) ? at : {};
  if (value === undefined && !Object.hasOwn(members, step)) return at;
  const member = set(members[step], rest, value);
  if (member !== undefined) return { ...members, [step]: member };
  const { [step]: _, ...others } = members;
  return others;
}

/** The same edits below another place: a pod's edits in a controller's template. */
export function below(prefix: JsonPath, edits: readonly Edit[]): readonly Edit[] {
  return prefix.length === 0 ? edits : edits.map(({ path, value }) => ({ path: [...prefix, ...path], value }));
}
