import { asString, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { namespaceOf } from "../../core/kubernetes.ts";
import { lenientOrValueLibrary } from "../cel/compat.ts";
import { admissionInputs, withAuthorizer, withParams } from "../cel/inputs.ts";
import { collectParams } from "../cel/params.ts";
import { compileValidator, type Validator } from "../cel/validator.ts";
import type { RuleContext, RuleResult } from "../policy.ts";
import { errorResult, failedWith, passed, reasonOf, skipped } from "./outcome.ts";
import type { DocumentReport } from "./report.ts";
import type { RuleBody, RuleSource } from "./rule-types.ts";

/** What comes of one parameter object; undefined: all validations hold. */
function judge(validator: Validator, context: RuleContext, params: JsonObject | null | undefined): RuleResult | undefined {
  const given = withAuthorizer(context, admissionInputs(context));
  // Without parameters no expression speaks of them.
  const inputs = params === undefined ? given : withParams(params, given);
  const { facts, host } = context;
  const result = validator.validate(inputs, { facts, host });
  if (result.kind === "unmatched") return skipped("cel preconditions not met");
  // An expression that cannot be evaluated denies, as in the API server.
  const bad = result.decisions.find((decision) => decision.kind !== "admit");
  return bad === undefined ? undefined : failedWith(bad.message);
}

function paramsOf(cel: JsonValue | undefined, context: RuleContext): readonly (JsonObject | null)[] {
  const object = context.object ?? context.oldObject;
  const namespace = object === undefined || object.kind === "Namespace" ? "" : namespaceOf(object);
  return collectParams(member(cel, "paramKind"), member(cel, "paramRef"), namespace, context);
}

/** Compiles `validate.cel` with the rule's `celPreconditions`. */
export function compileCelRule({ name, spec, path }: RuleSource, report: DocumentReport): readonly RuleBody[] {
  const validate = spec["validate"];
  const cel = member(validate, "cel");
  const celPath = [...path, "validate", "cel"];
  const hasParams = isObject(member(cel, "paramKind")) && isObject(member(cel, "paramRef"));
  const validator = compileValidator(
    {
      validations: member(cel, "expressions"),
      validationsPath: [...celPath, "expressions"],
      variables: member(cel, "variables"),
      variablesPath: [...celPath, "variables"],
      matchConditions: spec["celPreconditions"],
      matchConditionsPath: [...path, "celPreconditions"],
      auditAnnotations: member(cel, "auditAnnotations"),
      auditAnnotationsPath: [...celPath, "auditAnnotations"],
      params: hasParams,
      message: asString(member(validate, "message")),
      libraries: [lenientOrValueLibrary],
    },
    report,
  );
  const evaluate = (context: RuleContext): RuleResult => {
    let params: readonly (JsonObject | null)[];
    try {
      params = paramsOf(cel, context);
    } catch (error) {
      return errorResult(`error in parameterized resource: ${reasonOf(error)}`);
    }
    for (const param of params) {
      const result = judge(validator, context, hasParams ? param : undefined);
      if (result !== undefined) return result;
    }
    return passed(`Validation rule '${name}' passed.`);
  };
  return [{ kind: "validate", evaluate: (scope) => [evaluate(scope.context)] }];
}
