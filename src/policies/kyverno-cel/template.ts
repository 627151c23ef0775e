import { CORE_SCHEMA, loadAll } from "js-yaml";
import { formatGoValue } from "../../core/go-format.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Env } from "../../languages/cel/env.ts";
import { toJson } from "../../languages/cel/values/json.ts";
import { CelError } from "../../languages/cel/values/value.ts";
import type { CelSession, CompiledExpression } from "../cel/expression.ts";
import type { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { reasonOf } from "../kyverno/outcome.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import { evaluateNow } from "./gate.ts";
import { hasPlaceholder, scanTemplate } from "./template-scan.ts";

/** Makes one value of a template. @throws Error with the reason, NeedsFacts */
type Render = (session: CelSession, variables: Activation) => JsonValue;

/** The objects of a template, one for each of its documents. @throws Error with the reason, NeedsFacts */
export type Template = (session: CelSession, variables: Activation) => readonly JsonObject[];

class TemplateCompiler {
  readonly #env: Env;
  readonly #path: JsonPath;
  readonly #compiler: ExpressionCompiler;
  readonly #report: DocumentReport;

  constructor(env: Env, path: JsonPath, compiler: ExpressionCompiler, report: DocumentReport) {
    this.#env = env;
    this.#path = path;
    this.#compiler = compiler;
    this.#report = report;
  }

  node(value: JsonValue): Render {
    if (typeof value === "string" && hasPlaceholder(value)) return this.#text(value);
    if (isArray(value)) {
      const items = value.map((item) => this.node(item));
      return (session, variables) => items.map((render, i) => named(`item ${i}`, () => render(session, variables)));
    }
    if (!isObject(value)) return () => value;
    const entries = Object.entries(value).map(([key, item]) => {
      if (key === "<<") this.#report.error("KYV_NOT_SUPPORTED", this.#path, "YAML merge keys are not supported in templates");
      if (hasPlaceholder(key)) {
        this.#report.error("KYV_BAD_RULE", this.#path, `placeholders are not supported in mapping keys: ${key}`);
      }
      return [key, this.node(item ?? null)] as const;
    });
    return (session, variables) =>
      Object.fromEntries(
        entries.map(([key, render]) => [key, named(`field ${JSON.stringify(key)}`, () => render(session, variables))]),
      );
  }

  #text(text: string): Render {
    const scanned = scanTemplate(text);
    if (!scanned.ok) {
      this.#report.error("KYV_BAD_RULE", this.#path, scanned.message);
      return () => text;
    }
    const parts = scanned.segments.map((segment) => {
      if (segment.kind === "text") return segment.text;
      return this.#compiler.compile(segment.source, this.#env, [], this.#path) ?? "";
    });
    const [only, second] = parts;
    // A placeholder that is the whole text may be of any type.
    if (only !== undefined && second === undefined && typeof only !== "string") {
      return (session, variables) => placeholder(only, session, variables);
    }
    return (session, variables) =>
      parts.map((part) => (typeof part === "string" ? part : scalarText(part, session, variables))).join("");
  }
}

function named<T>(where: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw new Error(`${where}: ${reasonOf(error)}`);
  }
}

function placeholder(expression: CompiledExpression, session: CelSession, variables: Activation): JsonValue {
  const shown = JSON.stringify(expression.source);
  const value = named(`failed to evaluate placeholder ${shown}`, () => evaluateNow(expression, session, variables));
  const json = toJson(value);
  if (json instanceof CelError) throw new Error(`failed to convert placeholder ${shown} result: ${json.message}`);
  return json;
}

function scalarText(expression: CompiledExpression, session: CelSession, variables: Activation): string {
  const value = placeholder(expression, session, variables);
  if (typeof value === "string") return value;
  if (value === null || typeof value === "object") {
    const shown = JSON.stringify(expression.source);
    throw new Error(
      `placeholder ${shown} embedded in a string must evaluate to a scalar; use a whole-value placeholder for structured results`,
    );
  }
  return formatGoValue(value);
}

/** Templates are read as YAML 1.2, unlike manifests: `yes` is a text. */
function documentsOf(text: string, path: JsonPath, report: DocumentReport): readonly JsonValue[] {
  try {
    const values: readonly JsonValue[] = JSON.parse(JSON.stringify(loadAll(text, { schema: CORE_SCHEMA })));
    return values.filter((value) => value !== null);
  } catch (error) {
    report.error("KYV_BAD_RULE", path, `is no YAML: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** Compiles `generate[].template`: YAML whose texts may hold `(( expression ))`, with `interpolate: cel`. */
export function compileTemplate(
  spec: JsonValue,
  env: Env,
  path: JsonPath,
  compiler: ExpressionCompiler,
  report: DocumentReport,
): Template {
  const place = [...path, "value"];
  const values = documentsOf(asString(member(spec, "value")) ?? "", place, report);
  if (values.length === 0) report.error("KYV_BAD_RULE", place, "a template must contain at least one YAML document");
  const isWhole = (value: JsonValue) => typeof value === "string" && hasPlaceholder(value);
  if (values.some((value) => !isObject(value) && !isWhole(value))) {
    report.error("KYV_BAD_RULE", place, "a document must be a mapping describing a resource");
  }
  const interpolates = member(spec, "interpolate") === "cel";
  const templates = new TemplateCompiler(env, place, compiler, report);
  const renders = values.map((value): Render => (interpolates ? templates.node(value) : () => value));
  return (session, variables) =>
    renders.map((render, i) => {
      const value = named(`failed to render generation template: document ${i + 1}`, () => render(session, variables));
      if (isObject(value)) return value;
      throw new Error(`failed to render generation template: document ${i + 1}: expected a mapping describing a resource`);
    });
}
