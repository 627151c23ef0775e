import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals } from "../../core/json.ts";
import type { Comparison, Node } from "./ast.ts";
import { JmesPathError, NotFound } from "./errors.ts";
import { compileCall, type Functions } from "./functions/call.ts";
import { JmesPathSyntaxError } from "./lexer.ts";
import type { Run } from "./run.ts";
import { compileSlice } from "./slice.ts";

/** A compiled expression. Missing members are `NotFound`. @throws JmesPathError */
export type Evaluate = (current: JsonValue, run: Run) => JsonValue | NotFound;

/** A missing member counts as null wherever a value is wanted. */
export function settle(value: JsonValue | NotFound): JsonValue {
  return value instanceof NotFound ? null : value;
}

/** JMESPath's falsehood: null, false, and anything empty. Zero is true. */
function isFalse(value: JsonValue): boolean {
  if (value === null || value === false || value === "") return true;
  if (isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  for (const _ in value) return false;
  return true;
}

/** Turns an expression into closures. @throws JmesPathSyntaxError for unknown functions and wrong numbers of arguments */
export function compile(node: Node, functions: Functions): Evaluate {
  const sub = (child: Node) => compile(child, functions);
  switch (node.kind) {
    case "current":
      return (current) => current;
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "binding":
      return compileBinding(node.name);
    case "field":
      return compileField(node.name);
    case "index":
      return compileIndex(node.index);
    case "slice":
      return compileSlice(node.parts);
    case "chain": {
      const left = sub(node.left);
      const right = sub(node.right);
      return (current, run) => {
        const value = left(current, run);
        return value instanceof NotFound ? value : right(value, run);
      };
    }
    case "projection":
      return compileProjection(sub(node.left), sub(node.right));
    case "values":
      return compileValues(sub(node.left), sub(node.right));
    case "filter":
      return compileFilter(sub(node.left), sub(node.condition), sub(node.right));
    case "flatten":
      return compileFlatten(sub(node.left));
    case "list": {
      const items = node.items.map(sub);
      return (current, run) => (current === null ? null : items.map((item) => settle(item(current, run))));
    }
    case "hash":
      return compileHash(node.members.map(({ key, value }) => ({ key, value: sub(value) })));
    case "comparison":
      return compileComparison(node.operator, sub(node.left), sub(node.right));
    case "or": {
      const left = sub(node.left);
      const right = sub(node.right);
      return (current, run) => {
        const value = settle(left(current, run));
        return isFalse(value) ? settle(right(current, run)) : value;
      };
    }
    case "and": {
      const left = sub(node.left);
      const right = sub(node.right);
      return (current, run) => {
        const value = settle(left(current, run));
        return isFalse(value) ? value : right(current, run);
      };
    }
    case "not": {
      const operand = sub(node.operand);
      return (current, run) => isFalse(settle(operand(current, run)));
    }
    case "pipe": {
      const left = sub(node.left);
      const right = sub(node.right);
      return (current, run) => settle(right(settle(left(current, run)), run));
    }
    case "call":
      return compileCall(node, functions, sub);
    case "reference":
      throw new JmesPathSyntaxError("an expression reference can only be an argument of a function", node.offset);
  }
}

function compileField(name: string): Evaluate {
  const missing = new NotFound(name);
  return (current) => {
    if (!isObject(current)) return null;
    // Context entries are getters that load on reading, so the member is read once and only when it is there.
    const value = Object.hasOwn(current, name) ? current[name] : undefined;
    return value === undefined ? missing : value;
  };
}

function compileBinding(name: string): Evaluate {
  return (_, run) => {
    const value = run.bindings?.get(name);
    if (value === undefined) throw new JmesPathError(`variable not defined: $${name}`);
    return value;
  };
}

function compileIndex(index: number): Evaluate {
  return (current) => (isArray(current) ? (current.at(index) ?? null) : null);
}

function collect(items: readonly JsonValue[], each: Evaluate, run: Run): JsonValue[] {
  run.spend(items.length);
  const collected: JsonValue[] = [];
  for (const item of items) {
    const value = each(item, run);
    if (value !== null && !(value instanceof NotFound)) collected.push(value);
  }
  return collected;
}

function compileProjection(left: Evaluate, right: Evaluate): Evaluate {
  return (current, run) => {
    const items = settle(left(current, run));
    return isArray(items) ? collect(items, right, run) : null;
  };
}

/** Filters, flattening and value projections swallow an error of what they apply to, as Kyverno's dialect does. */
function orNull(left: Evaluate): (current: JsonValue, run: Run) => JsonValue {
  return (current, run) => {
    try {
      return settle(left(current, run));
    } catch (error) {
      if (error instanceof JmesPathError) return null;
      throw error;
    }
  };
}

function compileValues(left: Evaluate, right: Evaluate): Evaluate {
  const operand = orNull(left);
  return (current, run) => {
    const object = operand(current, run);
    return isObject(object) ? collect(memberValues(object), right, run) : null;
  };
}

export function memberValues(object: JsonObject): JsonValue[] {
  return Object.values(object).map((value) => value ?? null);
}

function compileFilter(left: Evaluate, condition: Evaluate, right: Evaluate): Evaluate {
  const operand = orNull(left);
  return (current, run) => {
    const items = operand(current, run);
    if (!isArray(items)) return null;
    run.spend(items.length);
    const kept = items.filter((item) => !isFalse(settle(condition(item, run))));
    return collect(kept, right, run);
  };
}

function compileFlatten(left: Evaluate): Evaluate {
  const operand = orNull(left);
  return (current, run) => {
    const items = operand(current, run);
    if (!isArray(items)) return null;
    const flat = items.flatMap((item): readonly JsonValue[] => (isArray(item) ? item : [item]));
    run.spend(flat.length);
    return flat;
  };
}

function compileHash(members: readonly { readonly key: string; readonly value: Evaluate }[]): Evaluate {
  return (current, run) => {
    if (current === null) return null;
    const entries = members.map(({ key, value }) => [key, settle(value(current, run))] as const);
    return Object.fromEntries(entries);
  };
}

function compileComparison(operator: Comparison, left: Evaluate, right: Evaluate): Evaluate {
  const test = comparisons[operator];
  return (current, run) => test(settle(left(current, run)), settle(right(current, run)));
}

function order(test: (a: number | bigint, b: number | bigint) => boolean) {
  return (a: JsonValue, b: JsonValue) => (isNumber(a) && isNumber(b) ? test(a, b) : null);
}

/** Integers beyond 2^53 arrive as bigint. */
export function isNumber(value: JsonValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

const comparisons: { readonly [operator in Comparison]: (a: JsonValue, b: JsonValue) => boolean | null } = {
  "==": jsonEquals,
  "!=": (a, b) => !jsonEquals(a, b),
  "<": order((a, b) => a < b),
  "<=": order((a, b) => a <= b),
  ">": order((a, b) => a > b),
  ">=": order((a, b) => a >= b),
};
