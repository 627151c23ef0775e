import { asString, isArray, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import type { Env } from "../../languages/cel/env.ts";
import { boolType, type CelType } from "../../languages/cel/types.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import { type CompiledExpression, compileExpression } from "./expression.ts";
import { type CompiledVariables, compileVariables, type VariableOptions, type VariableSpec } from "./variables.ts";

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const textOf = (value: JsonValue | undefined): string => asString(value) ?? "";

/** `name` and `expression` of each entry of a list. */
export function variableSpecs(specs: JsonValue | undefined): readonly VariableSpec[] {
  return listOf(specs).map((spec) => ({ name: textOf(member(spec, "name")), expression: textOf(member(spec, "expression")) }));
}

/** Compiles the expressions of a document and reports those that do not. */
export class ExpressionCompiler {
  readonly #report: DocumentReport;

  constructor(report: DocumentReport) {
    this.#report = report;
  }

  compile(source: JsonValue | undefined, env: Env, wanted: readonly CelType[], path: JsonPath): CompiledExpression | undefined {
    const text = textOf(source);
    if (text.trim() === "") {
      this.#report.error("CEL_EXPRESSION", path, "an expression is missing");
      return undefined;
    }
    const compiled = compileExpression(text, env, wanted);
    if (compiled.ok) return compiled.value;
    this.#report.error("CEL_EXPRESSION", path, compiled.message);
    return undefined;
  }

  variables(specs: JsonValue | undefined, env: Env, path: JsonPath, options: VariableOptions = {}): CompiledVariables {
    const { given = [] } = options;
    const compiled = compileVariables([...given, ...variableSpecs(specs)], env, options);
    for (const { index, message } of compiled.problems) {
      this.#report.error("CEL_EXPRESSION", [...path, index - given.length, "expression"], message);
    }
    return compiled;
  }

  conditions(specs: JsonValue | undefined, env: Env, path: JsonPath): readonly CompiledExpression[] {
    return listOf(specs)
      .map((spec, i) => this.compile(member(spec, "expression"), env, [boolType], [...path, i, "expression"]))
      .filter((condition) => condition !== undefined);
  }
}
