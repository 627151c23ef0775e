import type { Expr, ListExpr, MapExpr, StructExpr } from "../ast.ts";
import { baseCosts } from "../cost/model.ts";
import { MapBuilder } from "../values/containers.ts";
import { displayValue } from "../values/format.ts";
import { isDouble } from "../values/numbers.ts";
import { CelError, type CelValue, Failure, Optional, type Value } from "../values/value.ts";
import { type Compiler, constantNode, type Node } from "./compiler.ts";
import { type Eval, type Frame, fail, labelled } from "./frame.ts";

export function compileList(expr: ListExpr, compiler: Compiler): Node {
  const elements = expr.elements.map((element) => compiler.compile(element));
  const evals = elements.map((element) => element.eval);
  const build = expr.optional.size === 0 ? plainList(evals) : optionalList(evals, expr);
  const folded = fold(expr, elements, build, compiler);
  if (folded !== undefined) return folded;
  return {
    id: expr.id,
    eval: (frame) => {
      const value = build(frame);
      frame.cost += baseCosts.list;
      return value;
    },
  };
}

function plainList(elements: readonly Eval[]): Eval {
  return (frame) => {
    const list: CelValue[] = [];
    for (const element of elements) {
      const value = element(frame);
      if (value instanceof Failure) return value;
      list.push(value);
    }
    return list;
  };
}

function optionalList(elements: readonly Eval[], expr: ListExpr): Eval {
  return (frame) => {
    const list: CelValue[] = [];
    for (const [i, element] of elements.entries()) {
      const value = element(frame);
      if (value instanceof Failure) return value;
      if (!expr.optional.has(i)) list.push(value);
      else if (!(value instanceof Optional)) {
        return fail(`cannot initialize optional list element from non-optional value ${displayValue(value)}`, expr.id);
      } else if (value.value !== undefined) list.push(value.value);
    }
    return list;
  };
}

/** Computes a constructor of constants now, where the environment wants that. */
function fold(expr: Expr, parts: readonly Node[], build: Eval, compiler: Compiler): Node | undefined {
  if (!compiler.env.options.foldConstants || parts.some((part) => part.constant === undefined)) return undefined;
  const value = build(unusedFrame);
  // An error stays one to be found when the expression is evaluated.
  return value instanceof Failure ? { id: expr.id, eval: () => value } : constantNode(expr.id, value);
}

/** Constants read nothing of their frame. */
const unusedFrame = { cost: 0, locals: [], variables: {} } as unknown as Frame;

export function compileMap(expr: MapExpr, compiler: Compiler): Node {
  const entries = expr.entries.map((entry) => ({
    key: compiler.compile(entry.key),
    value: compiler.compile(entry.value),
    optional: entry.optional,
  }));
  const { specification } = compiler.env.options;
  const build = (frame: Frame): Value => {
    const map = new MapBuilder();
    for (const entry of entries) {
      const key = entry.key.eval(frame);
      if (key instanceof Failure) return key;
      if (specification && (isDouble(key) || map.has(key))) return fail(`unsupported key: ${displayValue(key)}`, expr.id);
      const value = entry.value.eval(frame);
      if (value instanceof Failure) return value;
      const unwrapped = entry.optional ? unwrap(value, displayValue(key)) : value;
      if (unwrapped instanceof CelError) return labelled(unwrapped, expr.id);
      if (unwrapped === undefined) map.delete(key);
      else map.set(key, unwrapped);
    }
    return map.build();
  };
  const parts = entries.flatMap((entry) => [entry.key, entry.value]);
  const folded = fold(expr, parts, build, compiler);
  if (folded !== undefined) return folded;
  return {
    id: expr.id,
    eval: (frame) => {
      const value = build(frame);
      frame.cost += baseCosts.map;
      return value;
    },
  };
}

/** What is in the optional of an entry written `?key: value`; undefined: nothing. */
function unwrap(value: CelValue, key: string): CelValue | CelError | undefined {
  if (value instanceof Optional) return value.value;
  return new CelError(`cannot initialize optional entry '${key}' from non-optional value ${displayValue(value)}`);
}

export function compileStruct(expr: StructExpr, compiler: Compiler): Node {
  const reference = compiler.reference(expr.id);
  const fields = expr.fields.map((field) => ({ ...field, eval: compiler.compile(field.value).eval }));
  const create = reference?.kind === "struct" ? reference.declaration.create : undefined;
  const build = (frame: Frame): Value => {
    const values = new Map<string, CelValue>();
    for (const field of fields) {
      const value = field.eval(frame);
      if (value instanceof Failure) return value;
      const unwrapped = field.optional ? unwrap(value, field.name) : value;
      if (unwrapped instanceof CelError) return labelled(unwrapped, expr.id);
      if (unwrapped === undefined) values.delete(field.name);
      else values.set(field.name, unwrapped);
    }
    return labelled(create?.(values) ?? new CelError(`unknown type '${expr.typeName}'`), expr.id);
  };
  return {
    id: expr.id,
    eval: (frame) => {
      const value = build(frame);
      frame.cost += baseCosts.struct;
      return value;
    },
  };
}
