import { isArray, isObject, type JsonObject, type JsonValue } from "./json.ts";
import { type MergeField, type MergeType, mergeTypeOf } from "./strategic-merge-keys.ts";

/**
 * Whether a merge with an empty patch leaves an object as it is. True only where that is certain, at a glance; the answer
 * spares most objects a conversion there and back.
 */
export function isTidy(object: JsonObject): boolean {
  return isTidyMap(object, undefined);
}

function isTidyValue(value: JsonValue | undefined, type: MergeType | undefined): boolean {
  return isObject(value) ? isTidyMap(value, type) : true;
}

function isTidyMap(map: JsonObject, known: MergeType | undefined): boolean {
  const type = known ?? typeByKind(map);
  for (const key of Object.keys(map)) {
    const value = map[key];
    if (typeof value !== "object" || value === null) continue;
    const field = type !== undefined && Object.hasOwn(type, key) ? type[key] : undefined;
    if (isArray(value)) {
      if (field?.keys !== undefined && !isTidyList(value, field.keys, field)) return false;
    } else if (field?.keys !== undefined || !isTidyValue(value, field?.type)) return false;
  }
  return true;
}

function typeByKind({ apiVersion, kind }: JsonObject): MergeType | undefined {
  return typeof apiVersion === "string" && typeof kind === "string" ? mergeTypeOf({ apiVersion, kind }) : undefined;
}

/**
 * Items that are told apart by the first merge key alone, and that have the other keys all or none: anything else may be
 * joined, dropped or moved.
 */
function isTidyList(items: readonly JsonValue[], keys: readonly string[], { type }: MergeField): boolean {
  const [first, ...others] = keys;
  const seen = new Set<string>();
  for (const item of items) {
    const value = first === undefined ? item : isObject(item) ? item[first] : undefined;
    if (typeof value !== "string" && typeof value !== "number") return false;
    const text = String(value);
    if (text === "" || seen.has(text)) return false;
    seen.add(text);
    if (!isTidyValue(item, type)) return false;
  }
  return others.every((key) => {
    const present = items.filter((item) => isObject(item) && item[key] !== undefined).length;
    return present === 0 || (present === items.length && items.every((item) => isObject(item) && isFilledText(item[key])));
  });
}

function isFilledText(value: JsonValue | undefined): boolean {
  return typeof value === "string" && value !== "";
}
