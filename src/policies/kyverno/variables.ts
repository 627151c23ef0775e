import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { formatGoJson } from "../../core/go-format.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { compileJmesPath, JmesPathError, type JmesPathProgram, NotFound } from "../../languages/jmespath/index.ts";
import { parsePath, pathToJmesPath } from "./json-pointer.ts";
import { resolveReferences } from "./references.ts";
import { VariableError, type VariableScope } from "./variable-scope.ts";

export { VariableError, type VariableScope } from "./variable-scope.ts";

/** A document with variables, compiled. */
export interface Template {
  /** The document has no variable: `substitute` answers the same value for every scope. */
  readonly constant: boolean;
  /** The document with every variable replaced. The result may share parts with the document; nobody may change it. @throws VariableError */
  substitute(scope: VariableScope): JsonValue;
}

/**
 * Compiles a JSON document whose texts and keys hold variables `{{ expression }}` and references `$(path)`.
 * A text that is one variable takes the variable's value and type; inside a longer text it is written as text or JSON.
 * Variables may nest (the inner first), `\{{` is a plain `{{`, and `{{- x }}` is not looked at again.
 * `path` is where the document stands in its rule (`/mutate/patchStrategicMerge`), for `{{ @ }}`.
 */
export function compileTemplate(document: JsonValue, path = ""): Loaded<Template> {
  const resolved = resolveReferences(document);
  if (!resolved.ok) return failed({ code: "KYV_VARIABLE", severity: "error", message: resolved.message });
  const diagnostics: Diagnostic[] = [];
  const substitute = compileValue(resolved.value, path, diagnostics);
  if (diagnostics.length > 0) return failed(...diagnostics);
  if (substitute === undefined) return loaded({ constant: true, substitute: () => resolved.value });
  return loaded({ constant: false, substitute });
}

/** Whether a text holds a variable. */
export function isVariable(text: string): boolean {
  return text.includes("{{") && text.search(variable) >= 0;
}

type Substitute = (scope: VariableScope) => JsonValue;

/** A variable and the character before it; braces inside may hold one level of braces. */
const variable = /(^|[^\\])(\{\{(?:\{[^{}]*\}|[^{}])*\}\})/gs;
/** More rounds than any honest nesting: variables whose values hold variables may otherwise never end. */
const maxRounds = 64;
const maxLength = 4 * 1024 * 1024;

/** Undefined where nothing is to be replaced. */
function compileValue(value: JsonValue, path: string, diagnostics: Diagnostic[]): Substitute | undefined {
  if (typeof value === "string") return compileText(value, path, diagnostics);
  if (isArray(value)) {
    const items = value.map((item, i) => compileValue(item, `${path}/${i}`, diagnostics));
    if (items.every((item) => item === undefined)) return undefined;
    return (scope) => items.map((item, i) => (item === undefined ? (value[i] ?? null) : item(scope)));
  }
  return isObject(value) ? compileMembers(value, path, diagnostics) : undefined;
}

function childPath(path: string, key: string): string {
  return `${path}/${key.replaceAll("/", "\\/")}`;
}

function compileMembers(object: JsonObject, path: string, diagnostics: Diagnostic[]): Substitute | undefined {
  const members = Object.entries(object).map(([key, value]) => ({
    key,
    value: value ?? null,
    newKey: compileText(key, path, diagnostics),
    newValue: compileValue(value ?? null, childPath(path, key), diagnostics),
  }));
  if (members.every(({ newKey, newValue }) => newKey === undefined && newValue === undefined)) return undefined;
  return (scope) => {
    const result: { [key: string]: JsonValue } = {};
    for (const { key, value, newKey, newValue } of members) {
      const name = newKey === undefined ? key : keyFrom(newKey(scope), key);
      setMember(result, name, newValue === undefined ? value : newValue(scope));
    }
    return result;
  };
}

/** `__proto__` is a key like any other. */
function setMember(object: { [key: string]: JsonValue }, key: string, value: JsonValue): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

function keyFrom(value: JsonValue, key: string): string {
  if (value === null) return key;
  if (typeof value === "string") return value;
  throw new VariableError(`expected string after substituting variables in key "${key}"`, false);
}

function unescapeBraces(text: string): string {
  return text.replaceAll("\\{{", "{{");
}

interface Found {
  /** The variable with its braces. */
  readonly text: string;
  readonly expression: string;
  /** Its value is not searched for variables. */
  readonly shallow: boolean;
  /** Start of `text` in the searched text. */
  readonly at: number;
}

function findVariables(text: string): readonly Found[] {
  const found: Found[] = [];
  for (const match of text.matchAll(variable)) {
    const [, before = "", body = ""] = match;
    const inner = body.replaceAll("{{", "").replaceAll("}}", "").trim();
    const shallow = inner.startsWith("-");
    found.push({ text: body, expression: shallow ? inner.slice(1).trim() : inner, shallow, at: match.index + before.length });
  }
  return found;
}

/** One stretch of a text: as it is, or a variable to be evaluated. */
type Part = string | { readonly evaluate: Substitute; readonly shallow: boolean };

