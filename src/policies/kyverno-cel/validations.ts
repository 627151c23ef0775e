import { asString, isArray, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Env } from "../../languages/cel/env.ts";
import { boolType, stringType } from "../../languages/cel/types.ts";
import type { CelSession, CompiledExpression } from "../cel/expression.ts";
import type { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { errorResult, failedWith, passed, reasonOf } from "../kyverno/outcome.ts";
import type { RuleResult } from "../policy.ts";
import { annotate, type compileAnnotations } from "./audit-annotations.ts";
import { evaluateNow } from "./gate.ts";

export interface Validation {
  readonly expression: CompiledExpression;
  readonly message: string;
  readonly messageExpression: CompiledExpression | undefined;
}

const textOf = (value: JsonValue | undefined): string => asString(value) ?? "";

/** Compiles `validations`; what is wrong is reported. */
export function compileValidations(
  specs: JsonValue | undefined,
  env: Env,
  path: JsonPath,
  compiler: ExpressionCompiler,
): readonly Validation[] {
  return (isArray(specs) ? specs : []).flatMap((validation, i): Validation[] => {
    const at = [...path, i];
    const expression = compiler.compile(member(validation, "expression"), env, [boolType], [...at, "expression"]);
    const source = textOf(member(validation, "messageExpression"));
    const place = [...at, "messageExpression"];
    const messageExpression = source === "" ? undefined : compiler.compile(source, env, [stringType], place);
    return expression === undefined ? [] : [{ expression, message: textOf(member(validation, "message")), messageExpression }];
  });
}

function messageOf(
  { message, messageExpression }: Validation,
  index: number,
  session: CelSession,
  variables: Activation,
): string {
  let text = message;
  if (messageExpression !== undefined) {
    try {
      const value = evaluateNow(messageExpression, session, variables);
      text = typeof value === "string" ? value : "failed to convert message expression to string";
    } catch (error) {
      text = `failed to evaluate message expression: ${reasonOf(error)}`;
    }
  }
  return text === "" ? `CEL expression validation failed at index ${index}` : text;
}

/** The result of all validations on one object: the first that does not hold decides. */
export function judge(
  validations: readonly Validation[],
  annotations: ReturnType<typeof compileAnnotations>,
  session: CelSession,
  variables: Activation,
): RuleResult {
  const described = (result: RuleResult): RuleResult => {
    if (annotations.length === 0) return result;
    return { ...result, evidence: { auditAnnotations: annotate(annotations, session, variables) } };
  };
  try {
    for (const [index, validation] of validations.entries()) {
      if (evaluateNow(validation.expression, session, variables) !== true) {
        return described(failedWith(messageOf(validation, index, session, variables)));
      }
    }
    return described(passed("success"));
  } catch (error) {
    return errorResult(`error: ${reasonOf(error)}`);
  }
}
