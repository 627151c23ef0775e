import { accumulator, type Expr, operators } from "./ast.ts";
import { type Macro, type MacroBuilder, MacroError, variableName } from "./macro.ts";

/** Old spelling of the accumulator's name, kept free by cel-go too. */
const oldAccumulator = "__result__";

/** The iteration variable of a macro, or why the argument cannot name one. */
function iterationVariable(arg: Expr, notAName: string): string | MacroError {
  const name = variableName(arg);
  if (name === undefined) return new MacroError(arg, notAName);
  if (name !== accumulator && name !== oldAccumulator) return name;
  return new MacroError(arg, "iteration variable overwrites accumulator variable");
}

export interface Quantifier {
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** How each quantifier folds its predicate. */
export const quantifiers = {
  all: (build: MacroBuilder, predicate: Expr): Quantifier => ({
    init: build.bool(true),
    condition: build.call(operators.notStrictlyFalse, build.accu()),
    step: build.call(operators.and, build.accu(), predicate),
    result: build.accu(),
  }),
  exists: (build: MacroBuilder, predicate: Expr): Quantifier => ({
    init: build.bool(false),
    condition: build.call(operators.notStrictlyFalse, build.call(operators.not, build.accu())),
    step: build.call(operators.or, build.accu(), predicate),
    result: build.accu(),
  }),
  existsOne: (build: MacroBuilder, predicate: Expr): Quantifier => ({
    init: build.int(0),
    condition: build.bool(true),
    step: build.call(operators.conditional, predicate, build.call(operators.add, build.accu(), build.int(1)), build.accu()),
    result: build.call(operators.equals, build.accu(), build.int(1)),
  }),
} as const;

/** `accu + [element]`, where `filter` holds. */
export function appendStep(build: MacroBuilder, element: Expr, filter: Expr | undefined): Expr {
  const step = build.call(operators.add, build.accu(), build.list(element));
  return filter === undefined ? step : build.call(operators.conditional, filter, step, build.accu());
}

function quantifierMacro(name: string, kind: keyof typeof quantifiers): Macro {
  return {
    name,
    receiver: true,
    argCount: 2,
    expand(build, target, [variable, predicate]) {
      if (variable === undefined || predicate === undefined) return undefined;
      const iterVar = iterationVariable(variable, "argument must be a simple name");
      if (iterVar instanceof MacroError) return iterVar;
      return build.fold({ range: target, iterVar, ...quantifiers[kind](build, predicate) });
    },
  };
}

/** The list comprehension that `map` and `filter` are. */
function expandList(build: MacroBuilder, target: Expr, variable: Expr, element: Expr, filter: Expr | undefined) {
  const iterVar = iterationVariable(variable, "argument is not an identifier");
  if (iterVar instanceof MacroError) return iterVar;
  const init = build.list();
  const condition = build.bool(true);
  return build.fold({ range: target, iterVar, init, condition, step: appendStep(build, element, filter), result: build.accu() });
}

export const standardMacros: readonly Macro[] = [
  {
    name: "has",
    receiver: false,
    argCount: 1,
    expand(build, _target, [arg]) {
      if (arg === undefined) return undefined;
      return arg.kind === "select" && !arg.test ? build.presence(arg) : new MacroError(arg, "invalid argument to has() macro");
    },
  },
  quantifierMacro("all", "all"),
  quantifierMacro("exists", "exists"),
  quantifierMacro("exists_one", "existsOne"),
  {
    name: "map",
    receiver: true,
    argCount: 2,
    expand: (build, target, [variable, element]) =>
      variable && element ? expandList(build, target, variable, element, undefined) : undefined,
  },
  {
    name: "map",
    receiver: true,
    argCount: 3,
    expand: (build, target, [variable, filter, element]) =>
      variable && filter && element ? expandList(build, target, variable, element, filter) : undefined,
  },
  {
    name: "filter",
    receiver: true,
    argCount: 2,
    expand: (build, target, [variable, filter]) =>
      variable && filter ? expandList(build, target, variable, variable, filter) : undefined,
  },
];
