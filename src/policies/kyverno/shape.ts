import { isArray, isObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import { nearestName } from "../../core/nearest-name.ts";

/** What a field may hold. `any` takes all values; `from` and `to` are integers between which a number lies; a function breaks recursion. */
export type Shape =
  | "string"
  | "boolean"
  | "integer"
  | "any"
  | { readonly from: number; readonly to: number }
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: { readonly [name: string]: Shape } }
  | { readonly oneOf: readonly Shape[] }
  | (() => Shape);

export interface ShapeProblem {
  readonly path: JsonPath;
  readonly kind: "unknown-field" | "wrong-type";
  readonly message: string;
  /** For an unknown field: the known one with the nearest name. */
  readonly nearest?: string;
}

export const list = (items: Shape): Shape => ({ list: items });
export const map = (values: Shape): Shape => ({ map: values });
export const fields = (known: { readonly [name: string]: Shape }): Shape => ({ fields: known });

/** An integer, both ends included. */
export const between = (from: number, to: number): Shape => ({ from, to });

const describe = (value: JsonValue): string =>
  isArray(value) ? "a list" : isObject(value) ? "an object" : typeof value === "bigint" ? "a number" : `a ${typeof value}`;

function wrongType(value: JsonValue, wanted: string, path: JsonPath, into: ShapeProblem[]): void {
  into.push({ path, kind: "wrong-type", message: `must be ${wanted}, but is ${describe(value)}` });
}

function checkFields(value: JsonValue, known: { readonly [name: string]: Shape }, path: JsonPath, into: ShapeProblem[]): void {
  if (!isObject(value)) {
    wrongType(value, "an object", path, into);
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    const shape = Object.hasOwn(known, name) ? known[name] : undefined;
    if (shape !== undefined) check(item, shape, [...path, name], into);
    else {
      const nearest = nearestName(name, Object.keys(known));
      into.push({
        path: [...path, name],
        kind: "unknown-field",
        message: `unknown field ${JSON.stringify(name)}`,
        ...(nearest === undefined ? {} : { nearest }),
      });
    }
  }
}

const isInteger = (value: JsonValue): value is number | bigint => typeof value === "bigint" || Number.isInteger(value);

function checkRange(value: JsonValue, from: number, to: number, path: JsonPath, into: ShapeProblem[]): void {
  const wanted = `an integer from ${from} to ${to}`;
  if (!isInteger(value)) wrongType(value, wanted, path, into);
  else if (value < from || value > to) into.push({ path, kind: "wrong-type", message: `must be ${wanted}, but is ${value}` });
}

function checkScalar(value: JsonValue, shape: "string" | "boolean" | "integer", path: JsonPath, into: ShapeProblem[]): void {
  if (shape === "integer") {
    if (!isInteger(value)) wrongType(value, "an integer", path, into);
  } else if (typeof value !== shape) wrongType(value, `a ${shape}`, path, into);
}

/** Of two forms that a value may have, the one with fewer problems was meant, or the one whose problem lies deeper. */
function isCloser(a: readonly ShapeProblem[], b: readonly ShapeProblem[]): boolean {
  const depth = (problems: readonly ShapeProblem[]) => problems[0]?.path.length ?? 0;
  return a.length < b.length || (a.length === b.length && depth(a) > depth(b));
}

/** Appends what is wrong with `value`; a null stands for an absent field, as it does for the API server. */
function check(value: JsonValue | undefined, shape: Shape, path: JsonPath, into: ShapeProblem[]): void {
  if (value === undefined || value === null || shape === "any") return;
  if (typeof shape === "function") check(value, shape(), path, into);
  else if (typeof shape === "string") checkScalar(value, shape, path, into);
  else if ("from" in shape) checkRange(value, shape.from, shape.to, path, into);
  else if ("fields" in shape) checkFields(value, shape.fields, path, into);
  else if ("list" in shape) {
    if (!isArray(value)) wrongType(value, "a list", path, into);
    else for (const [i, item] of value.entries()) check(item, shape.list, [...path, i], into);
  } else if ("map" in shape) {
    if (!isObject(value)) wrongType(value, "an object", path, into);
    else for (const [key, item] of Object.entries(value)) check(item, shape.map, [...path, key], into);
  } else {
    const attempts = shape.oneOf.map((one) => shapeProblems(value, one, path));
    const best = attempts.reduce((a, b) => (isCloser(b, a) ? b : a));
    into.push(...best);
  }
}

/** Unknown fields and values of the wrong type, in document order. */
export function shapeProblems(value: JsonValue | undefined, shape: Shape, path: JsonPath = []): readonly ShapeProblem[] {
  const into: ShapeProblem[] = [];
  check(value, shape, path, into);
  return into;
}
