import { isEmptyNode, type MergeMap, type MergeNode, requireKind, scalarText } from "./strategic-merge-node.ts";

/** The values by which one list item is known, one for each merge key; an empty text where the item has none. */
export type ItemValues = readonly string[];

/** Distinct key values of the items of `lists`, in their order. */
export function distinctValues(lists: readonly (readonly MergeNode[] | undefined)[], keys: readonly string[]): ItemValues[] {
  const found = new Map<string, ItemValues>();
  for (const item of lists.flatMap((list) => list ?? [])) {
    const values = keys.length === 0 ? [scalarText(item)] : keys.map((key) => keyValue(item, key));
    const text = JSON.stringify(values);
    if (!found.has(text)) found.set(text, values);
  }
  return [...found.values()];
}

function keyValue(item: MergeNode, key: string): string {
  const value = item instanceof Map ? item.get(key) : undefined;
  return value === undefined || isEmptyNode(value) ? "" : scalarText(value);
}

/** Makes values of several keys one where they only differ in parts that one of them lacks: port 80, and port 80 over TCP. */
export function unifyValues(valuesList: readonly ItemValues[]): ItemValues[] {
  const unified = [...valuesList];
  for (const i of unified.keys()) {
    const before = unified[i] ?? [];
    for (const j of unified.keys()) {
      const joint = jointValues(before, unified[j] ?? []);
      if (joint === undefined) continue;
      unified[i] = joint;
      unified[j] = joint;
    }
  }
  return unified;
}

function jointValues(a: ItemValues, b: ItemValues): ItemValues | undefined {
  if (a.some((value, i) => value !== b[i] && value !== "" && b[i] !== "")) return undefined;
  if (!a.some((value, i) => value === b[i])) return undefined;
  return a.map((value, i) => (value === "" ? (b[i] ?? "") : value));
}

/** A way to find an item: `keys[i]` has the text `values[i]`. The key `""` stands for the item itself. */
export interface ItemKey {
  readonly keys: readonly string[];
  readonly values: ItemValues;
}

/** Leaves out the keys that no entry of `valuesList` has a value for; with none left, all of them stay. */
export function usedKeys(valuesList: readonly ItemValues[], { keys, values }: ItemKey): ItemKey {
  const used = keys.map((_, i) => valuesList.some((entry) => (entry[i] ?? "") !== ""));
  if (!used.includes(true)) return { keys, values };
  return { keys: keys.filter((_, i) => used[i]), values: values.filter((value, i) => value !== "" || used[i]) };
}

/** The first item with these key values. */
export function findItem(list: readonly MergeNode[] | undefined, { keys, values }: ItemKey): MergeNode | undefined {
  if (keys[0] === "") return list?.find((item) => scalarText(item) === values[0]);
  if (keys.length !== values.length) return undefined;
  return list?.find((item) => {
    if (!(item instanceof Map)) return false;
    return keys.every((key, i) => {
      const value = item.get(key);
      return value !== undefined && scalarText(value) === values[i];
    });
  });
}

/**
 * Replaces every item with these key values by `element`, or appends it where there is none; without `element`, removes
 * them. Nulls and empty objects fall out. An empty value matches any item that has the key: as odd as that is, kyaml does so.
 */
export function setItem(list: MergeNode[], element: MergeNode | undefined, { keys, values }: ItemKey): void {
  const wantsMap = keys[0] !== "" && (values[0] ?? "") !== "";
  const kept: MergeNode[] = [];
  let matched = false;
  for (const item of list) {
    if (item === null || (item instanceof Map && item.size === 0)) continue;
    if (wantsMap && !(item instanceof Map)) {
      kept.push(item);
    } else if (!hasValues(item, keys, values)) {
      if (values.length > 0) kept.push(item);
    } else {
      matched = true;
      if (element !== undefined) kept.push(element);
    }
  }
  if (element !== undefined && element !== null && !matched) kept.push(element);
  list.splice(0, list.length, ...kept);
}

function hasValues(item: MergeNode, keys: readonly string[], values: ItemValues): boolean {
  let matches = false;
  for (const [i, key] of keys.entries()) {
    const value = values[i];
    if (value !== undefined) matches = key === "" ? scalarMatches(item, value) : memberMatches(item, key, value);
    if (!matches) return false;
  }
  return true;
}

function scalarMatches(item: MergeNode, value: string): boolean {
  requireKind(item, "ScalarNode");
  return scalarText(item) === value;
}

function memberMatches(item: MergeNode, key: string, value: string): boolean {
  requireKind(item, "MappingNode");
  const found = item instanceof Map ? item.get(key) : undefined;
  return found !== undefined && (value === "" || scalarText(found) === value);
}

/** Puts the items of `source` into `list` behind its own; items with equal keys take the place of those that were there. */
export function appendItems(list: MergeNode[], source: readonly MergeNode[], keys: readonly string[]): void {
  for (const item of source) {
    if (keys[0] === "") {
      setItem(list, item, { keys: [""], values: [scalarText(item)] });
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      requireKind(item, "MappingNode");
      const value = item instanceof Map ? item.get(key) : undefined;
      if (value === undefined) list.push(item);
      else values.push(scalarText(value));
    }
    if (keys.length > 1) setItem(list, undefined, { keys, values });
    setItem(list, item, { keys, values });
  }
}

export const patchDirective = "$patch";

/** What `$patch` in an object asks for; a directive that is known is taken out. */
export function takeDirective(map: MergeMap): string | undefined {
  const value = map.get(patchDirective);
  if (value === undefined) return undefined;
  const text = scalarText(value);
  if (isDirective(text)) map.delete(patchDirective);
  return text;
}

/** What an item `{$patch: ...}` asks for the whole list; a directive that is known is taken out. */
export function takeListDirective(list: MergeNode[]): string | undefined {
  const item = list.find((entry) => entry instanceof Map && entry.has(patchDirective));
  if (!(item instanceof Map) || item.size > 1) return undefined;
  const text = scalarText(item.get(patchDirective) ?? null);
  if (isDirective(text)) setItem(list, undefined, { keys: [patchDirective], values: [text] });
  return text;
}

export function isDirective(text: string): boolean {
  return text === "delete" || text === "replace" || text === "merge";
}
