import { asString, isObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import type { RuleResult } from "../policy.ts";
import { reasonOf } from "./outcome.ts";
import type { DocumentReport } from "./report.ts";
import type { RuleScope } from "./rule-types.ts";
import { compileTemplate } from "./variables.ts";

/** Adds a rule's `reportProperties` to a result; `message` and `passMessage`, `failMessage` ... replace its message. */
export type ResultProperties = (result: RuleResult, scope: RuleScope) => RuleResult;

/** Compiles `reportProperties`; undefined where there are none. */
export function compileProperties(
  spec: JsonValue | undefined,
  path: JsonPath,
  report: DocumentReport,
): ResultProperties | undefined {
  if (!isObject(spec) || Object.keys(spec).length === 0) return undefined;
  const template = compileTemplate(spec);
  report.adopt(template.diagnostics, path);
  if (!template.ok) return undefined;
  return (result, scope) => {
    let properties: JsonValue = spec;
    try {
      properties = template.value.substitute(scope);
    } catch (error) {
      // Properties describe; a variable that cannot be resolved leaves them as they are written.
      reasonOf(error);
    }
    const ofStatus = asString(member(properties, `${result.status}Message`)) ?? "";
    const message = (asString(member(properties, "message")) ?? "") || ofStatus || result.message;
    return { ...result, message, evidence: { ...result.evidence, properties } };
  };
}
