import { failed, loaded } from "../../core/diagnostic.ts";
import {
  asString,
  isArray,
  isObject,
  type JsonObject,
  type JsonPath,
  type JsonValue,
  member,
  toDotted,
  valueAt,
} from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { once } from "../../core/once.ts";
import { fixFor } from "../pod-security/fix.ts";
import { podOf } from "../pod-security/pod.ts";
import { parseLevel, parseVersion } from "../pod-security/versions.ts";
import type { RuleResult } from "../policy.ts";
import { errorResult, failedWith, passed, skipped } from "./outcome.ts";
import {
  type CheckInForce,
  type ControlExclusion,
  checksInForce,
  controlChecks,
  exclude,
  type FailedControl,
  failedControls,
  fieldErrorText,
} from "./pod-security-controls.ts";
import { DocumentReport } from "./report.ts";
import type { RuleCompiler, RuleScope, RuleSource } from "./rule-types.ts";

/** Where a pod's metadata and spec stand in the kinds that Kyverno reads; a cron job's metadata is that of its jobs. */
const places: { readonly [kind: string]: { readonly metadata: JsonPath; readonly spec: JsonPath } } = {
  Pod: { metadata: ["metadata"], spec: ["spec"] },
  CronJob: { metadata: ["spec", "jobTemplate", "metadata"], spec: ["spec", "jobTemplate", "spec", "template", "spec"] },
  ...Object.fromEntries(
    ["DaemonSet", "Deployment", "Job", "StatefulSet", "ReplicaSet", "ReplicationController"].map((kind) => [
      kind,
      { metadata: ["spec", "template", "metadata"], spec: ["spec", "template", "spec"] },
    ]),
  ),
};

interface PodSecurityRule {
  readonly name: string;
  /** As written: messages repeat it. */
  readonly level: string;
  readonly version: string;
  readonly checks: readonly CheckInForce[];
  readonly exclusions: readonly ControlExclusion[];
}

/** Compiles `validate.podSecurity`. */
export const compilePodSecurityRule: RuleCompiler = (source) => {
  const report = new DocumentReport(source.policy.document);
  const rule = readRule(source, report);
  if (rule === undefined || report.errorCount > 0) return failed(...report.diagnostics);
  return loaded([{ kind: "validate", evaluate: (scope) => evaluate(rule, scope) }], report.diagnostics);
};

function readRule(source: RuleSource, report: DocumentReport): PodSecurityRule | undefined {
  const path = [...source.path, "validate", "podSecurity"];
  const spec = valueAt(source.spec, ["validate", "podSecurity"]);
  const level = asString(member(spec, "level")) ?? "";
  const version = asString(member(spec, "version")) ?? "";
  const parsedVersion = version === "" ? "latest" : parseVersion(version);
  const parsedLevel = level === "" ? "restricted" : parseLevel(level);
  if (parsedLevel === undefined) report.error("KYV_BAD_RULE", [...path, "level"], "must be privileged, baseline or restricted");
  if (parsedVersion === undefined) report.error("KYV_BAD_RULE", [...path, "version"], 'must be "latest" or "v1.x"');
  if (parsedLevel === "privileged") {
    report.warning("KYV_POD_SECURITY_LEVEL", [...path, "level"], "Kyverno makes every check at this level, as at restricted");
  }
  const exclusions = listOf(member(spec, "exclude")).map((entry, i) => {
    const exclusion = readExclusion(entry);
    for (const problem of exclusionProblems(exclusion, level)) report.error("KYV_BAD_RULE", [...path, "exclude", i], problem);
    return exclusion;
  });
  if (parsedLevel === undefined || parsedVersion === undefined) return undefined;
  return { name: source.name, level, version, checks: checksInForce({ level: parsedLevel, version: parsedVersion }), exclusions };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}

function texts(value: JsonValue | undefined): readonly string[] {
  return listOf(value).filter((item) => typeof item === "string");
}

function readExclusion(entry: JsonValue): ControlExclusion {
  return {
    controlName: asString(member(entry, "controlName")) ?? "",
    images: texts(member(entry, "images")),
    restrictedField: asString(member(entry, "restrictedField")) ?? "",
    values: texts(member(entry, "values")),
  };
}

const containerControls = ["Capabilities", "Privileged Containers", "Host Ports", "/proc Mount Type", "Privilege Escalation"];
const podControls = ["Host Namespaces", "HostPath Volumes", "Sysctls", "Volume Types"];
const restrictedControls = ["Volume Types", "Privilege Escalation", "Running as Non-root", "Running as Non-root user"];

