import type { JsonPath, JsonValue } from "../../core/json.ts";
import { compileJmesPath, JmesPathError, type JmesPathProgram, NotFound } from "../../languages/jmespath/index.ts";
import type { DocumentReport } from "./report.ts";
import type { RuleScope } from "./rule-types.ts";
import { compileTemplate } from "./variables.ts";

/** A JMESPath expression whose own text may hold variables. @throws Error when they cannot be resolved or make no expression */
export type QuerySource = (scope: RuleScope) => { readonly text: string; readonly program: JmesPathProgram };

function compileNow(text: string): JmesPathProgram {
  const compiled = compileJmesPath(text);
  if (compiled.ok) return compiled.value;
  throw new Error(`incorrect query ${text}: ${compiled.diagnostics.map((d) => d.message).join("; ")}`);
}

/** Compiles a `jmesPath` field; undefined where it is wrong (which is reported). */
export function compileQuery(text: string, path: JsonPath, report: DocumentReport): QuerySource | undefined {
  const template = compileTemplate(text);
  report.adopt(template.diagnostics, path);
  if (!template.ok) return undefined;
  const { constant, substitute } = template.value;
  if (!constant) {
    return (scope) => {
      const value = substitute(scope);
      if (typeof value !== "string") throw new Error(`jmespath value must be a string ${text}`);
      return { text: value, program: compileNow(value) };
    };
  }
  const program = compileJmesPath(text);
  report.adopt(program.diagnostics, path);
  if (!program.ok) return undefined;
  const query = { text, program: program.value };
  return () => query;
}

/** What an expression finds in `data`. @throws JmesPathError also where its path leads to nothing */
export function search(program: JmesPathProgram, data: JsonValue, scope: RuleScope): JsonValue {
  const value = program(data, scope.host);
  if (value instanceof NotFound) throw new JmesPathError(`JMESPath query failed: ${value.message}`);
  return value;
}
