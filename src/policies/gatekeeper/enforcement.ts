import { asString, isArray, type JsonObject, member } from "../../core/json.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import type { Enforcement } from "../policy.ts";
import type { EnforcementPoint } from "./review.ts";

const known: { readonly [action: string]: Enforcement } = { deny: "enforce", warn: "warn", dryrun: "audit" };
const strictness: readonly Enforcement[] = ["enforce", "warn", "audit"];

/** What a violation means at an enforcement point; undefined: the constraint is not evaluated there. */
export type Enforcements = (point: EnforcementPoint) => Enforcement | undefined;

function scoped(spec: JsonObject, report: DocumentReport): Enforcements {
  const path = ["spec", "scopedEnforcementActions"];
  const entries = spec["scopedEnforcementActions"];
  if (!isArray(entries)) {
    report.error("GATEKEEPER_CONSTRAINT", path, "enforcementAction scoped needs a list of scopedEnforcementActions");
    return () => undefined;
  }
  const actions = entries.map((entry, i) => {
    const action = asString(member(entry, "action")) ?? "";
    const points = member(entry, "enforcementPoints");
    const names = (isArray(points) ? points : []).map((point) => asString(member(point, "name")) ?? "");
    if (known[action] === undefined) warnOfAction(action, [...path, i, "action"], report);
    return { enforcement: known[action] ?? "audit", names };
  });
  return (point) => {
    const here = actions.filter(({ names }) => names.includes("*") || names.includes(point));
    return strictness.find((one) => here.some(({ enforcement }) => enforcement === one));
  };
}

function warnOfAction(action: string, path: readonly (string | number)[], report: DocumentReport): void {
  const message = `${JSON.stringify(action)} is none of deny, warn, dryrun, scoped; violations are recorded only`;
  report.warning("GATEKEEPER_CONSTRAINT", path, message);
}

/** What the constraint's `enforcementAction` and `scopedEnforcementActions` say. */
export function compileEnforcement(spec: JsonObject, report: DocumentReport): Enforcements {
  const action = asString(spec["enforcementAction"]) ?? "deny";
  if (action === "scoped") return scoped(spec, report);
  if (known[action] === undefined) warnOfAction(action, ["spec", "enforcementAction"], report);
  const enforcement = known[action] ?? "audit";
  return () => enforcement;
}
