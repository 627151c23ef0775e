import { asString, isArray, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Env } from "../../languages/cel/env.ts";
import { dynType, nullType, stringType } from "../../languages/cel/types.ts";
import type { CelSession, CompiledExpression } from "../cel/expression.ts";
import type { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { reasonOf } from "../kyverno/outcome.ts";
import { evaluateNow } from "./gate.ts";

type Annotations = readonly { readonly key: string; readonly expression: CompiledExpression }[];

/** Compiles `auditAnnotations`; what is wrong is reported. */
export function compileAnnotations(
  specs: JsonValue | undefined,
  env: Env,
  path: JsonPath,
  compiler: ExpressionCompiler,
): Annotations {
  return (isArray(specs) ? specs : []).flatMap((annotation, i) => {
    const place = [...path, i, "valueExpression"];
    const expression = compiler.compile(member(annotation, "valueExpression"), env, [stringType, nullType, dynType], place);
    return expression === undefined ? [] : [{ key: asString(member(annotation, "key")) ?? "", expression }];
  });
}

/** What audit annotations say about an object. @throws Error where one cannot be evaluated */
export function annotate(annotations: Annotations, session: CelSession, variables: Activation): JsonObject {
  const values: { [key: string]: string } = {};
  for (const { key, expression } of annotations) {
    let value: ReturnType<typeof evaluateNow>;
    try {
      value = evaluateNow(expression, session, variables);
    } catch (error) {
      throw new Error(`failed to evaluate auditAnnotation '${key}': ${reasonOf(error)}`);
    }
    if (typeof value !== "string" && value !== null) throw new Error(`failed to convert auditAnnotation '${key}' to a string`);
    if (value !== null && value !== "") values[key] = value;
  }
  return values;
}
