import { type Expr, type FoldExpr, isBinding, operators } from "../ast.ts";
import type { FoldVariables } from "../checker.ts";
import { baseCosts } from "../cost/model.ts";
import { elementAt, mapFind, mapKeys } from "../values/containers.ts";
import { goTypeOf } from "../values/go-type.ts";
import { type CelError, type CelValue, Failure, isList, isMap, type Value } from "../values/value.ts";
import type { Compiler, Node } from "./compiler.ts";
import { type Eval, type Frame, fail, mergeFailures } from "./frame.ts";

export function compileFold(expr: FoldExpr, compiler: Compiler): Node {
  return isBinding(expr) ? compileBinding(expr, compiler) : compileLoop(expr, compiler);
}

/** `cel.bind`: the value is computed when it is first read, and once. */
function compileBinding(expr: FoldExpr, compiler: Compiler): Node {
  const range = compiler.compile(expr.range);
  const slot = compiler.declare(compiler.foldVariables(expr.id).accu, compiler.compile(expr.init).eval);
  const result = compiler.compile(expr.result);
  return {
    id: expr.id,
    eval: (frame) => {
      range.eval(frame);
      frame.locals[slot] = undefined;
      return result.eval(frame);
    },
  };
}

/** Walks a list or map, setting the loop's variables; `turn` says whether to go on. */
type Walk = (range: CelValue, frame: Frame, turn: (frame: Frame) => boolean) => CelError | undefined;

function walker(expr: FoldExpr, first: number, second: number | undefined): Walk {
  return (range, frame, turn) => {
    const { locals } = frame;
    if (isList(range)) {
      for (let i = 0; i < range.length; i++) {
        const element = elementAt(range, i);
        locals[first] = second === undefined ? element : i;
        if (second !== undefined) locals[second] = element;
        frame.checkLimit();
        if (!turn(frame)) return undefined;
      }
      return undefined;
    }
    if (!isMap(range)) {
      const type = goTypeOf(range);
      if (second !== undefined) return fail(`unsupported comprehension range type: ${type}`, expr.id);
      return fail(`got '${type}', expected iterable type`, expr.range.id);
    }
    for (const key of mapKeys(range)) {
      locals[first] = key;
      if (second !== undefined) locals[second] = mapFind(range, key);
      frame.checkLimit();
      if (!turn(frame)) return undefined;
    }
    return undefined;
  };
}

function compileLoop(expr: FoldExpr, compiler: Compiler): Node {
  const range = compiler.compile(expr.range);
  const variables = compiler.foldVariables(expr.id);
  const init = compiler.compile(expr.init);
  const accu = compiler.declare(variables.accu);
  const first = compiler.declare(variables.first);
  const second = variables.second === undefined ? undefined : compiler.declare(variables.second);
  const walk = walker(expr, first, second);
  const loop =
    quantifierLoop(expr, variables, compiler, walk) ??
    appendLoop(expr, variables, compiler, walk, init) ??
    generalLoop(expr, compiler, walk, init, accu);
  return {
    id: expr.id,
    eval: (frame) => {
      const over = range.eval(frame);
      return over instanceof Failure ? over : loop(over, frame);
    },
  };
}

type Loop = (range: CelValue, frame: Frame) => Value;

function generalLoop(expr: FoldExpr, compiler: Compiler, walk: Walk, init: Node, accu: number): Loop {
  const condition = compiler.compile(expr.condition);
  const step = compiler.compile(expr.step);
  const result = compiler.compile(expr.result);
  return (range, frame) => {
    frame.locals[accu] = init.eval(frame);
    const error = walk(range, frame, (f) => {
      if (condition.eval(f) === false) return false;
      f.locals[accu] = step.eval(f);
      return true;
    });
    return error ?? result.eval(frame);
  };
}

function isAccu(expr: Expr | undefined, variables: FoldVariables): boolean {
  return expr?.kind === "ident" && expr.name === variables.accu.name;
}

