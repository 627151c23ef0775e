import { asString, isArray, type JsonPath, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { adviceFix, type LintIssue, orList } from "../issue.ts";
import { strings } from "../rbac/policy-rule.ts";
import { isStandardKey, type KeyVerdict } from "./keys.ts";

/** One condition on the objects that a quota counts. */
export interface QuotaScope {
  readonly name: string;
  readonly operator: string;
  readonly values: readonly string[];
  readonly path: JsonPath;
}

/** Both notations: `scopes: [X]` is `scopeSelector` with the operator Exists. */
export function readScopes(quota: KubernetesObject): readonly QuotaScope[] {
  const spec = quota["spec"];
  const plain = strings(member(spec, "scopes")).map((name, i) => ({
    name,
    operator: "Exists",
    values: [],
    path: ["spec", "scopes", i],
  }));
  const expressions = member(member(spec, "scopeSelector"), "matchExpressions");
  if (!isArray(expressions)) return plain;
  return [
    ...plain,
    ...expressions.map((e, i) => ({
      name: asString(member(e, "scopeName")) ?? "",
      operator: asString(member(e, "operator")) ?? "",
      values: strings(member(e, "values")),
      path: ["spec", "scopeSelector", "matchExpressions", i],
    })),
  ];
}

const podKeys: ReadonlySet<string> = new Set([
  "pods",
  "cpu",
  "memory",
  "requests.cpu",
  "requests.memory",
  "limits.cpu",
  "limits.memory",
]);

/** The standard keys a scope may be combined with. */
const allowedKeys: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["Terminating", podKeys],
  ["NotTerminating", podKeys],
  ["NotBestEffort", podKeys],
  ["PriorityClass", podKeys],
  ["CrossNamespacePodAffinity", podKeys],
  ["BestEffort", new Set(["pods"])],
  ["VolumeAttributesClass", new Set(["persistentvolumeclaims", "requests.storage"])],
]);

const valuedScopes = new Set(["PriorityClass", "VolumeAttributesClass"]);
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

/** What validation refuses about scopes, and keys that a scope silences. */
export function scopeIssues(scopes: readonly QuotaScope[], verdicts: ReadonlyMap<string, KeyVerdict>): LintIssue[] {
  return [
    ...scopes.flatMap((scope) => [...operatorIssues(scope), ...keyIssues(scope, verdicts)]),
    ...opposites.flatMap(([a, b]) => oppositeIssue(scopes, a, b)),
  ];
}

function rejected(path: JsonPath, message: string, fix: string): LintIssue {
  return {
    check: "quota-scope",
    rule: "rejected",
    path,
    status: "fail",
    severity: "high",
    server: "refuses-object",
    message: `${message} The API server refuses the quota.`,
    fix: adviceFix(fix),
  };
}

function operatorIssues(scope: QuotaScope): LintIssue[] {
  const { name, operator, values, path } = scope;
  if (!allowedKeys.has(name)) return [];
  if (!valuedScopes.has(name) && operator !== "Exists") {
    return [
      rejected(
        path,
        `The scope ${name} takes the operator Exists only, not ${operator || "none"}.`,
        "Write operator: Exists, without values.",
      ),
    ];
  }
  if ((operator === "In" || operator === "NotIn") && values.length === 0) {
    return [rejected(path, `The operator ${operator} needs values.`, `List the names of the ${name}es.`)];
  }
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
    return [rejected(path, `The operator ${operator} takes no values.`, "Remove values, or use In or NotIn.")];
  }
  return [];
}

function keyIssues(scope: QuotaScope, verdicts: ReadonlyMap<string, KeyVerdict>): LintIssue[] {
  const allowed = allowedKeys.get(scope.name);
  if (allowed === undefined) return [];
  const refused = [...verdicts.keys()].filter((key) => isStandardKey(key) && !allowed.has(key));
  const scoped = scope.name === "VolumeAttributesClass" ? "claims" : "pods";
  const silent = [...verdicts].flatMap(([key, verdict]) =>
    verdict.kind === "counted" && !isStandardKey(key) && verdict.what !== scoped ? [key] : [],
  );
  const issues: LintIssue[] = [];
  if (refused.length > 0) {
    issues.push(
      rejected(
        scope.path,
        `The scope ${scope.name} cannot limit ${orList(refused)}, only ${orList([...allowed])}.`,
        "Move these keys to a quota without the scope.",
      ),
    );
  }
  for (const key of silent) {
    issues.push({
      check: "quota-scope",
      rule: "silenced",
      path: ["spec", "hard", key],
      atKey: true,
      status: "fail",
      severity: "high",
      message: `The scope ${scope.name} applies to ${scoped} only; in this quota nothing is ever counted against ${key}.`,
      fix: adviceFix(`Move ${key} to a quota without the scope.`),
    });
  }
  return issues;
}

function oppositeIssue(scopes: readonly QuotaScope[], a: string, b: string): LintIssue[] {
  const second = scopes.find((scope) => scope.name === b);
  if (second === undefined || !scopes.some((scope) => scope.name === a)) return [];
  return [rejected(second.path, `No pod is both ${a} and ${b}.`, "Write one quota for each.")];
}
