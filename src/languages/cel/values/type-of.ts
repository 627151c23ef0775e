import { boolType, type CelType, doubleType, intType, isDyn, listType, mapType, nullType, stringType } from "../types.ts";
import { elementAt, mapFind, mapKeys } from "./containers.ts";
import { isInt } from "./numbers.ts";
import { Boxed, type CelValue, Failure, isList, isMap } from "./value.ts";

/** The type a value has at run time; elements of lists and maps do not count. */
export function typeOf(value: CelValue): CelType {
  if (typeof value === "string") return stringType;
  if (typeof value === "boolean") return boolType;
  if (typeof value === "number" || typeof value === "bigint") return isInt(value) ? intType : doubleType;
  if (value === null) return nullType;
  if (value instanceof Boxed) return value.type;
  return Array.isArray(value) ? listType : mapType;
}

/** Whether a function whose parameter has `type` may be called with `value`: as in cel-go, the first element speaks for a list. */
export function isAssignableAtRunTime(type: CelType, value: CelValue): boolean {
  if (isDyn(type) || type.kind === "param") return true;
  if (type.nullable && value === null) return true;
  if (type.name !== typeOf(value).name) return false;
  if (type.kind === "list" && isList(value) && value.length > 0) {
    return fits(type.params[0], elementAt(value, 0));
  }
  if (type.kind === "map" && isMap(value)) {
    const [key] = mapKeys(value);
    return key === undefined || (fits(type.params[0], key) && fits(type.params[1], mapFind(value, key)));
  }
  return true;
}

function fits(type: CelType | undefined, value: CelValue | Failure | undefined): boolean {
  if (type === undefined || value === undefined) return true;
  return !(value instanceof Failure) && isAssignableAtRunTime(type, value);
}
