import { isObject, type JsonObject, member } from "../../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import { adviceFix, andList, type LintIssue, orList } from "../issue.ts";
import type { LintContext } from "../object-check.ts";
import type { ObjectDocument, ScannedSet } from "../scanned-set.ts";
import { judgeKey } from "./keys.ts";
import { type QuotaScope, readScopes } from "./scopes.ts";

/** Scopes that leave ordinary pods out. BestEffort and cross-namespace affinity are limits on those very pods. */
const escapable = new Set(["PriorityClass", "Terminating", "NotTerminating"]);

/** Pods outside the scope of a quota, where no other quota of the namespace counts them. */
export function escapeIssues(
  quota: KubernetesObject,
  scopes: readonly QuotaScope[],
  context: LintContext,
  document: ObjectDocument,
): LintIssue[] {
  const scope = scopes.find((s) => escapable.has(s.name));
  if (scope === undefined || isSystemBudget(scope)) return [];
  const others = context.set
    .inNamespace("/ResourceQuota", namespaceOf(quota))
    .filter((other) => other !== document)
    .map((other) => other.value);
  const keys = hardKeys(quota).filter(
    (key) => judgeKey(key, context).kind === "counted" && !others.some((other) => covers(other, key, scope)),
  );
  if (keys.length === 0) return [];
  const classes = scope.name === "PriorityClass" ? missingClasses(scope, context.set) : [];
  const evidence: JsonObject = {
    scope: scope.name,
    operator: scope.operator,
    ...(scope.values.length === 0 ? {} : { values: scope.values }),
    uncovered: keys,
    ...(classes.length === 0 ? {} : { priorityClassesNotFound: classes }),
  };
  return [
    {
      check: "quota-scope",
      rule: "escape",
      path: scope.path,
      status: "warn",
      message: `The quota counts only ${counted(scope)}; ${escapees(scope, context.set)} escape its limits on ${andList(keys)}.${classHint(classes)}`,
      evidence,
      fix: adviceFix("Remove the scope, or add a quota for the pods outside it."),
    },
  ];
}

function counted({ name, operator, values }: QuotaScope): string {
  if (name === "Terminating") return "pods with activeDeadlineSeconds";
  if (name === "NotTerminating") return "pods without activeDeadlineSeconds";
  if (operator === "In") return `pods of the priority class ${orList(values)}`;
  if (operator === "NotIn") return `pods whose priority class is not ${orList(values)}`;
  return operator === "DoesNotExist" ? "pods without a priority class" : "pods with a priority class";
}

function escapees({ name, operator, values }: QuotaScope, set: ScannedSet): string {
  if (name === "Terminating") return "pods without a deadline";
  if (name === "NotTerminating") return "pods with a deadline, such as those of Jobs,";
  if (operator === "NotIn") return "the pods of that class";
  if (operator === "DoesNotExist") return "pods that name a priority class";
  const fallback = defaultClass(set);
  if (operator === "In" && fallback !== undefined && values.includes(fallback)) return "pods of every other class";
  return operator === "In" ? "pods that name another class, or none," : "pods that name none";
}

function classHint(classes: readonly string[]): string {
  if (classes.length === 0) return "";
  const names = orList(classes.map((c) => JSON.stringify(c)));
  return ` The values are names of PriorityClass objects; none of the scanned ones is called ${names}.`;
}

function missingClasses(scope: QuotaScope, set: ScannedSet): readonly string[] {
  const known = new Set(set.ofKind("scheduling.k8s.io/PriorityClass").map((document) => nameOf(document.value)));
  return scope.values.filter((value) => !known.has(value) && !value.startsWith("system-"));
}

function defaultClass(set: ScannedSet): string | undefined {
  const document = set.ofKind("scheduling.k8s.io/PriorityClass").find((d) => member(d.value, "globalDefault") === true);
  return document === undefined ? undefined : nameOf(document.value);
}

/** A quota for the cluster's own priority classes is how a namespace is allowed to use them. */
function isSystemBudget({ name, operator, values }: QuotaScope): boolean {
  return (
    name === "PriorityClass" && operator === "In" && values.length > 0 && values.every((value) => value.startsWith("system-"))
  );
}

function hardKeys(quota: KubernetesObject): readonly string[] {
  const hard = member(quota["spec"], "hard");
  return isObject(hard) ? Object.keys(hard) : [];
}

/** Whether a quota counts the pods that `scope` leaves out: it has no scope, or the opposite one. */
function covers(other: KubernetesObject, key: string, scope: QuotaScope): boolean {
  if (!hardKeys(other).some((candidate) => sameKey(candidate, key))) return false;
  const scopes = readScopes(other);
  const [only] = scopes;
  if (only === undefined) return true;
  if (scopes.length > 1) return false;
  if (scope.name === "Terminating") return only.name === "NotTerminating";
  if (scope.name === "NotTerminating") return only.name === "Terminating";
  if (only.name !== "PriorityClass") return false;
  return complementary(scope, only) || complementary(only, scope);
}

function complementary(a: QuotaScope, b: QuotaScope): boolean {
  if (a.operator === "Exists") return b.operator === "DoesNotExist";
  return a.operator === "In" && b.operator === "NotIn" && b.values.every((value) => a.values.includes(value));
}

function sameKey(a: string, b: string): boolean {
  const bare = (key: string) => key.replace(/^requests\.(cpu|memory|ephemeral-storage)$/, "$1");
  return bare(a) === bare(b);
}
