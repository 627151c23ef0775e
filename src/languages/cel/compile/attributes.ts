import { type CallExpr, type Expr, operators, type SelectExpr } from "../ast.ts";
import { isDyn, isOptionalType } from "../types.ts";
import { Failure, Optional, type Value } from "../values/value.ts";
import { type Compiler, constantNode, type Node, typeValue } from "./compiler.ts";
import { type Eval, type Frame, fail } from "./frame.ts";
import {
  computedStep,
  followOptional,
  keyProblem,
  keyStep,
  type OptionalStep,
  optionalStep,
  presenceStep,
  present,
  type Step,
  selectStep,
} from "./qualify.ts";

/** A node whose value is looked up: reading it costs 1 on top of the steps that lead to it. */
function attribute(id: number, resolve: Eval): Node {
  return {
    id,
    resolve,
    eval: (frame) => {
      frame.cost++;
      return resolve(frame);
    },
  };
}

/** cel-go takes every name whose value is a type for the name of that type, and knows no such type. */
function refuseTypeVariable(name: string, expr: Expr, compiler: Compiler): void {
  if (compiler.env.options.specification || compiler.type(expr).kind !== "type") return;
  compiler.fail(expr.id, `reference to undefined type: ${name}`);
}

export function compileIdent(expr: Expr, compiler: Compiler): Node {
  const reference = compiler.reference(expr.id);
  switch (reference?.kind) {
    case "local": {
      refuseTypeVariable(reference.variable.name, expr, compiler);
      const { index, init } = compiler.slot(reference.variable);
      if (init === undefined) return attribute(expr.id, (frame) => frame.locals[index] ?? null);
      return attribute(expr.id, (frame) => {
        const known = frame.locals[index];
        if (known !== undefined) return known;
        const value = init(frame);
        frame.locals[index] = value;
        return value;
      });
    }
    case "variable": {
      const { name } = reference;
      refuseTypeVariable(name, expr, compiler);
      return attribute(expr.id, (frame) => frame.variables[name] ?? unbound(frame, name, expr.id));
    }
    case "constant":
      return constantNode(expr.id, reference.value);
    case "struct":
      return constantNode(expr.id, typeValue(reference.declaration.type));
    case "undeclared": {
      const { message } = reference;
      return attribute(expr.id, () => fail(message, expr.id));
    }
    default:
      throw new Error("a name was not resolved");
  }
}

function unbound(frame: Frame, name: string, exprId: number): Value {
  return frame.variables[name] === null ? null : fail(`no such attribute(s): ${name}`, exprId);
}

/** One link of `root.a[0].?b`. */
interface Link {
  readonly id: number;
  /** The key as text where it is a field name, else what computes it. */
  readonly key: { readonly name: string } | { readonly node: Node };
  readonly kind: "plain" | "optional" | "test";
}

export function compileSelect(expr: SelectExpr, compiler: Compiler): Node {
  return compilePath(expr, compiler);
}

/** Undefined for calls that are no access. */
export function compileIndex(expr: CallExpr, compiler: Compiler): Node | undefined {
  if (compiler.reference(expr.id)?.kind !== "function") return undefined;
  return isAccess(expr) ? compilePath(expr, compiler) : undefined;
}

function isAccess(expr: CallExpr): boolean {
  return (
    expr.function === operators.index || expr.function === operators.optionalIndex || expr.function === operators.optionalSelect
  );
}

/** Takes an access path apart, from the outside in, so that it is followed in one go. */
function linksOf(expr: Expr, compiler: Compiler, links: Link[]): Expr {
  if (expr.kind === "select" && compiler.reference(expr.id) === undefined) {
    const root = linksOf(expr.operand, compiler, links);
    links.push({ id: expr.id, key: { name: expr.field }, kind: expr.test ? "test" : "plain" });
    return root;
  }
  if (expr.kind === "call" && isAccess(expr) && compiler.reference(expr.id)?.kind === "function") {
    const [operand, key] = expr.args;
    if (operand === undefined || key === undefined) throw new Error("an access has an operand and a key");
    const root = linksOf(operand, compiler, links);
    const kind = expr.function === operators.index ? "plain" : "optional";
    const node = compiler.compile(key);
    const problem = node.constant === undefined ? undefined : keyProblem(node.constant.value);
    if (problem !== undefined) compiler.fail(key.id, problem);
    links.push({ id: expr.id, key: { node }, kind });
    return root;
  }
  return expr;
}