/** What Kyverno refuses about an exclusion. */
function exclusionProblems({ controlName, images, restrictedField, values }: ControlExclusion, level: string): readonly string[] {
  return [
    ...(Object.hasOwn(controlChecks, controlName) ? [] : [`controlName: ${JSON.stringify(controlName)} is no control`]),
    ...(containerControls.includes(controlName) && images.length === 0
      ? ["images must be given for a control of containers"]
      : []),
    ...(podControls.includes(controlName) && images.length > 0 ? ["images must not be given for a control of pods"] : []),
    ...(restrictedField !== "" && values.length === 0 ? ["values must be given with restrictedField"] : []),
    ...(restrictedField === "" && values.length > 0 ? ["restrictedField must be given with values"] : []),
    ...(level === "baseline" && restrictedControls.includes(controlName)
      ? [`${controlName} is no control of the level baseline`]
      : []),
  ];
}

function evaluate(rule: PodSecurityRule, scope: RuleScope): readonly RuleResult[] {
  const { action, object = scope.context.oldObject } = scope.context;
  if (action.operation === "DELETE" || object === undefined) return [];
  const place = Object.hasOwn(places, object.kind) ? places[object.kind] : undefined;
  if (place === undefined) return [errorResult("Error while getting new resource: could not find correct resource type")];
  const [metadata, spec] = [valueAt(object, place.metadata), valueAt(object, place.spec)];
  const pod = { metadata: isObject(metadata) ? metadata : {}, spec: isObject(spec) ? spec : {} };
  const read = podOf(pod);
  const [mismatch] = read.mismatches;
  const locate = (path: JsonPath): JsonPath => [...(path[0] === "metadata" ? place.metadata : place.spec), ...path.slice(1)];
  if (mismatch !== undefined) {
    const text = `${toDotted(locate(mismatch.path))} must be ${mismatch.expected}`;
    return [{ ...errorResult(`Error while getting new resource: ${text}`), locate: () => locate(mismatch.path) }];
  }
  const found = exclude(failedControls(rule.checks, read), rule.exclusions, rule.checks, pod);
  if (found.length === 0) return [passed(`Validation rule '${rule.name}' passed.`)];
  const exceptions = scope.exceptions.map((e) => e.key);
  const left = exclude(
    found,
    scope.exceptions.flatMap((e) => e.podSecurity.map(readExclusion)),
    rule.checks,
    pod,
  );
  if (left.length === 0) return [{ ...skipped(`rule is skipped due to policy exceptions ${exceptions.join(", ")}`), exceptions }];
  return [failure(rule, left, object, locate)];
}

function failure(
  rule: PodSecurityRule,
  controls: readonly FailedControl[],
  object: KubernetesObject,
  locate: (path: JsonPath) => JsonPath,
): RuleResult {
  const text = controls.map((control) => controlText(control, object.kind)).join("");
  const message = `Validation rule '${rule.name}' failed. It violates PodSecurity "${rule.level}:${rule.version}": ${text}`;
  const broken = controls.map(({ check, violations, errors }) => ({
    check,
    violations: errors === undefined ? violations : errors.map((e) => e.violation),
  }));
  const fields = once(() => broken.flatMap(({ violations }) => violations.map((v) => locate(v.path))));
  const evidence = once((): JsonObject => ({ controls: controls.map((c) => c.check.id), fields: fields().map(toDotted) }));
  const fix = once(() => fixFor(broken, object, locate));
  return {
    ...failedWith(message),
    locate: () => fields()[0],
    get evidence() {
      return evidence();
    },
    get fix() {
      return fix();
    },
  };
}

function controlText({ check, violations, errors }: FailedControl, kind: string): string {
  const list = errors?.map((error) => fieldErrorText({ ...error, field: fieldIn(kind, error.field) })) ?? [];
  return `(Forbidden reason: ${check.reason(violations)}, field error list: [${list.join(", ")}])`;
}

/** Kyverno's text of a field in an object of the kind: it replaces words, and calls a Pod's metadata that of a template. */
function fieldIn(kind: string, field: string): string {
  const spec = kind === "Pod" ? "spec" : kind === "CronJob" ? "spec.jobTemplate.spec.template.spec" : "spec.template.spec";
  return field.replaceAll("spec", spec).replaceAll("metadata", "spec.template.metadata");
}
