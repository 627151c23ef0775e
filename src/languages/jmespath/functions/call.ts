import { formatGoValue } from "../../../core/go-format.ts";
import type { Host } from "../../../core/host.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../core/json.ts";
import type { Node } from "../ast.ts";
import { type Evaluate, isNumber, settle } from "../compile.ts";
import { JmesPathError, type NotFound } from "../errors.ts";
import { JmesPathSyntaxError } from "../lexer.ts";
import type { Run } from "../run.ts";

/** The values that a parameter type lets through. */
export interface ArgumentTypes {
  readonly any: JsonValue;
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
  readonly array: readonly JsonValue[];
  readonly object: JsonObject;
  readonly strings: readonly string[];
  readonly numbers: readonly number[];
  readonly expression: (item: JsonValue) => JsonValue | NotFound;
}
export type ArgumentType = keyof ArgumentTypes;
/** One parameter: a type, or several of which one must fit. */
export type Parameter = ArgumentType | readonly ArgumentType[];
type Argument<P extends Parameter> = P extends readonly (infer T extends ArgumentType)[]
  ? ArgumentTypes[T]
  : P extends ArgumentType
    ? ArgumentTypes[P]
    : never;
type Arguments<P extends readonly Parameter[]> = { readonly [I in keyof P]: Argument<P[I]> };

/** A function as the compiler sees it: arguments are checked before `call`. */
export interface JmesFunction {
  readonly parameters: readonly Parameter[];
  /** The last parameter may be repeated. */
  readonly variadic: boolean;
  /** What is wrong with a literal first argument, so that a constant that can never work is found when compiling. */
  readonly literalProblem?: (literal: JsonValue) => string | undefined;
  readonly call: (args: readonly unknown[], host: Host) => JsonValue;
}
export type Functions = { readonly [name: string]: JmesFunction };

/** Declares a function; `implementation` gets arguments of the declared types. */
export function define<const P extends readonly Parameter[]>(
  parameters: P,
  implementation: (args: Arguments<P>, host: Host) => JsonValue,
): JmesFunction {
  // The types of `args` are established by `check` before each call.
  return { parameters, variadic: false, call: implementation as JmesFunction["call"] };
}

/** Declares a function whose last parameter may be repeated. */
export function defineVariadic<const T extends ArgumentType>(
  parameter: T,
  implementation: (args: readonly ArgumentTypes[T][]) => JsonValue,
): JmesFunction {
  return { parameters: [parameter], variadic: true, call: implementation as JmesFunction["call"] };
}

function fits(value: JsonValue, type: ArgumentType): boolean {
  switch (type) {
    case "any":
      return true;
    case "string":
    case "boolean":
      return typeof value === type;
    case "number":
      return isNumber(value);
    case "array":
      return isArray(value);
    case "object":
      return isObject(value);
    case "strings":
      return isArray(value) && value.every((item) => typeof item === "string");
    case "numbers":
      return isArray(value) && value.every(isNumber);
    case "expression":
      return false;
  }
}

/** Functions compute in float64, so a bigint becomes the nearest one. */
function convert(value: JsonValue, type: ArgumentType): JsonValue {
  if (type === "number" && typeof value === "bigint") return Number(value);
  if (type === "numbers" && isArray(value)) return value.map((item) => (typeof item === "bigint" ? Number(item) : item));
  return value;
}

function check(name: string, index: number, value: JsonValue, parameter: Parameter): JsonValue {
  const types: readonly ArgumentType[] = typeof parameter === "string" ? [parameter] : parameter;
  const type = types.find((t) => fits(value, t));
  if (type !== undefined) return convert(value, type);
  throw new JmesPathError(
    `JMESPath function '${name}': argument #${index + 1} is not of type ${types.join(" or ")}: ${formatGoValue(value)}`,
  );
}

type EvaluateArgument = (current: JsonValue, run: Run) => unknown;

/** Work grows with the length of lists and texts. */
function costOf(argument: unknown): number {
  if (typeof argument === "string") return argument.length >> 5;
  return Array.isArray(argument) ? argument.length : 0;
}

/** @throws JmesPathSyntaxError for an unknown function or a wrong number of arguments */
export function compileCall(
  node: Extract<Node, { kind: "call" }>,
  functions: Functions,
  compile: (node: Node) => Evaluate,
): Evaluate {
  const { name, offset } = node;
  const fn = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (fn === undefined) throw new JmesPathSyntaxError(`unknown function: ${name}`, offset);
  const { parameters, variadic, call } = fn;
  const enough = variadic ? node.args.length >= parameters.length : node.args.length === parameters.length;
  if (!enough && parameters.length > 0) {
    const wanted = `${variadic ? "at least " : ""}${parameters.length}`;
    throw new JmesPathSyntaxError(`${name}: incorrect number of args: ${node.args.length}, not ${wanted}`, offset);
  }
  const [first] = node.args;
  const problem = first?.kind === "literal" ? fn.literalProblem?.(first.value) : undefined;
  if (problem !== undefined) throw new JmesPathSyntaxError(`${name}: ${problem}`, offset);
  const last = parameters.at(-1) ?? "any";
  const args = node.args.map((arg, i): EvaluateArgument => {
    const parameter = parameters[i] ?? last;
    if (arg.kind === "reference") {
      if (parameter !== "expression") throw new JmesPathSyntaxError(`${name}: argument #${i + 1} is no expression`, arg.offset);
      const body = compile(arg.operand);
      return (_, run) => (item: JsonValue) => body(item, run);
    }
    const value = compile(arg);
    return (current, run) => check(name, i, settle(value(current, run)), parameter);
  });
  return (current, run) => {
    const values = args.map((arg) => arg(current, run));
    run.spend(values.reduce<number>((steps, value) => steps + costOf(value), 1));
    return call(values, run.host);
  };
}
