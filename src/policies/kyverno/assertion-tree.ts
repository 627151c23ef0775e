import type { Host } from "../../core/host.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, jsonEquals } from "../../core/json.ts";
import { type BoundJmesPathProgram, compileBoundJmesPath, JmesPathError, NotFound } from "../../languages/jmespath/index.ts";
import type { Budget } from "../budget.ts";

type Bindings = ReadonlyMap<string, JsonValue>;

/** One leaf or branch that does not hold; `path` names keys of the tree, expressions included. */
export interface AssertionFailure {
  readonly path: JsonPath;
  readonly message: string;
}

export interface AssertionRun {
  readonly host: Host;
  readonly budget: Budget;
}

/**
 * A compiled assertion tree: the failures, none when it holds.
 * @throws JmesPathError where an expression cannot be evaluated, or `~` meets neither a list nor an object
 */
export type AssertionTree = (value: JsonValue, run: AssertionRun) => readonly AssertionFailure[];

/** A tree that cannot be compiled. */
export class AssertionSyntaxError extends Error {
  readonly path: JsonPath;

  constructor(message: string, path: JsonPath) {
    super(message);
    this.path = path;
  }
}

type Assertion = (value: JsonValue, path: JsonPath, bindings: Bindings, run: AssertionRun) => readonly AssertionFailure[];

/** `~name.(statement)->binding` or plain text between backslashes. */
interface Expression {
  readonly each: boolean;
  readonly eachName: string | undefined;
  readonly binding: string | undefined;
  /** JMESPath where the statement stood in parentheses. */
  readonly program: BoundJmesPathProgram | undefined;
  readonly statement: string;
}

function parseExpression(source: string, path: JsonPath): Expression {
  const loop = /^~(\w+)?\.(.*)$/s.exec(source);
  const withoutLoop = loop === null ? source : (loop[2] ?? "");
  const bound = /^(.*?)\s*->\s*(\w+)$/s.exec(withoutLoop);
  const text = bound === null ? withoutLoop : (bound[1] ?? "");
  const escaped = /^\\(.+)\\$/s.exec(text);
  const evaluated = escaped === null ? /^\((?:(\w+);)?(.+)\)$/s.exec(text) : null;
  const common = { each: loop !== null, eachName: loop?.[1], binding: bound?.[2] };
  if (evaluated === null) return { ...common, program: undefined, statement: escaped?.[1] ?? text };
  const engine = evaluated[1] ?? "jp";
  if (engine !== "jp") throw new AssertionSyntaxError(`the expression engine ${JSON.stringify(engine)} is not supported`, path);
  const statement = evaluated[2] ?? "";
  const compiled = compileBoundJmesPath(statement);
  if (!compiled.ok) throw new AssertionSyntaxError(compiled.diagnostics[0]?.message ?? "bad expression", path);
  return { ...common, program: compiled.value, statement };
}

/** What a key selects of the value: an expression's result, or the member of that name (null where there is none). */
function project({ program, statement }: Expression, value: JsonValue, bindings: Bindings, run: AssertionRun): JsonValue {
  if (program !== undefined) {
    const result = program(value, run.host, bindings);
    return result instanceof NotFound ? null : result;
  }
  return isObject(value) && Object.hasOwn(value, statement) ? (value[statement] ?? null) : null;
}

function bind(bindings: Bindings, name: string | undefined, value: JsonValue): Bindings {
  return name === undefined ? bindings : new Map(bindings).set(name, value);
}

function compileMember(key: string, assertion: JsonValue, path: JsonPath): Assertion {
  const expression = parseExpression(key, path);
  const inner = compileNode(assertion, path);
  return (value, at, bindings, run) => {
    const projected = project(expression, value, bindings, run);
    const here = [...at, key];
    if (!expression.each) return inner(projected, here, bind(bindings, expression.binding, projected), run);
    if (!isArray(projected) && !isObject(projected)) throw new JmesPathError(`${key}: expected a list or an object`);
    return elementsOf(projected).flatMap(([index, element]) => {
      const bound = bind(bind(bindings, expression.eachName, index), expression.binding, element);
      return inner(element, [...here, index], bound, run);
    });
  };
}

function elementsOf(value: readonly JsonValue[] | JsonObject): readonly (readonly [string | number, JsonValue])[] {
  return isArray(value) ? value.map((v, i) => [i, v] as const) : Object.entries(value).map(([k, v]) => [k, v ?? null] as const);
}

function compileMap(tree: JsonObject, path: JsonPath): Assertion {
  const members = Object.entries(tree).map(([key, assertion]) => compileMember(key, assertion ?? null, [...path, key]));
  if (members.length === 0) {
    return (value, at) => (value === null ? [{ path: at, message: "Invalid value: null: invalid value, must not be null" }] : []);
  }
  return (value, at, bindings, run) => {
    run.budget.spend(members.length);
    return members.flatMap((member) => member(value, at, bindings, run));
  };
}

function compileList(tree: readonly JsonValue[], path: JsonPath): Assertion {
  const items = tree.map((item, i) => compileNode(item, [...path, i]));
  return (value, at, bindings, run) => {
    if (!isArray(value)) return [{ path: at, message: `Invalid value: ${show(value)}: expected a slice` }];
    if (value.length !== items.length) {
      return [{ path: at, message: `Invalid value: ${show(value)}: lengths of slices don't match` }];
    }
    run.budget.spend(items.length);
    return items.flatMap((item, i) => item(value[i] ?? null, [...at, i], bindings, run));
  };
}

const show = (value: JsonValue) => JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));

function compileScalar(tree: JsonValue, path: JsonPath): Assertion {
  const expression = typeof tree === "string" ? parseExpression(tree, path) : undefined;
  if (expression?.each === true) throw new AssertionSyntaxError("foreach is not supported on the right side", path);
  if (expression?.binding !== undefined) throw new AssertionSyntaxError("binding is not supported on the right side", path);
  return (value, at, bindings, run) => {
    const expected = expression === undefined ? tree : expectation(expression, value, bindings, run);
    return matches(expected, value)
      ? []
      : [{ path: at, message: `Invalid value: ${show(value)}: Expected value: ${show(expected)}` }];
  };
}

function expectation(expression: Expression, value: JsonValue, bindings: Bindings, run: AssertionRun): JsonValue {
  return expression.program === undefined ? expression.statement : project(expression, value, bindings, run);
}

/** Objects match when every expected member does; lists item by item; scalars when they are equal. */
function matches(expected: JsonValue, actual: JsonValue): boolean {
  if (isArray(expected)) {
    return isArray(actual) && actual.length === expected.length && expected.every((e, i) => matches(e, actual[i] ?? null));
  }
  if (!isObject(expected)) return jsonEquals(expected, actual);
  return (
    isObject(actual) &&
    Object.entries(expected).every(([k, e]) => Object.hasOwn(actual, k) && matches(e ?? null, actual[k] ?? null))
  );
}

function compileNode(tree: JsonValue, path: JsonPath): Assertion {
  if (isArray(tree)) return compileList(tree, path);
  return isObject(tree) ? compileMap(tree, path) : compileScalar(tree, path);
}

/**
 * Compiles an assertion tree (kyverno-json): keys project the value and hand the result down, all comparisons happen in
 * the leaves. `(expr)` is JMESPath, `~.key` asserts on every element, `->name` binds for what is below, `\(text)\` is text.
 * @throws AssertionSyntaxError
 */
export function compileAssertionTree(tree: JsonValue): AssertionTree {
  const assertion = compileNode(tree, []);
  return (value, run) => assertion(value, [], new Map(), run);
}