/** `all` and `exists`: the accumulator is a boolean that need not be looked up; its lookups are still counted. */
function quantifierLoop(expr: FoldExpr, variables: FoldVariables, compiler: Compiler, walk: Walk): Loop | undefined {
  const { init, condition, step } = expr;
  if (init.kind !== "literal" || typeof init.value !== "boolean" || !isAccu(expr.result, variables)) return undefined;
  if (condition.kind !== "call" || condition.function !== operators.notStrictlyFalse || step.kind !== "call") return undefined;
  const neutral = init.value;
  const [left, predicateExpr] = step.args;
  if (step.function !== (neutral ? operators.and : operators.or) || !isAccu(left, variables)) return undefined;
  if (predicateExpr === undefined || !isQuantifierCondition(condition.args[0], neutral, variables)) return undefined;
  const predicate = compiler.compile(predicateExpr).eval;
  // `@not_strictly_false(accu)`, or `@not_strictly_false(!accu)`, then `accu` again in the step.
  const conditionCost = neutral ? 2 : 3;
  const decided = !neutral;
  return (range, frame) => {
    let accu: Value = neutral;
    const error = walk(range, frame, (f) => {
      f.cost += conditionCost;
      if (accu === decided) return false;
      f.cost++;
      const value = predicate(f);
      accu = value === decided ? decided : mergeFailures(accu, value, neutral, step.id);
      return true;
    });
    if (error !== undefined) return error;
    frame.cost++;
    return accu;
  };
}

function isQuantifierCondition(expr: Expr | undefined, neutral: boolean, variables: FoldVariables): boolean {
  if (neutral) return isAccu(expr, variables);
  return expr?.kind === "call" && expr.function === operators.not && isAccu(expr.args[0], variables);
}

/** `map`, `filter` and `transformList`: elements are pushed onto one list instead of joining lists. */
function appendLoop(expr: FoldExpr, variables: FoldVariables, compiler: Compiler, walk: Walk, init: Node): Loop | undefined {
  const { condition, step, result } = expr;
  if (expr.init.kind !== "list" || expr.init.elements.length > 0 || !isAccu(result, variables)) return undefined;
  if (condition.kind !== "literal" || condition.value !== true || step.kind !== "call") return undefined;
  const filtered = step.function === operators.conditional;
  const add = filtered ? step.args[1] : step;
  if (filtered && !isAccu(step.args[2], variables)) return undefined;
  if (add?.kind !== "call" || add.function !== operators.add || !isAccu(add.args[0], variables)) return undefined;
  const list = add.args[1];
  const elementExpr = list?.kind === "list" && list.optional.size === 0 ? list.elements[0] : undefined;
  if (list?.kind !== "list" || list.elements.length !== 1 || elementExpr === undefined) return undefined;
  const filter = filtered && step.args[0] !== undefined ? compiler.compile(step.args[0]).eval : undefined;
  const element = compiler.compile(elementExpr);
  // The accumulator's lookup, the list of one, and the concatenation.
  const folded = element.constant !== undefined && compiler.env.options.foldConstants;
  const append: Append = { element: element.eval, filter, cost: 2 + (folded ? 0 : baseCosts.list), exprId: step.id };
  return (range, frame) => {
    init.eval(frame);
    const items: CelValue[] = [];
    let failure: Failure | undefined;
    const error = walk(range, frame, (f) => {
      // After a failure the accumulator stays one, but everything is still evaluated and counted.
      failure = appendOne(append, f, items, failure);
      return true;
    });
    if (error !== undefined) return error;
    frame.cost++;
    return failure ?? items;
  };
}

interface Append {
  readonly element: Eval;
  readonly filter: Eval | undefined;
  readonly cost: number;
  readonly exprId: number;
}

function appendOne(append: Append, frame: Frame, items: CelValue[], failure: Failure | undefined): Failure | undefined {
  if (append.filter !== undefined) {
    const keep = append.filter(frame);
    if (keep === false) return failure;
    if (keep !== true) return keep instanceof Failure ? keep : fail("no such overload", append.exprId);
  }
  const value = append.element(frame);
  frame.cost += append.cost;
  if (failure !== undefined) return failure;
  if (value instanceof Failure) return value;
  items.push(value);
  return undefined;
}
