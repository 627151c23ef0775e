import { asString, isArray, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { lazily } from "../cel/inputs.ts";
import { compileValidator, type Decision } from "../cel/validator.ts";
import type { VariableSpec } from "../cel/variables.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import type { Engine, Violation } from "./engine.ts";

/** What every template may use: the object, of deletions the old one, and the parameters. */
const ownVariables: readonly VariableSpec[] = [
  {
    name: "anyObject",
    expression: 'has(request.operation) && request.operation == "DELETE" && object == null ? oldObject : object',
  },
  { name: "params", expression: "!has(params.spec) ? null : !has(params.spec.parameters) ? null : params.spec.parameters" },
];

const reservedNames = ["params", "anyObject"];
const reservedPrefix = "gatekeeper_internal_";

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

function refuseNames(items: readonly JsonValue[], reserved: readonly string[], path: JsonPath, report: DocumentReport): void {
  for (const [i, item] of items.entries()) {
    const name = asString(member(item, "name")) ?? "";
    if (reserved.includes(name) || name.startsWith(reservedPrefix)) {
      report.error("GATEKEEPER_TEMPLATE", [...path, i, "name"], `${name} is a name that Gatekeeper keeps for itself`);
    }
  }
}

/** Compiles a source of the engine K8sNativeValidation. */
export function compileTemplateCel(source: JsonValue | undefined, path: JsonPath, report: DocumentReport): Engine | undefined {
  // Gatekeeper knows this name only, whatever its documentation says.
  const conditionsPath = [...path, "matchCondition"];
  const conditions = listOf(member(source, "matchCondition"));
  const variables = listOf(member(source, "variables"));
  refuseNames(conditions, [], conditionsPath, report);
  refuseNames(variables, reservedNames, [...path, "variables"], report);
  const policy = member(source, "failurePolicy") ?? "Fail";
  if (policy !== "Fail" && policy !== "Ignore") {
    report.error("GATEKEEPER_TEMPLATE", [...path, "failurePolicy"], `${JSON.stringify(policy)} is neither Fail nor Ignore`);
  }
  const validator = compileValidator(
    {
      validations: member(source, "validations"),
      validationsPath: [...path, "validations"],
      variables,
      variablesPath: [...path, "variables"],
      matchConditions: conditions,
      matchConditionsPath: conditionsPath,
      auditAnnotations: undefined,
      auditAnnotationsPath: path,
      params: true,
      given: ownVariables,
    },
    report,
  );
  const asViolation = (decision: Decision): readonly Violation[] => {
    if (decision.kind === "deny") return [{ status: "fail", message: decision.message }];
    if (decision.kind === "admit" || policy === "Ignore") return [];
    return [{ status: "error", message: decision.message }];
  };
  return {
    needsInventory: false,
    constraint: (_, whole) => (judged) => {
      const inputs = lazily({ params: () => whole }, judged.inputs());
      const validated = validator.validate(inputs, { facts: judged.facts, host: judged.host });
      return validated.kind === "unmatched" ? [] : validated.decisions.flatMap(asViolation);
    },
  };
}
