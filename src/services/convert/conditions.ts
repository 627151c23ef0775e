import { isArray, isObject, type JsonValue, member } from "../../core/json.ts";
import type { KubernetesSchemas, Schema } from "../../core/schema.ts";
import { containsWildcard } from "../../core/wildcard.ts";
import type { Node } from "../../languages/jmespath/ast.ts";
import { parse } from "../../languages/jmespath/parser.ts";
import {
  allOf,
  anyOf,
  type CelText,
  fitsWildcard,
  hasMember,
  NotConvertible,
  not,
  optionalMember,
  primary,
  quoted,
  relation,
} from "./cel-text.ts";
import { valueTypeOf } from "./scalar-pattern.ts";

/** Where a rule's expressions stand. */
export interface ConditionScope {
  readonly schema: Schema | undefined;
  readonly schemas: KubernetesSchemas;
  /** Whether deletions are judged: then the object is the old one. */
  readonly deletes: boolean;
}

type Typed =
  | { readonly kind: "text"; readonly cel: string }
  | { readonly kind: "number"; readonly cel: string }
  | { readonly kind: "boolean"; readonly cel: string };

/** A path through the object, with the steps that lead there. */
interface ObjectPath {
  readonly steps: readonly (string | number)[];
}

const wholeVariable = /^\s*\{\{(?!.*\{\{)(.*)\}\}\s*$/s;

/** The steps of `request.object.a.b[0]`; undefined for anything else. */
function pathOf(node: Node): ObjectPath | undefined {
  if (node.kind === "field") return { steps: [node.name] };
  if (node.kind === "index") return node.index >= 0 ? { steps: [node.index] } : undefined;
  if (node.kind !== "chain") return undefined;
  const left = pathOf(node.left);
  const right = pathOf(node.right);
  return left === undefined || right === undefined ? undefined : { steps: [...left.steps, ...right.steps] };
}

function schemaAt(scope: ConditionScope, steps: readonly (string | number)[]): Schema | undefined {
  let schema = scope.schema;
  for (const step of steps) schema = schema === undefined ? undefined : scope.schemas.child(schema, step);
  return schema;
}

const rootOf = ({ deletes }: ConditionScope): string => (deletes ? "(object != null ? object : oldObject)" : "object");

/** A member of the object as an optional; the first step is always there. */
function optionalAt(scope: ConditionScope, [first = "", ...rest]: readonly (string | number)[]): string {
  const start = optionalMember(rootOf(scope), String(first));
  return rest.reduce<string>((at, step) => (typeof step === "number" ? `${at}[?${step}]` : optionalMember(at, step)), start);
}

/** A member that has to be there. */
function requiredAt(scope: ConditionScope, steps: readonly (string | number)[]): string {
  return steps.reduce<string>((at, step) => (typeof step === "number" ? `${at}[${step}]` : plainMember(at, step)), rootOf(scope));
}

const plainMember = (at: string, name: string): string => optionalMember(at, name).replace(".?", ".").replace("[?", "[");

function objectPath(node: Node): readonly (string | number)[] | undefined {
  const path = pathOf(node);
  if (path?.steps[0] !== "request" || path.steps[1] !== "object" || path.steps.length < 3) return undefined;
  return path.steps.slice(2);
}

function isOperation(node: Node): boolean {
  return pathOf(node)?.steps.join(".") === "request.operation";
}

const refuse = (source: string): never => {
  throw new NotConvertible(`the expression {{ ${source.trim()} }} has no like that is known`);
};

function typedOf(cel: string, schema: Schema | undefined, source: string): Typed {
  switch (valueTypeOf(schema)) {
    case "string":
      return { kind: "text", cel };
    case "integer":
      return { kind: "number", cel };
    case "boolean":
      return { kind: "boolean", cel };
    default:
      throw new NotConvertible(`the type of {{ ${source.trim()} }} is not known`);
  }
}

/** Paths of a list: `a.b`, `a.b[]`. */
function listPath(node: Node): readonly (string | number)[] | undefined {
  if (node.kind === "flatten") return objectPath(node.left);
  if (node.kind === "projection" && node.right.kind === "current" && node.left.kind === "flatten")
    return objectPath(node.left.left);
  return objectPath(node);
}

const isCurrent = (node: Node | undefined): boolean => node?.kind === "current";

/** The object of `keys(path)` or `path.keys(@)`, which has to be there on both sides. */
function keysOf(node: Node, scope: ConditionScope): string | undefined {
  const [call, owner] = node.kind === "chain" ? [node.right, node.left] : [node, undefined];
  if (call.kind !== "call" || call.name !== "keys") return undefined;
  const [argument] = call.args;
  const path = owner === undefined ? argument : isCurrent(argument) ? owner : undefined;
  const steps = path === undefined ? undefined : objectPath(path);
  return steps === undefined ? undefined : requiredAt(scope, steps);
}

/** `keys(path) | contains(@, 'name')` */
function hasKey(node: Node, scope: ConditionScope): CelText | undefined {
  if (node.kind !== "pipe" || node.right.kind !== "call" || node.right.name !== "contains") return undefined;
  const [list, name] = node.right.args;
  const owner = isCurrent(list) ? keysOf(node.left, scope) : undefined;
  const literal = name?.kind === "literal" ? name.value : undefined;
  return owner === undefined || typeof literal !== "string" ? undefined : hasMember(owner, literal);
}

const isEmptyList = (node: Node): boolean => node.kind === "literal" && isArray(node.value) && node.value.length === 0;

/** `list | length(@)`, `list || []` before it, `length(list)`. */
function lengthOf(node: Node, scope: ConditionScope): string | undefined {
  const argument =
    node.kind === "pipe" && node.right.kind === "call" && node.right.name === "length" && node.right.args[0]?.kind === "current"
      ? node.left
      : node.kind === "call" && node.name === "length"
        ? node.args[0]
        : undefined;
  if (argument === undefined) return undefined;
  const owner = keysOf(argument, scope);
  if (owner !== undefined) return `size(${owner})`;
  const list = argument.kind === "or" && isEmptyList(argument.right) ? argument.left : argument;
  const steps = listPath(list);
  // What is flattened has to be known to be a list.
  if (steps === undefined || (objectPath(list) === undefined && schemaAt(scope, steps)?.type !== "array")) return undefined;
  return argument.kind === "or" ? `size(${optionalAt(scope, steps)}.orValue([]))` : `size(${requiredAt(scope, steps)})`;
}

function readValue(node: Node, source: string, scope: ConditionScope): Typed {
  if (isOperation(node)) return { kind: "text", cel: "request.operation" };
  const size = lengthOf(node, scope);
  if (size !== undefined) return { kind: "number", cel: size };
  const present = hasKey(node, scope);
  if (present !== undefined) return { kind: "boolean", cel: `(${present.text})` };
  if (node.kind === "or") {
    // An operation is always known here.
    if (isOperation(node.left)) return { kind: "text", cel: "request.operation" };
    const steps = objectPath(node.left);
    if (steps !== undefined && node.right.kind === "literal" && node.right.value === "") {
      const schema = schemaAt(scope, steps);
      if (valueTypeOf(schema) === "string") return { kind: "text", cel: `${optionalAt(scope, steps)}.orValue('')` };
    }
    return refuse(source);
  }
  const steps = objectPath(node);
  if (steps === undefined) return refuse(source);
  const schema = schemaAt(scope, steps);
  // A member that is missing is an error on both sides.
  return typedOf(requiredAt(scope, steps), schema, source);
}

/** The expression of a text that is one variable as a whole. */
function variableIn(value: JsonValue | undefined): { readonly source: string; readonly node: Node } | undefined {
  const source = typeof value === "string" ? wholeVariable.exec(value)?.[1] : undefined;
  if (source === undefined) return undefined;
  try {
    return { source, node: parse(source.trim(), false) };
  } catch {
    return refuse(source);
  }
}

/** The value of a condition's `key`, which is a variable as a whole. */
function keyOf(key: JsonValue | undefined, scope: ConditionScope): Typed {
  const found = variableIn(key);
  if (found === undefined) throw new NotConvertible(`the key ${JSON.stringify(key ?? null)} of a condition is no variable`);
  return readValue(found.node, found.source, scope);
}

/** A name that is looked for among the keys of a part of the object. */
function amongKeys(key: JsonValue | undefined, value: JsonValue | undefined, scope: ConditionScope): CelText | undefined {
  if (typeof key !== "string" || key.includes("{{") || !isPlainText(key)) return undefined;
  const found = variableIn(value);
  const owner = found === undefined ? undefined : keysOf(found.node, scope);
  return owner === undefined ? undefined : hasMember(owner, key);
}

const isLiteral = (value: JsonValue | undefined): value is string | number | boolean =>
  (typeof value === "string" && !value.includes("{{")) || typeof value === "number" || typeof value === "boolean";

/** Texts that Kyverno would compare as something else than texts. */
const isPlainText = (text: string): boolean => !containsWildcard(text) && !/^[-+.\d]/.test(text) && !/[|&<>!]/.test(text);

function equality({ kind, cel }: Typed, value: JsonValue | undefined): CelText {
  if (!isLiteral(value)) throw new NotConvertible(`the value ${JSON.stringify(value ?? null)} of a condition is no literal`);
  if (kind === "text" && typeof value === "string") {
    if (value === "" || isPlainText(value)) return relation(`${cel} == ${quoted(value)}`);
    if (containsWildcard(value) && isPlainText(value.replaceAll(/[*?]/g, ""))) return fitsWildcard(cel, value);
  }
  if (kind === "number" && (typeof value === "number" || /^\d+$/.test(String(value)))) return relation(`${cel} == ${value}`);
  if (kind === "boolean" && typeof value === "boolean") return relation(`${cel} == ${value}`);
  throw new NotConvertible(`${cel} is compared with ${JSON.stringify(value)}`);
}

function membership(key: Typed, value: JsonValue | undefined): CelText {
  const values = isArray(value) ? value : [value ?? null];
  const texts = values.filter((v) => typeof v === "string");
  if (key.kind !== "text" || texts.length !== values.length || texts.some((t) => !isPlainText(t) || t.includes("{{"))) {
    throw new NotConvertible(`${key.cel} is looked for in ${JSON.stringify(value ?? null)}`);
  }
  // A list may be written as a text, too.
  if (!isArray(value) && texts.some((t) => t.startsWith("["))) throw new NotConvertible("a list is written as a text");
  // Other texts of an object may hold wildcards themselves, which would then be patterns.
  if (!/^request\.operation$|metadata\.(\?)?(name|namespace)/.test(key.cel)) {
    throw new NotConvertible(`${key.cel} may hold wildcards, which would be patterns for what it is looked for in`);
  }
  const [only, second] = texts;
  if (only !== undefined && second === undefined) return relation(`${key.cel} == ${quoted(only)}`);
  return relation(`${key.cel} in [${texts.map(quoted).join(", ")}]`);
}

const orders: { readonly [operator: string]: string } = {
  greaterthan: ">",
  greaterthanorequals: ">=",
  lessthan: "<",
  lessthanorequals: "<=",
};

function conditionCel(condition: JsonValue, scope: ConditionScope): CelText {
  const operator = String(member(condition, "operator") ?? "").toLowerCase();
  const value = member(condition, "value");
  const inKeys = amongKeys(member(condition, "key"), value, scope);
  if (inKeys !== undefined && ["anyin", "allin", "in"].includes(operator)) return inKeys;
  if (inKeys !== undefined && ["anynotin", "allnotin", "notin"].includes(operator)) return not(inKeys);
  const key = keyOf(member(condition, "key"), scope);
  switch (operator) {
    case "equals":
    case "equal":
      return equality(key, value);
    case "notequals":
    case "notequal":
      return not(equality(key, value));
    case "anyin":
    case "allin":
    case "in":
      return membership(key, value);
    case "anynotin":
    case "allnotin":
    case "notin":
      return not(membership(key, value));
    default: {
      const sign = orders[operator];
      if (sign === undefined) throw new NotConvertible(`the operator ${operator} has no like`);
      if (key.kind !== "number" || !/^\d+$/.test(String(value))) {
        throw new NotConvertible(`${key.cel} is compared with ${JSON.stringify(value ?? null)} by order`);
      }
      return relation(`${key.cel} ${sign} ${String(value)}`);
    }
  }
}

/** `preconditions` or `deny.conditions` in any of their forms; absent ones hold. @throws NotConvertible */
export function conditionsToCel(spec: JsonValue | undefined, scope: ConditionScope): CelText {
  if (spec === undefined || spec === null) return primary("true");
  if (isArray(spec)) {
    const parts = spec.map((item) =>
      member(item, "any") !== undefined || member(item, "all") !== undefined
        ? conditionsToCel(item, scope)
        : conditionCel(item, scope),
    );
    return allOf(...parts);
  }
  if (!isObject(spec)) throw new NotConvertible("conditions are no list");
  const { any, all } = spec;
  const anyPart = isArray(any) ? anyOf(...any.map((c) => conditionCel(c, scope))) : primary("true");
  const allPart = isArray(all) ? allOf(...all.map((c) => conditionCel(c, scope))) : primary("true");
  return allOf(anyPart, allPart);
}

/** Whether conditions can only hold for new and changed objects. */
export function leavesOutDeletions(spec: JsonValue | undefined): boolean {
  const all = isArray(spec) ? spec : isArray(member(spec, "all")) ? member(spec, "all") : [];
  return (isArray(all) ? all : []).some((condition) => {
    const key = String(member(condition, "key") ?? "");
    if (!/^\{\{\s*request\.operation\s*(\|\|\s*'\w*'\s*)?\}\}$/.test(key)) return false;
    const operator = String(member(condition, "operator")).toLowerCase();
    const value = member(condition, "value");
    const values = isArray(value) ? value : [value];
    if (["equals", "anyin", "allin", "in"].includes(operator)) return values.every((v) => v === "CREATE" || v === "UPDATE");
    return ["notequals", "anynotin", "allnotin", "notin"].includes(operator) && values.includes("DELETE");
  });
}
