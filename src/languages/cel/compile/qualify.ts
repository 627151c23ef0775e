import { elementAt, mapFind } from "../values/containers.ts";
import { displayValue } from "../values/format.ts";
import { goTypeOf } from "../values/go-type.ts";
import { isInt } from "../values/numbers.ts";
import { typeOf } from "../values/type-of.ts";
import {
  CelError,
  CelObject,
  type CelValue,
  Double,
  Failure,
  isList,
  isMap,
  NotJson,
  Optional,
  Uint,
  type Value,
} from "../values/value.ts";
import { type Frame, fail, labelled } from "./frame.ts";

/** One step of an access path: from a value to what it holds. Failures pass through at no cost. */
export type Step = (value: Value, frame: Frame) => Value;

/** As {@link Step}; undefined where the value holds nothing there. */
export type OptionalStep = (value: CelValue, frame: Frame) => Value | undefined;

/** Names that every object or array has without it being data. */
function isInherited(name: string): boolean {
  return name in Object.prototype || name in Array.prototype || /^\d+$/.test(name);
}

/** The member `name` of a map, as `value.name` reads it. */
export function selectStep(name: string, exprId: number): Step {
  if (isInherited(name)) return keyStep(name, exprId);
  return (value, frame) => {
    if (typeof value === "object" && value !== null && !(value instanceof NotJson)) {
      // An array has no such member either, and `lookUp` says why that is wrong.
      const member = (value as { readonly [key: string]: Value | undefined })[name];
      frame.cost++;
      return member === undefined ? missing(value, name, exprId) : member;
    }
    if (value instanceof Failure) return value;
    frame.cost++;
    return lookUp(value, name, exprId);
  };
}

/** What `value[key]` reads for a key known at compile time. */
export function keyStep(key: CelValue, exprId: number): Step {
  return (value, frame) => {
    if (value instanceof Failure) return value;
    frame.cost++;
    return lookUp(value, key, exprId);
  };
}

/** What `value[key]` reads for a computed key. */
export function computedStep(key: (frame: Frame) => Value, exprId: number): Step {
  return (value, frame) => {
    if (value instanceof Failure) return value;
    const found = key(frame);
    frame.cost++;
    return found instanceof Failure ? found : lookUp(value, found, exprId);
  };
}

function missing(value: CelValue, key: CelValue, exprId: number): Value {
  return isList(value) ? lookUp(value, key, exprId) : fail(`no such key: ${displayValue(key)}`, exprId);
}

/** The element or member at `key`, or an error that says what is missing. */
function lookUp(value: CelValue, key: CelValue, exprId: number): Value {
  const found = find(value, key);
  if (found !== undefined) return labelled(found, exprId);
  const what = isList(value) ? "index out of bounds" : "no such key";
  return fail(`${what}: ${displayValue(key)}`, exprId);
}

/** The element or member at `key`; undefined where there is none; an error for a key that cannot be one. */
function find(value: CelValue, key: CelValue): Value | undefined {
  const problem = keyProblem(key);
  if (problem !== undefined) return new CelError(problem);
  if (isMap(value)) return mapFind(value, key);
  if (isList(value)) {
    const index = listIndex(key);
    if (typeof index !== "number") return index;
    return index >= 0 && index < value.length ? elementAt(value, index) : undefined;
  }
  return value instanceof CelObject && typeof key === "string" ? value.field(key) : undefined;
}

/** Why a value can be no key or index; undefined for those that can. */
export function keyProblem(key: CelValue): string | undefined {
  if (typeof key !== "object" || key instanceof Uint || key instanceof Double) return undefined;
  return `invalid qualifier type: ${goTypeOf(key)}`;
}

/** An index, which may be written as any number type but has to be whole. */
function listIndex(key: CelValue): number | CelError {
  if (typeof key === "number" && Number.isInteger(key)) return key;
  if (key instanceof Double) return key.value;
  if (isInt(key)) return Number(key);
  if (key instanceof Uint) return Number(key.value);
  if (typeof key === "number") return new CelError(`unsupported index value ${displayValue(key)} in list`);
  return new CelError(`unsupported index type '${typeOf(key).name}' in list`);
}

/** Whether `value` has a member `name`, as `has(value.name)` asks. */
export function presenceStep(name: string, exprId: number, strict: boolean): Step {
  return (value, frame) => {
    if (value instanceof Failure) return value;
    frame.cost++;
    const found = present(value, name, strict);
    return typeof found === "boolean" ? found : labelled(found, exprId);
  };
}

/** Fields of messages are present when they are set; everything else when it is there. `strict`: what has no members is an error. */
export function present(value: CelValue, name: string, strict: boolean): boolean | Failure {
  if (value instanceof CelObject) return value.hasField(name);
  if (isList(value)) return new CelError("unsupported index type 'string' in list");
  if (strict && value instanceof Optional) return value.value !== undefined && present(value.value, name, strict);
  if (!isMap(value)) return strict && new CelError(`no such key: ${name}`);
  const found = mapFind(value, name);
  return found instanceof Failure ? found : found !== undefined;
}

/** Optional access: what is not there makes the whole path absent. Only what is found costs. */
export function optionalStep(key: (frame: Frame) => Value, exprId: number, strict: boolean): OptionalStep {
  return (value, frame) => {
    const found = key(frame);
    if (found instanceof Failure) return found;
    const member =
      value instanceof CelObject && typeof found === "string" && !value.hasField(found) ? undefined : find(value, found);
    if (member instanceof Failure) return labelled(member, exprId);
    if (member !== undefined) {
      frame.cost++;
      return member;
    }
    return strict && !hasMembers(value) ? fail(`no such key: ${displayValue(found)}`, exprId) : undefined;
  };
}

function hasMembers(value: CelValue): boolean {
  return isMap(value) || isList(value) || value instanceof CelObject;
}

/** Runs an optional path from `root` to an {@link Optional}. */
export function followOptional(root: CelValue, steps: readonly OptionalStep[], frame: Frame): Value {
  let value: CelValue = root;
  if (value instanceof Optional) {
    if (value.value === undefined) return value;
    const inside = value.value instanceof CelObject ? value.value.inside : value.value;
    if (inside instanceof Failure) return inside;
    value = inside;
  }
  for (const step of steps) {
    const next = step(value, frame);
    if (next === undefined) return Optional.none;
    if (next instanceof Failure) return next;
    value = next;
  }
  return new Optional(value);
}
