import type { CallExpr } from "../ast.ts";
import type { Reference } from "../checker.ts";
import type { Implementation } from "../declarations.ts";
import { Failure, type Value } from "../values/value.ts";
import { callCost } from "./call-cost.ts";
import { type Compiler, constantNode, type Node } from "./compiler.ts";
import { dispatcher, guarded } from "./dispatch.ts";
import { type Eval, type Frame, fail, labelled } from "./frame.ts";
import { compileOperator } from "./operators.ts";
import { compilePattern } from "./patterns.ts";

export type FunctionReference = Extract<Reference, { kind: "function" }>;

const conversions = new Set(["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"]);

export function compileCall(expr: CallExpr, compiler: Compiler): Node {
  const reference = compiler.reference(expr.id);
  if (reference?.kind === "undeclared") {
    const { message } = reference;
    return { id: expr.id, eval: () => fail(message, expr.id) };
  }
  if (reference?.kind !== "function") throw new Error("a call was not resolved");
  const targets = reference.receiver && expr.target !== undefined ? [expr.target] : [];
  const args = [...targets, ...expr.args].map((arg) => compiler.compile(arg));
  return (
    compileOperator(expr, reference, args, compiler) ??
    foldConversion(expr, reference, args, compiler) ??
    compileFunction(expr, reference, args, compiler)
  );
}

/** A conversion of a constant is done now; where it fails there is no program. */
function foldConversion(
  expr: CallExpr,
  reference: FunctionReference,
  args: readonly Node[],
  compiler: Compiler,
): Node | undefined {
  const [arg] = args;
  if (!compiler.env.options.foldConstants || arg?.constant === undefined || args.length !== 1) return undefined;
  if (!conversions.has(reference.declaration.name)) return undefined;
  const value = implementationOf(reference, 1).call([arg.constant.value], noOutside);
  if (value instanceof Failure) compiler.fail(expr.id, "message" in value ? String(value.message) : "no value");
  return constantNode(expr.id, value);
}

/** Conversions ask nothing of their surroundings. */
const noOutside = {
  facts: { get: () => undefined },
  host: { now: () => 0, random: () => 0 },
};

/** How a call is computed: by one overload, by the function for all its overloads, or by the values it gets. */
function implementationOf(reference: FunctionReference, arity: number): Invocation {
  const { declaration, overloads } = reference;
  if (declaration.implementation !== undefined) return invocation(declaration.implementation);
  const [only, another] = overloads;
  if (only?.implementation !== undefined && another === undefined) {
    const checked = declaration.unguarded === true ? only.implementation : guarded(declaration.name, only, only.implementation);
    return invocation(checked);
  }
  return { variadic: true, call: dispatcher(declaration, arity) };
}

interface Invocation {
  /** Whether arguments after a failed one are left alone, and the call then costs nothing. */
  readonly variadic: boolean;
  readonly call: (args: readonly Value[], outside: Frame["outside"]) => Value;
}

function invocation(implementation: Implementation): Invocation {
  switch (implementation.arity) {
    case 1: {
      const { call } = implementation;
      return { variadic: false, call: ([a = null], outside) => (a instanceof Failure ? a : call(a, outside)) };
    }
    case 2: {
      const { call } = implementation;
      return {
        variadic: false,
        call: ([a = null, b = null], outside) => {
          if (a instanceof Failure) return a;
          return b instanceof Failure ? b : call(a, b, outside);
        },
      };
    }
    default: {
      const { call } = implementation;
      return { variadic: true, call: (args, outside) => firstFailure(args) ?? call(args.filter(isValue), outside) };
    }
  }
}

function isValue<T>(value: T | Failure): value is T {
  return !(value instanceof Failure);
}

function firstFailure(args: readonly Value[]): Failure | undefined {
  return args.find((arg) => arg instanceof Failure);
}

function compileFunction(expr: CallExpr, reference: FunctionReference, args: readonly Node[], compiler: Compiler): Node {
  const { id } = expr;
  const pattern = compilePattern(expr, reference, args, compiler);
  const { variadic, call } = pattern ?? implementationOf(reference, args.length);
  const cost = callCost(reference, compiler);
  const evals = args.map((arg) => arg.eval);
  const [first, second] = evals;
  if (!variadic && first !== undefined && second === undefined) {
    return { id, eval: unary(id, first, call, cost) };
  }
  if (!variadic && first !== undefined && second !== undefined) {
    return {
      id,
      eval: (frame) => {
        const values = [first(frame), second(frame)];
        const result = labelled(call(values, frame.outside), id);
        frame.cost += cost === 1 ? 1 : cost(values, result);
        return result;
      },
    };
  }
  return { id, eval: inTurn(id, evals, call, cost) };
}

type Cost = ReturnType<typeof callCost>;

function unary(id: number, arg: Eval, call: Invocation["call"], cost: Cost): Eval {
  return (frame) => {
    const values = [arg(frame)];
    const result = labelled(call(values, frame.outside), id);
    frame.cost += cost === 1 ? 1 : cost(values, result);
    return result;
  };
}

/** Arguments one after the other; the first that fails ends it, and unless it is the last one nothing is counted. */
function inTurn(id: number, args: readonly Eval[], call: Invocation["call"], cost: Cost): Eval {
  return (frame) => {
    const values: Value[] = [];
    for (const arg of args) {
      const value = arg(frame);
      values.push(value);
      if (!(value instanceof Failure)) continue;
      if (values.length === args.length) frame.cost += cost === 1 ? 1 : cost(values, value);
      return value;
    }
    const result = labelled(call(values, frame.outside), id);
    frame.cost += cost === 1 ? 1 : cost(values, result);
    return result;
  };
}
