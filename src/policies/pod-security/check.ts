import type { JsonPath, JsonValue } from "../../core/json.ts";
import type { Container, Pod, Volume } from "./pod.ts";

export type CheckId =
  | "allowPrivilegeEscalation"
  | "appArmorProfile"
  | "capabilities_baseline"
  | "capabilities_restricted"
  | "hostNamespaces"
  | "hostPathVolumes"
  | "hostPorts"
  | "hostProbesAndHostLifecycle"
  | "privileged"
  | "procMount"
  | "procMount_restricted"
  | "restrictedVolumes"
  | "runAsNonRoot"
  | "runAsUser"
  | "seLinuxOptions"
  | "seccompProfile_baseline"
  | "seccompProfile_restricted"
  | "sysctls"
  | "windowsHostProcess";

/** One field that breaks a standard. */
export interface Violation {
  /** Where the field is, or would be if it were set: a path in the pod. */
  readonly path: JsonPath;
  /** What sets it (or fails to). */
  readonly setter: "pod" | "annotation" | Container | Volume;
  /** The offending value; undefined: the field is required and absent. */
  readonly value: JsonValue | undefined;
  /** What would do no harm: a value for the field, or its removal. Undefined where a person has to decide. */
  readonly remedy?: Remedy;
}

type Remedy = { readonly op: "remove" } | { readonly op: "set"; readonly value: JsonValue; readonly path: JsonPath };

/** How a check works from one Kubernetes minor version on. */
export interface CheckRevision {
  /** Minor version of Kubernetes 1.x. */
  readonly since: number;
  /** Baseline checks that this one makes superfluous. */
  readonly overrides: readonly CheckId[];
  find(pod: Pod): readonly Violation[];
}

/** One check of the Pod Security Standards. */
export interface Check {
  readonly id: CheckId;
  readonly level: "baseline" | "restricted";
  readonly title: string;
  /** By `since`, ascending. */
  readonly revisions: readonly CheckRevision[];
  /** Few words, as the API server puts them: `privileged`. */
  reason(violations: readonly Violation[]): string;
  /** Which containers and values, as the API server puts it. */
  detail(violations: readonly Violation[]): string;
}

export function revision(since: number, find: CheckRevision["find"], ...overrides: readonly CheckId[]): CheckRevision {
  return { since, find, overrides };
}

export function quoted(items: readonly string[]): string {
  return items.length === 0 ? "" : `"${items.join('", "')}"`;
}

export function plural(singular: string, many: string, count: number): string {
  return count === 1 ? singular : many;
}

/** Each value once, in order. */
export function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

/** The containers behind the violations, each once, in the pod's order. */
export function containersOf(violations: readonly Violation[]): readonly Container[] {
  const containers = violations.flatMap(({ setter }) =>
    typeof setter === "object" && "securityContext" in setter ? [setter] : [],
  );
  return [...new Set(containers)];
}

/** `container "a"`, `containers "a", "b"`. */
export function containerText(violations: readonly Violation[]): string {
  const names = containersOf(violations).map((c) => c.name);
  return `${plural("container", "containers", names.length)} ${quoted(names)}`;
}

/** `pod and containers "a", "b"`. */
export function setterText(violations: readonly Violation[]): string {
  return [
    ...(violations.some((v) => v.setter === "pod") ? ["pod"] : []),
    ...(containersOf(violations).length > 0 ? [containerText(violations)] : []),
  ].join(" and ");
}

/** `volume "a"`, `volumes "a", "b"`. */
export function volumeText(violations: readonly Violation[]): string {
  const names = violations.flatMap(({ setter }) => (typeof setter === "object" && "sources" in setter ? [setter.name] : []));
  return `${plural("volume", "volumes", names.length)} ${quoted(names)}`;
}

/** Texts of the offending values. */
export function valueTexts(violations: readonly Violation[]): readonly string[] {
  return violations.flatMap(({ value }) =>
    Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)],
  );
}

/** A violation for each container that `judge` finds at fault. */
export function perContainer(
  pod: Pod,
  judge: (container: Container) => Omit<Violation, "setter"> | undefined,
): readonly Violation[] {
  return pod.containers.flatMap((container) => {
    const found = judge(container);
    return found === undefined ? [] : [{ ...found, setter: container }];
  });
}

/** Windows pods cannot set these fields; from 1.25 on they need not. */
export function unlessWindows(find: CheckRevision["find"]): CheckRevision["find"] {
  return (pod) => (pod.os === "windows" ? [] : find(pod));
}

/** Pods in a user namespace (`hostUsers: false`) are not root on the node. */
export function unlessUserNamespace(find: CheckRevision["find"]): CheckRevision["find"] {
  return (pod) => (pod.hostUsers === false ? [] : find(pod));
}
