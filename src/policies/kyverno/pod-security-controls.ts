import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import type { Check, CheckId, CheckRevision, Violation } from "../pod-security/check.ts";
import { type Pod, podOf } from "../pod-security/pod.ts";
import { checks } from "../pod-security/registry.ts";
import type { LevelVersion } from "../pod-security/versions.ts";

/** Kyverno 1.19 knows the standards up to this minor. */
const newestMinor = 34;

/** Names of controls in `exclude`, and the checks behind each. */
export const controlChecks: { readonly [control: string]: readonly CheckId[] } = {
  Capabilities: ["capabilities_baseline", "capabilities_restricted"],
  Seccomp: ["seccompProfile_baseline", "seccompProfile_restricted"],
  "Privileged Containers": ["privileged"],
  "Host Ports": ["hostPorts"],
  "/proc Mount Type": ["procMount"],
  HostProcess: ["windowsHostProcess"],
  SELinux: ["seLinuxOptions"],
  "Host Namespaces": ["hostNamespaces"],
  "HostPath Volumes": ["hostPathVolumes"],
  Sysctls: ["sysctls"],
  AppArmor: ["appArmorProfile"],
  "Privilege Escalation": ["allowPrivilegeEscalation"],
  "Running as Non-root": ["runAsNonRoot"],
  "Running as Non-root user": ["runAsUser"],
  "Volume Types": ["restrictedVolumes"],
};

/** One entry of `exclude`. */
export interface ControlExclusion {
  readonly controlName: string;
  /** Empty: the pod's own fields are excluded; else the fields of containers with these images. */
  readonly images: readonly string[];
  /** Empty: every field of the control. */
  readonly restrictedField: string;
  /** Empty: every value. */
  readonly values: readonly string[];
}

/** One offending field as Kyverno reports it. */
export interface FieldError {
  readonly violation: Violation;
  /** `spec.containers[0].securityContext.privileged` */
  readonly field: string;
  /** The text after `forbidden values found:`; undefined: none is named. */
  readonly found: string | undefined;
  readonly required: boolean;
  /** What `values` of an exclusion are compared with. */
  readonly values: readonly string[];
}

/** A check that a pod fails; undefined errors are Kyverno's for checks that it cannot exclude. */
export interface FailedControl {
  readonly check: Check;
  readonly violations: readonly Violation[];
  readonly errors: readonly FieldError[] | undefined;
}

interface KyvernoCheck {
  readonly check: Check;
  readonly revisions: readonly CheckRevision[];
}

/** In the order of the checks' names, without those that Kyverno does not know yet. */
const kyvernoChecks: readonly KyvernoCheck[] = checks
  .map((check) => ({ check, revisions: check.revisions.filter((r) => r.since <= newestMinor) }))
  .filter(({ revisions }) => revisions.length > 0)
  .sort((a, b) => (a.check.id < b.check.id ? -1 : 1));

/** A check in the revision that a version of the standards asks for. */
export interface CheckInForce {
  readonly check: Check;
  readonly revision: CheckRevision | undefined;
}

/**
 * The checks of a level, as Kyverno runs them: unlike the API server it never lets a restricted check replace a baseline
 * one, and runs a check's oldest revision for versions before it.
 */
export function checksInForce({ level, version }: LevelVersion): readonly CheckInForce[] {
  return kyvernoChecks
    .filter(({ check }) => level !== "baseline" || check.level === "baseline")
    .map(({ check, revisions }) => ({
      check,
      revision: revisions.findLast((r) => version === "latest" || r.since <= version) ?? revisions[0],
    }));
}

/** The checks that a pod fails. */
export function failedControls(inForce: readonly CheckInForce[], pod: Pod): readonly FailedControl[] {
  const failed: FailedControl[] = [];
  for (const { check, revision } of inForce) {
    const violations = revision?.find(pod) ?? [];
    if (violations.length > 0) failed.push({ check, violations, errors: fieldErrors(check.id, violations) });
  }
  return failed;
}

function fieldErrors(check: CheckId, violations: readonly Violation[]): readonly FieldError[] | undefined {
  if (check === "hostProbesAndHostLifecycle") return undefined;
  const explicit = violations.filter((v) => v.value !== undefined);
  const listed = check === "seccompProfile_restricted" && explicit.length > 0 ? explicit : violations;
  return listed.map((violation) => fieldError(check, violation));
}

