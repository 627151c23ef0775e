import { type JsonObject, type JsonPath, toDotted } from "../../core/json.ts";
import { gvkOf, type KubernetesObject } from "../../core/kubernetes.ts";
import type { Enforcement, RuleContext, RuleResult } from "../policy.ts";
import { isExemptRuntime, requestExemption } from "./admission.ts";
import type { Check, Violation } from "./check.ts";
import type { Exemptions } from "./configuration.ts";
import type { Demand, DemandsOf } from "./demand.ts";
import { fixFor } from "./fix.ts";
import { type Pod, podOf } from "./pod.ts";
import type { JudgedPod, JudgedPods } from "./pods-of.ts";
import { failureText } from "./registry.ts";
import { isSignificantUpdate } from "./significant-update.ts";
import { levelVersionText } from "./versions.ts";

/** What all rules of a policy share. */
export interface Judge {
  readonly demandsOf: DemandsOf;
  readonly exemptions: Exemptions;
  readonly enforcement: Enforcement;
  podsOf(object: KubernetesObject): JudgedPods;
}

/** One result for each pod of the object that the check says something about; one pass where it is content with all. */
export function judgeCheck(check: Check, judge: Judge, context: RuleContext): readonly RuleResult[] {
  const { object, action } = context;
  if (object === undefined || isInsignificant(context)) return [];
  const exemption = requestExemption(action, judge.exemptions);
  const results: RuleResult[] = [];
  let isContent = false;
  for (const judged of judge.podsOf(object).pods) {
    const { found, pod } = judged;
    const isElsewhere = found.namespace !== undefined && found.namespace !== action.target.namespace;
    const demands = judge.demandsOf(check, isElsewhere ? undefined : action.namespaceLabels);
    if (demands.length === 0 || pod.mismatches.length > 0) continue;
    const failure = firstFailure(demands, pod);
    const exempt = exemption ?? (isExemptRuntime(pod, judge.exemptions) ? "runtimeClass" : undefined);
    if (failure === undefined) isContent = true;
    else if (exempt !== undefined) results.push({ status: "skip", message: `exempt from Pod Security by ${exempt}` });
    else results.push(describe(check, failure.demand, failure.violations, judged, context));
  }
  return results.length === 0 && isContent ? [{ status: "pass", message: `${check.title}: none` }] : results;
}

function firstFailure(
  demands: readonly Demand[],
  pod: Pod,
): { readonly demand: Demand; readonly violations: readonly Violation[] } | undefined {
  for (const demand of demands) {
    const violations = demand.find(pod);
    if (violations.length > 0) return { demand, violations };
  }
  return undefined;
}

/** Updates of a Pod that cannot change the verdict are not judged, as in the API server. */
function isInsignificant({ action, object, oldObject }: RuleContext): boolean {
  if (action.operation !== "UPDATE" || object === undefined || oldObject === undefined) return false;
  return gvkOf(object).group === "" && object.kind === "Pod" && !isSignificantUpdate(podOf(object), podOf(oldObject));
}

function describe(
  check: Check,
  demand: Demand,
  violations: readonly Violation[],
  judged: JudgedPod,
  context: RuleContext,
): RuleResult {
  const { found } = judged;
  if (demand.status === "skip") {
    const allowed = `allowed in the namespace, which enforces ${levelVersionText(demand.standard)}`;
    return { status: "skip", message: `${allowed}: ${failureText({ check, violations })}` };
  }
  const told = found.completedBy === undefined ? violations : violations.filter((v) => v.value !== undefined);
  if (told.length === 0) {
    const unknown = `cannot be seen here, because ${found.completedBy} completes the pod`;
    return { status: "skip", message: `${unknown}: ${failureText({ check, violations })}` };
  }
  return {
    status: statusOf(demand, context, found.holder),
    severity: demand.severity,
    message: `${failureText({ check, violations: told })}${structureNote(judged)}`,
    locate: placeOf(told, found.locate),
    evidence: evidenceOf(demand, told, judged),
    ...(context.object === undefined ? {} : { fix: fixFor([{ check, violations: told }], context.object, found.locate) }),
  };
}

/** At admission the API server refuses pods only; about what makes pods it warns. */
function statusOf(
  demand: Demand,
  { action }: RuleContext,
  holder: { readonly group: string; readonly kind: string },
): "fail" | "warn" {
  const isPod = holder.group === "" && holder.kind === "Pod";
  return demand.status === "fail" && (action.channel !== "admission" || isPod) ? "fail" : "warn";
}

function structureNote({ found }: JudgedPod): string {
  return found.how === "structural" ? ` (found by its structure: ${found.holder.kind} is no kind that the catalogue knows)` : "";
}

function placeOf([first]: readonly Violation[], locate: (path: JsonPath) => JsonPath): () => JsonPath | undefined {
  return () => first && locate(first.path);
}

function evidenceOf({ standard }: Demand, violations: readonly Violation[], { found }: JudgedPod): JsonObject {
  return {
    standard: levelVersionText(standard),
    pod: toDotted(found.path),
    ...(found.role === "" ? {} : { role: found.role }),
    foundBy: found.how === "structural" ? "structure" : "catalogue",
    fields: violations.map(({ path, value }) => ({
      path: toDotted(found.locate(path)),
      ...(value === undefined ? {} : { value }),
    })),
  };
}
