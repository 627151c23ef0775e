import { isArray, isObject, type JsonValue, member } from "../../../core/json.ts";
import {
  cloneMergeNode,
  fromMergeNode,
  isEmptyNode,
  MergeError,
  type MergeMap,
  type MergeNode,
  mergeNodeText,
  requireKind,
  scalarText,
  toMergeNode,
} from "../../../core/strategic-merge-node.ts";
import { type Anchor, parseAnchor } from "../anchor.ts";
import { compilePattern, type PatternProgram } from "../pattern.ts";

/** A condition anchor of a patch that does not hold: the patch, or the part of it that the list item stands for, is not applied. */
class ConditionFailed extends Error {
  readonly global: boolean;

  constructor(global: boolean) {
    super(global ? "global condition failed" : "condition failed");
    this.global = global;
  }
}

/** Made once: the stack of a new Error costs more than the condition. */
const conditionFailed = new ConditionFailed(false);
const globalFailed = new ConditionFailed(true);

/** The patterns of one patch's conditions: the conditions of a constant patch are few, and come with every object. */
export class ConditionPrograms {
  readonly #programs = new Map<string, PatternProgram>();

  of(condition: MergeNode): PatternProgram {
    const key = mergeNodeText(condition);
    let program = this.#programs.get(key);
    if (program === undefined) {
      program = compilePattern(comparable(fromMergeNode(condition)));
      this.#programs.set(key, program);
    }
    return program;
  }
}

/**
 * Evaluates the anchors of a strategic merge patch against the object and takes them out of the patch, in place:
 * `(key)` and `<(key)` are conditions, `+(key)` adds where the object has no `key`. A list item with conditions becomes
 * one item for each named item of the object's list that meets them. False: a condition outside of a list failed, or a
 * global one in it; the patch is not applied. The steps, and their oddities, are those of Kyverno's preprocessing.
 *
 * @throws MergeError when patch and object do not fit
 */