function fieldError(check: CheckId, violation: Violation): FieldError {
  const field = fieldText(violation.path);
  const value = check === "restrictedVolumes" ? "" : (violation.value ?? impliedValue(check, violation));
  if (value === undefined) return { violation, field, found: undefined, required: true, values: [] };
  const values = isArray(value) ? value.map(String) : value === "" ? [] : [String(value)];
  const found = isArray(value) ? `[${values.join(" ")}]` : value === "" ? undefined : String(value);
  return { violation, field, found, required: false, values };
}

/** A security context that leaves the field out is reported with the value nil. */
function impliedValue(check: CheckId, { setter }: Violation): JsonValue | undefined {
  const present = typeof setter === "object" && "securityContext" in setter && setter.securityContext.present;
  return check === "allowPrivilegeEscalation" && present ? "nil" : undefined;
}

function fieldText(path: JsonPath): string {
  if (path[0] === "metadata") return `metadata.annotations[${String(path.at(-1))}]`;
  return path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");
}

export function fieldErrorText({ field, found, required }: FieldError): string {
  if (required) return `${field}: Required value`;
  return found === undefined ? `${field}: Forbidden` : `${field} is forbidden, forbidden values found: ${found}`;
}

/** Takes out what the exclusions lift; a check of which nothing is left is lifted. */
export function exclude(
  failed: readonly FailedControl[],
  exclusions: readonly ControlExclusion[],
  inForce: readonly CheckInForce[],
  pod: JsonObject,
): readonly FailedControl[] {
  return exclusions.reduce((left, exclusion) => excludeOne(left, exclusion, inForce, pod), failed);
}

function excludeOne(
  failed: readonly FailedControl[],
  exclusion: ControlExclusion,
  inForce: readonly CheckInForce[],
  pod: JsonObject,
): readonly FailedControl[] {
  const ids = Object.hasOwn(controlChecks, exclusion.controlName) ? controlChecks[exclusion.controlName] : undefined;
  if (ids === undefined) return failed;
  const lifted = failedControls(inForce, podOf(excludedPart(exclusion, pod))).filter(({ check }) => ids.includes(check.id));
  return failed.flatMap((control): readonly FailedControl[] => {
    const lifting = lifted.find(({ check }) => check.id === control.check.id)?.errors;
    if (lifting === undefined || control.errors === undefined) return [control];
    const byContainer = exclusion.images.length > 0;
    const errors = lifting
      .filter((error) => covers(exclusion, error))
      .reduce((left, error) => without(left, error, byContainer), control.errors);
    return errors.length === 0 ? [] : [{ ...control, errors }];
  });
}

/** The part of the pod that an exclusion looks at: the containers with its images, or the pod with no container of its own. */
function excludedPart({ images }: ControlExclusion, pod: JsonObject): JsonObject {
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  if (images.length === 0) {
    return { ...pod, spec: { ...spec, containers: [{ name: "fake" }], initContainers: null, ephemeralContainers: null } };
  }
  const matching = (list: string): readonly JsonValue[] => {
    const containers = spec[list];
    return isArray(containers) ? containers.filter((c) => isObject(c) && matches(images, c["image"])) : [];
  };
  const lists = ["containers", "initContainers", "ephemeralContainers"];
  return { spec: Object.fromEntries(lists.map((list) => [list, matching(list)])) };
}

function matches(patterns: readonly string[], text: JsonValue | undefined): boolean {
  const value = typeof text === "string" ? text : "";
  return patterns.some((pattern) => matchWildcard(pattern, value));
}

function covers({ restrictedField, values }: ControlExclusion, error: FieldError): boolean {
  if (restrictedField !== "" && restrictedField !== generic(error)) return false;
  return values.length === 0 || error.values.every((value) => matches(values, value));
}

/** `spec.containers[*].ports[*].hostPort` */
function generic({ field }: FieldError): string {
  return field.replace(/\d+/g, "*");
}

/** One lifting error takes out one error about the same field (of the container of the same name); the last takes its place. */
function without(errors: readonly FieldError[], lifting: FieldError, byContainer: boolean): readonly FieldError[] {
  const field = generic(lifting);
  const name = containerName(lifting);
  const index = errors.findIndex((error) => generic(error) === field && (!byContainer || containerName(error) === name));
  const last = errors.at(-1);
  return index < 0 || last === undefined ? errors : errors.with(index, last).slice(0, -1);
}

function containerName({ violation: { setter } }: FieldError): string | undefined {
  return typeof setter === "object" && "securityContext" in setter ? setter.name : undefined;
}