function compilePath(expr: Expr, compiler: Compiler): Node {
  const links: Link[] = [];
  const rootExpr = linksOf(expr, compiler, links);
  const root = compiler.compile(rootExpr);
  // A conditional hands its own lookups on, and itself costs nothing.
  const free = rootExpr.kind === "call" && rootExpr.function === operators.conditional;
  const start = root.resolve ?? root.eval;
  const test = links.at(-1)?.kind === "test";
  const extra = (free ? 0 : 1) - (test && !compiler.env.options.presenceTestCosts ? 1 : 0);
  const resolve = resolver(start, rootExpr, links, compiler);
  return {
    id: expr.id,
    resolve,
    eval: (frame) => {
      const value = resolve(frame);
      frame.cost += extra;
      return value;
    },
  };
}

function resolver(start: Eval, rootExpr: Expr, links: readonly Link[], compiler: Compiler): Eval {
  const strict = compiler.env.options.specification;
  if (links.some((link) => link.kind === "optional")) {
    // Steps before the first optional one are plain, unless the root already is optional.
    const firstOptional = links.findIndex((link) => link.kind === "optional");
    const plain = plainSteps(links.slice(0, firstOptional), strict);
    const rest = optionalPath(links.slice(firstOptional), strict);
    const whole = optionalPath(links, strict);
    return (frame) => {
      const root = start(frame);
      if (root instanceof Optional) return whole(root, frame);
      const value = plain(root, frame);
      return value instanceof Failure ? value : rest(value, frame);
    };
  }
  const plain = plainSteps(links, strict);
  const type = compiler.type(rootExpr);
  if (!isDyn(type) && !isOptionalType(type)) return (frame) => plain(start(frame), frame);
  let whole: Step | undefined;
  return (frame) => {
    const root = start(frame);
    if (!(root instanceof Optional)) return plain(root, frame);
    whole ??= optionalPath(links, strict);
    return whole(root, frame);
  };
}

function plainSteps(links: readonly Link[], strict: boolean): Step {
  const steps = links.map((link) => plainStep(link, strict));
  const [first, second, third] = steps;
  if (first === undefined) return (value) => value;
  if (second === undefined) return first;
  if (third === undefined) return (value, frame) => second(first(value, frame), frame);
  if (steps.length === 3) return (value, frame) => third(second(first(value, frame), frame), frame);
  return (value, frame) => {
    let current = value;
    for (const step of steps) current = step(current, frame);
    return current;
  };
}

function plainStep({ id, key, kind }: Link, strict: boolean): Step {
  if ("name" in key) return kind === "test" ? presenceStep(key.name, id, strict) : selectStep(key.name, id);
  const { node } = key;
  if (node.constant === undefined) return computedStep(node.resolve ?? node.eval, id);
  const { value } = node.constant;
  return typeof value === "string" ? selectStep(value, id) : keyStep(value, id);
}

function optionalPath(links: readonly Link[], strict: boolean): Step {
  const test = links.at(-1)?.kind === "test" ? links.at(-1) : undefined;
  const steps: readonly OptionalStep[] = (test === undefined ? links : links.slice(0, -1)).map(({ id, key }) => {
    if ("name" in key) {
      const { name } = key;
      return optionalStep(() => name, id, strict);
    }
    return optionalStep(key.node.resolve ?? key.node.eval, id, strict);
  });
  return (value, frame) => {
    if (value instanceof Failure) return value;
    const reached = followOptional(value, steps, frame);
    if (test === undefined || !("name" in test.key) || !(reached instanceof Optional)) return reached;
    if (reached.value === undefined) return false;
    const found = present(reached.value, test.key.name, strict);
    if (found === true) frame.cost++;
    return found;
  };
}