export function resolveConditions(patch: MergeMap, object: JsonValue, programs: ConditionPrograms): boolean {
  try {
    resolve(patch, object, programs);
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  for (const key of [...patch.keys()]) {
    const value = patch.get(key);
    if (value !== undefined && dropConditions(value, isCondition(parseAnchor(key)), false)) patch.delete(key);
  }
  return true;
}

export function isCondition(anchor: Anchor | undefined): boolean {
  return anchor?.kind === "condition" || anchor?.kind === "global";
}

export function isPatchAnchor(anchor: Anchor | undefined): boolean {
  return isCondition(anchor) || anchor?.kind === "add";
}

interface WrittenAnchor {
  /** The key with its anchor. */
  readonly written: string;
  readonly anchor: Anchor;
}

/** The anchors of an object's keys. */
function anchorsOf(node: MergeNode, wanted: (anchor: Anchor) => boolean): readonly WrittenAnchor[] {
  const found: WrittenAnchor[] = [];
  if (!(node instanceof Map)) return found;
  for (const written of node.keys()) {
    const anchor = parseAnchor(written);
    if (anchor !== undefined && wanted(anchor)) found.push({ written, anchor });
  }
  return found;
}

function resolve(patch: MergeNode, object: JsonValue | undefined, programs: ConditionPrograms): void {
  if (Array.isArray(patch)) {
    if (patch[0] instanceof Map) resolveList(patch, object, programs);
  } else if (patch instanceof Map) {
    resolveAdditions(patch, object);
    checkConditions(patch, object, "global", programs);
    checkConditions(patch, object, "condition", programs);
    for (const key of [...patch.keys()]) {
      const value = patch.get(key);
      if (value !== undefined && !isPatchAnchor(parseAnchor(key))) resolve(value, member(object, key), programs);
    }
  }
}

/** `+(key)` goes where the object has `key`, and else becomes `key`. Answers how many there were. */
function resolveAdditions(patch: MergeNode, object: JsonValue | undefined): number {
  const additions = anchorsOf(patch, (anchor) => anchor.kind === "add");
  for (const { written, anchor } of additions) {
    if (!(patch instanceof Map)) break;
    if (member(object, anchor.key) === undefined) rename(patch, written, anchor.key);
    else patch.delete(written);
  }
  return additions.length;
}

/** Renames a member and keeps its place; a later member of the new name gives way. */
function rename(map: MergeMap, from: string, to: string): void {
  const entries = [...map];
  map.clear();
  for (const [key, value] of entries) {
    const name = key === from ? to : key;
    if (!map.has(name)) map.set(name, value);
  }
}

function checkConditions(
  patch: MergeMap,
  object: JsonValue | undefined,
  kind: "condition" | "global",
  programs: ConditionPrograms,
): void {
  for (const { written, anchor } of anchorsOf(patch, (a) => a.kind === kind)) {
    const condition = patch.get(written) ?? null;
    const value = member(object, anchor.key);
    if (value === undefined) throw kind === "global" ? globalFailed : conditionFailed;
    if (resolveAdditions(condition, value) > 0) continue;
    const matches = programs.of(condition)(comparable(value));
    if (matches.status !== "pass") throw kind === "global" ? globalFailed : conditionFailed;
  }
}

/** Scalars are compared as texts. */
export function comparable(value: JsonValue): JsonValue {
  return isObject(value) || isArray(value) ? value : String(value);
}

function resolveList(patch: MergeNode[], object: JsonValue | undefined, programs: ConditionPrograms): void {
  requireKind(object, "SequenceNode");
  const items = isArray(object) ? object : [];
  for (const element of [...patch]) {
    if (!hasAnchor(element, isPatchAnchor)) continue;
    // One copy serves all items, so that what the first item decides about `+()` holds for the others, too.
    const copy = cloneMergeNode(element);
    const global = hasAnchor(element, (anchor) => anchor?.kind === "global");
    let held = false;
    let failed: ConditionFailed | undefined;
    for (const item of items) {
      const failure = failureOf(copy, item, programs);
      if (failure?.global) failed = failure;
      if (failure !== undefined) continue;
      if (global) held = true;
      else addForItem(patch, copy, item);
    }
    if (object === undefined) {
      const failure = failureOf(copy, undefined, programs);
      if (failure?.global) throw failure;
      if (failure !== undefined) continue;
      held ||= global;
    }
    if (!held && failed !== undefined) throw failed;
  }
}

function failureOf(patch: MergeNode, object: JsonValue | undefined, programs: ConditionPrograms): ConditionFailed | undefined {
  try {
    resolve(patch, object, programs);
    return undefined;
  } catch (error) {
    if (error instanceof ConditionFailed) return error;
    throw error;
  }
}

/** Adds the patch for the one item that met its conditions; only items with a name can be told apart. */
function addForItem(patch: MergeNode[], element: MergeNode, item: JsonValue): void {
  const name = member(item, "name");
  if (name === undefined || isEmptyNode(name)) return;
  const copy = cloneMergeNode(element);
  if (dropConditions(copy, true, false)) return;
  requireKind(copy, "MappingNode");
  if (copy instanceof Map) copy.set("name", toMergeNode(name));
  patch.push(copy);
}

export function hasAnchor(node: MergeNode, wanted: (anchor: Anchor | undefined) => boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => hasAnchor(item, wanted));
  if (!(node instanceof Map)) return isCondition(parseAnchor(scalarText(node)));
  for (const [key, value] of node) {
    if (wanted(parseAnchor(key))) return true;
    if (!isEmptyNode(value) && hasAnchor(value, wanted)) return true;
  }
  return false;
}

/** Takes the conditions out of a part of the patch; true when nothing is left of it, so that it has to go, too. */
function dropConditions(node: MergeNode, dropScalar: boolean, inMaps: boolean): boolean {
  if (Array.isArray(node)) return dropFromList(node, inMaps);
  return node instanceof Map ? dropFromMap(node, inMaps) : dropScalar;
}

function dropFromMap(map: MergeMap, inMaps: boolean): boolean {
  let kept = false;
  for (const { written } of anchorsOf(map, isCondition)) {
    if (dropConditions(map.get(written) ?? null, true, inMaps)) map.delete(written);
    else kept = true;
  }
  if (kept) for (const { written, anchor } of anchorsOf(map, isCondition)) rename(map, written, anchor.key);
  let empty = true;
  for (const [key, value] of [...map]) {
    if (dropConditions(value, false, inMaps)) map.delete(key);
    else empty = false;
  }
  return empty;
}

function dropFromList(list: MergeNode[], inMaps: boolean): boolean {
  const hadItems = list.length > 0;
  // Positions are those before the first removal, as in Kyverno: two removals in one list take out the wrong item.
  for (const [i, element] of [...list].entries()) {
    const drop = hasAnchor(element, isPatchAnchor)
      ? !(inMaps && element instanceof Map) || dropConditions(element, true, inMaps)
      : dropConditions(element, false, inMaps);
    if (!drop) continue;
    if (i >= list.length) throw new MergeError("slice bounds out of range");
    list.splice(i, 1);
  }
  return hadItems && list.length === 0;
}