function compileText(text: string, path: string, diagnostics: Diagnostic[]): Substitute | undefined {
  if (!text.includes("{{")) return undefined;
  const found = findVariables(text);
  if (found.length === 0) {
    const plain = unescapeBraces(text);
    return plain === text ? undefined : () => plain;
  }
  const variables = found.map((f) => ({ ...f, evaluate: compileVariable(f.expression, path, diagnostics) }));
  const [only] = variables;
  if (only !== undefined && only.text === text) {
    return (scope) => substituteInData(only.evaluate(scope), scope, path);
  }
  const parts: Part[] = [];
  let from = 0;
  for (const v of variables) {
    parts.push(text.slice(from, v.at), v);
    from = v.at + v.text.length;
  }
  parts.push(text.slice(from));
  const stop = variables.at(-1)?.shallow === true;
  return (scope) => {
    let result = "";
    for (const part of parts) result += typeof part === "string" ? part : writeValue(part.evaluate(scope), part.shallow);
    return stop ? unescapeBraces(result) : substituteAgain(result, scope, path);
  };
}

/** The outcome of a round may hold variables: nested ones whose inner part is now known, and those that values brought. */
function substituteAgain(text: string, scope: VariableScope, path: string): JsonValue {
  let current = text;
  for (let round = 0; current.includes("{{"); round++) {
    if (round === maxRounds || current.length > maxLength) {
      throw new VariableError(`variables do not come to an end at path ${path}`, false);
    }
    const found = findVariables(current);
    if (found.length === 0) break;
    let next = "";
    let from = 0;
    for (const f of found) {
      const value = resolveNow(f.expression, scope, path);
      if (f.text === current) return substituteInData(value, scope, path);
      next += current.slice(from, f.at) + writeValue(value, f.shallow);
      from = f.at + f.text.length;
    }
    current = next + current.slice(from);
    if (found.at(-1)?.shallow === true) break;
  }
  return unescapeBraces(current);
}

function writeValue(value: JsonValue, shallow: boolean): string {
  const text = typeof value === "string" ? value : formatGoJson(value);
  return shallow ? text.replaceAll("{{", "\\{{") : text;
}

/** Lists and objects that a variable brought in are searched for variables as well; texts are not. */
function substituteInData(value: JsonValue, scope: VariableScope, path: string): JsonValue {
  if (typeof value !== "object" || value === null || !mentionsVariable(value, 0)) return value;
  const diagnostics: Diagnostic[] = [];
  const substitute = compileValue(value, path, diagnostics);
  const [first] = diagnostics;
  if (first !== undefined) throw new VariableError(first.message, false);
  return substitute === undefined ? value : substitute(scope);
}

function mentionsVariable(value: JsonValue | undefined, depth: number): boolean {
  if (typeof value === "string") return value.includes("{{");
  if (typeof value !== "object" || value === null || depth > 100) return false;
  if (isArray(value)) return value.some((item) => mentionsVariable(item, depth + 1));
  return isObject(value) && Object.keys(value).some((key) => key.includes("{{") || mentionsVariable(value[key], depth + 1));
}

/** Compiles the expression once for each meaning it can have; a bad one is a diagnostic. */
function compileVariable(expression: string, path: string, diagnostics: Diagnostic[]): Substitute {
  if (expression === "@") return (scope) => resolveNow(expression, scope, path);
  if (expression === "") {
    diagnostics.push({ code: "KYV_VARIABLE", severity: "error", message: `the variable at path ${path} is empty` });
  }
  const program = compileJmesPath(expression);
  diagnostics.push(...program.diagnostics);
  const deleting = onDelete(expression);
  const programOnDelete = deleting === expression ? program : compileJmesPath(deleting);
  if (!program.ok || !programOnDelete.ok) return () => null;
  const normal = program.value;
  const swapped = programOnDelete.value;
  return (scope) => (scope.deleting ? search(swapped, deleting, scope, path) : search(normal, expression, scope, path));
}

function onDelete(expression: string): string {
  return expression.replaceAll("request.object", "request.oldObject");
}

function resolveNow(expression: string, scope: VariableScope, path: string): JsonValue {
  const meant = expression === "@" ? currentPath(scope, path) : expression;
  const source = scope.deleting ? onDelete(meant) : meant;
  const program = compileJmesPath(source);
  if (!program.ok) {
    const why = program.diagnostics.map((d) => d.message).join("; ");
    throw new VariableError(`failed to resolve ${source} at path ${path}: incorrect query ${source}: ${why}`, false);
  }
  return search(program.value, source, scope, path);
}

/** `@` is the place in the object that the text's place in the rule stands for: what follows the rule type and its field. */
function currentPath(scope: VariableScope, path: string): string {
  const steps = parsePath(path);
  const relative = steps.slice(steps.indexOf("foreach") + 1);
  const prefix = Object.hasOwn(scope.root, "target") ? ["target"] : ["request", "object"];
  return pathToJmesPath([...prefix, ...(relative.length > 2 ? relative.slice(2) : [])]);
}

function search(program: JmesPathProgram, expression: string, scope: VariableScope, path: string): JsonValue {
  try {
    const value = program(scope.root, scope.host);
    if (!(value instanceof NotFound)) return value;
    throw new VariableError(`failed to resolve ${expression} at path ${path}: JMESPath query failed: ${value.message}`, true);
  } catch (error) {
    if (!(error instanceof JmesPathError)) throw error;
    throw new VariableError(`failed to resolve ${expression} at path ${path}: JMESPath query failed: ${error.message}`, false);
  }
}
