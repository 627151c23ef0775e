import { asString, isArray, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { once } from "../../core/once.ts";
import { encodeUtf8 } from "../../core/utf8.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Library, Outside } from "../../languages/cel/declarations.ts";
import { boolType, nullType, stringType } from "../../languages/cel/types.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import { admissionEnv } from "./environment.ts";
import { type Evaluated, evaluateCondition, matchConditions } from "./evaluate-condition.ts";
import { CelSession, type CompiledExpression, matchConditionLimits, OutOfCost, validationLimits } from "./expression.ts";
import { ExpressionCompiler, variableSpecs } from "./expression-compiler.ts";
import { compileVariables, type VariableSpec } from "./variables.ts";

/** Largest message that an expression may give, in bytes. */
const maxMessageBytes = 5 * 1024;

export type Decision =
  | { readonly kind: "admit" }
  | { readonly kind: "deny"; readonly message: string; readonly index: number }
  /** The validation could not be evaluated. */
  | { readonly kind: "error"; readonly message: string };

export type Validated =
  /** A match condition does not hold. */
  | { readonly kind: "unmatched" }
  | { readonly kind: "decided"; readonly decisions: readonly Decision[]; readonly annotations: ReadonlyMap<string, string> };

/** The validations of one policy, evaluated as the API server does. */
export interface Validator {
  /**
   * `inputs` hold `params` and `authorizer` where the policy has them.
   * @throws NeedsFacts
   */
  validate(inputs: Activation, outside: Outside): Validated;
}

interface Validation {
  readonly expression: CompiledExpression;
  readonly message: string;
  readonly messageExpression: CompiledExpression | undefined;
}

interface Annotation {
  readonly key: string;
  readonly expression: CompiledExpression;
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const textOf = (value: JsonValue | undefined): string => asString(value) ?? "";

/** Where the parts of a policy stand, and what it may use. */
export interface ValidatorSpec {
  readonly validations: JsonValue | undefined;
  readonly validationsPath: JsonPath;
  readonly variables: JsonValue | undefined;
  readonly variablesPath: JsonPath;
  readonly matchConditions: JsonValue | undefined;
  readonly matchConditionsPath: JsonPath;
  readonly auditAnnotations: JsonValue | undefined;
  readonly auditAnnotationsPath: JsonPath;
  readonly params: boolean;
  /** For validations without a message of their own. */
  readonly message?: string | undefined;
  readonly libraries?: readonly Library[];
  /** Gatekeeper: variables before the policy's own, which match conditions see, too. */
  readonly given?: readonly VariableSpec[];
}

const noAnnotations: ReadonlyMap<string, string> = new Map();

/** What is thrown when there are no units left is a result like any other. */
function withinCost<T>(compute: () => T, exceeded: (message: string) => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof OutOfCost) return exceeded(error.message);
    throw error;
  }
}

/** The text of a message expression where it is fit to be shown: one line that is not too long. */
function shownMessage(result: Evaluated | undefined): string {
  if (result?.kind !== "value" || typeof result.value !== "string") return "";
  const text = result.value.trim();
  return text.includes("\n") || encodeUtf8(text).length > maxMessageBytes ? "" : text;
}

function failureMessage({ message, expression }: Validation, computed: Evaluated | undefined): string {
  return shownMessage(computed) || message.trim() || `failed expression: ${expression.source.trim()}`;
}

/** Compiles match conditions, variables, validations and audit annotations as the API server understands them. */
export function compileValidator(spec: ValidatorSpec, report: DocumentReport): Validator {
  const compiler = new ExpressionCompiler(report);
  const { params, libraries = [], given = [] } = spec;
  const full = admissionEnv({ params, authorizer: true, libraries });
  const variables = compiler.variables(spec.variables, full, spec.variablesPath, { asApiServer: true, given });
  const conditionsSeeVariables = given.length > 0;
  const conditionEnv = conditionsSeeVariables ? variables.env : full;
  const conditions = compiler.conditions(spec.matchConditions, conditionEnv, spec.matchConditionsPath);
  const messageEnv = once(() => {
    const base = admissionEnv({ params, authorizer: false, libraries });
    const specs = [...given, ...variableSpecs(spec.variables)];
    // Without the authorizer, variables that do not name it are what they are with it.
    const differ = specs.some(({ expression }) => expression.includes("authorizer"));
    return differ ? compileVariables(specs, base, { asApiServer: true }).env : variables.onto(base);
  });
  const validations = listOf(spec.validations).flatMap((validation, i): Validation[] => {
    const path = [...spec.validationsPath, i];
    const expression = compiler.compile(member(validation, "expression"), variables.env, [boolType], [...path, "expression"]);
    const source = textOf(member(validation, "messageExpression"));
    const place = [...path, "messageExpression"];
    const messageExpression = source === "" ? undefined : compiler.compile(source, messageEnv(), [stringType], place);
    const message = textOf(member(validation, "message")) || (spec.message ?? "");
    return expression === undefined ? [] : [{ expression, message, messageExpression }];
  });
  const annotations = listOf(spec.auditAnnotations).flatMap((annotation, i): Annotation[] => {
    const path = [...spec.auditAnnotationsPath, i, "valueExpression"];
    const expression = compiler.compile(member(annotation, "valueExpression"), variables.env, [stringType, nullType], path);
    return expression === undefined ? [] : [{ key: textOf(member(annotation, "key")), expression }];
  });

  const decide = (validation: Validation, index: number, session: CelSession, bound: Activation): Decision => {
    const result = evaluateCondition(validation.expression, session, bound);
    if (result.kind === "error") return result;
    if (result.value === true) return { kind: "admit" };
    const { messageExpression } = validation;
    const computed = messageExpression === undefined ? undefined : evaluateCondition(messageExpression, session, bound);
    return { kind: "deny", message: failureMessage(validation, computed), index };
  };

  const annotate = (session: CelSession, bound: Activation): ReadonlyMap<string, string> => {
    const values = new Map<string, string>();
    for (const { key, expression } of annotations) {
      const result = evaluateCondition(expression, session, bound);
      if (result.kind === "value" && typeof result.value === "string" && result.value.trim() !== "") {
        values.set(key, result.value.trim());
      }
    }
    return values;
  };

  return {
    validate(inputs, outside) {
      const failed = (message: string): Validated => ({
        kind: "decided",
        decisions: [{ kind: "error", message }],
        annotations: new Map(),
      });
      return withinCost((): Validated => {
        const matching = new CelSession(outside, matchConditionLimits);
        const seen = conditionsSeeVariables ? variables.bind(matching, inputs) : inputs;
        const matched = matchConditions(conditions, matching, seen);
        if (matched.kind === "no") return { kind: "unmatched" };
        if (matched.kind === "error") return failed(matched.message);
        const session = new CelSession(outside, validationLimits);
        const bound = variables.bind(session, inputs);
        const decisions = validations.map((validation, i) => decide(validation, i, session, bound));
        if (annotations.length === 0) return { kind: "decided", decisions, annotations: noAnnotations };
        const annotationSession = new CelSession(outside, validationLimits);
        return {
          kind: "decided",
          decisions,
          annotations: annotate(annotationSession, variables.bind(annotationSession, inputs)),
        };
      }, failed);
    },
  };
}
