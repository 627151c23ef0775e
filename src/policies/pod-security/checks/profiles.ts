import {
  type Check,
  containerText,
  plural,
  quoted,
  revision,
  setterText,
  sorted,
  unlessWindows,
  type Violation,
  valueTexts,
} from "../check.ts";
import type { Pod, SecurityContext } from "../pod.ts";

const profileTypes: ReadonlySet<string> = new Set(["RuntimeDefault", "Localhost"]);

/** `annotation="value"`, as the API server quotes it. */
function annotationText(violation: Violation): string {
  return `${String(violation.path.at(-1))}=${JSON.stringify(violation.value)}`;
}

function annotation(key: string, value: string): Violation {
  return { path: ["metadata", "annotations", key], setter: "annotation", value, remedy: { op: "remove" } };
}

type ProfileField = "seccompProfile" | "appArmorProfile";

/** A profile of a forbidden type. */
function profile(context: SecurityContext, field: ProfileField, setter: Violation["setter"]): readonly Violation[] {
  const type = field === "seccompProfile" ? context.seccomp : context.appArmor;
  if (type === undefined || profileTypes.has(type)) return [];
  const path = [...context.path, field, "type"];
  return [{ path, setter, value: type, remedy: { op: "set", path, value: "RuntimeDefault" } }];
}

function profiles(pod: Pod, field: ProfileField): readonly Violation[] {
  return [...profile(pod.securityContext, field, "pod"), ...pod.containers.flatMap((c) => profile(c.securityContext, field, c))];
}

const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

function appArmorAnnotations(pod: Pod): readonly Violation[] {
  return Object.keys(pod.annotations)
    .filter((key) => key.startsWith(appArmorPrefix))
    .sort()
    .flatMap((key) => {
      const value = pod.annotations[key] ?? "";
      return value === "" || value === "runtime/default" || value.startsWith("localhost/") ? [] : [annotation(key, value)];
    });
}

function appArmorValues(violations: readonly Violation[]): readonly string[] {
  const { annotations = [], fields = [] } = Object.groupBy(violations, (v) =>
    v.setter === "annotation" ? "annotations" : "fields",
  );
  return [...sorted(valueTexts(fields)), ...annotations.map(annotationText)];
}

export const appArmorProfile: Check = {
  id: "appArmorProfile",
  level: "baseline",
  title: "AppArmor profiles",
  revisions: [revision(0, (pod) => [...profiles(pod, "appArmorProfile"), ...appArmorAnnotations(pod)])],
  reason: (violations) => plural("forbidden AppArmor profile", "forbidden AppArmor profiles", appArmorValues(violations).length),
  detail(violations) {
    const annotations = violations.filter((v) => v.setter === "annotation").length;
    const setters = [
      setterText(violations),
      ...(annotations > 0 ? [plural("annotation", "annotations", annotations)] : []),
    ].filter((text) => text !== "");
    return `${setters.join(" and ")} must not set AppArmor profile type to ${quoted(appArmorValues(violations))}`;
  },
};

const seLinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t"];

function seLinux(context: SecurityContext, setter: Violation["setter"], types: ReadonlySet<string>): readonly Violation[] {
  if (context.seLinux === undefined) return [];
  const { type, user, role } = context.seLinux;
  const path = [...context.path, "seLinuxOptions"];
  const bad: readonly (readonly [string, string, boolean])[] = [
    ["type", type, !types.has(type)],
    ["user", user, user !== ""],
    ["role", role, role !== ""],
  ];
  return bad
    .filter(([, , isBad]) => isBad)
    .map(([field, value]) => ({ path: [...path, field], setter, value, remedy: { op: "remove" } }));
}

function findSeLinux(...types: readonly string[]): (pod: Pod) => readonly Violation[] {
  const allowed = new Set(types);
  return (pod) => [
    ...seLinux(pod.securityContext, "pod", allowed),
    ...pod.containers.flatMap((c) => seLinux(c.securityContext, c, allowed)),
  ];
}

export const seLinuxOptions: Check = {
  id: "seLinuxOptions",
  level: "baseline",
  title: "SELinux options",
  revisions: [revision(0, findSeLinux(...seLinuxTypes)), revision(31, findSeLinux(...seLinuxTypes, "container_engine_t"))],
  reason: () => "seLinuxOptions",
  detail(violations) {
    const { type = [], user = [], role = [] } = Object.groupBy(violations, (v) => String(v.path.at(-1)));
    const types = sorted(valueTexts(type));
    const bad = [
      ...(types.length > 0 ? [`${plural("type", "types", types.length)} ${quoted(types)}`] : []),
      ...(user.length > 0 ? ["user may not be set"] : []),
      ...(role.length > 0 ? ["role may not be set"] : []),
    ];
    return `${setterText(violations)} set forbidden securityContext.seLinuxOptions: ${bad.join("; ")}`;
  },
};

const seccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainerPrefix = "container.seccomp.security.alpha.kubernetes.io/";

/** Before 1.19 profiles were annotations. */
function seccompAnnotations(pod: Pod): readonly Violation[] {
  const keys = [seccompPodAnnotation, ...pod.containers.map((c) => seccompContainerPrefix + c.name)];
  return sorted(keys).flatMap((key) => {
    const value = Object.hasOwn(pod.annotations, key) ? pod.annotations[key] : undefined;
    if (value === undefined || value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/"))
      return [];
    return [annotation(key, value)];
  });
}

function badSeccomp(violations: readonly Violation[]): string {
  const values = quoted(sorted(valueTexts(violations)));
  return `${setterText(violations)} must not set securityContext.seccompProfile.type to ${values}`;
}

export const seccompBaseline: Check = {
  id: "seccompProfile_baseline",
  level: "baseline",
  title: "Seccomp switched off",
  revisions: [revision(0, seccompAnnotations), revision(19, (pod) => profiles(pod, "seccompProfile"))],
  reason: () => "seccompProfile",
  detail(violations) {
    if (violations.every((v) => v.setter !== "annotation")) return badSeccomp(violations);
    const texts = violations.map(annotationText).sort();
    return `forbidden ${plural("annotation", "annotations", texts.length)} ${texts.join(", ")}`;
  },
};

/** Forbidden profiles first; then containers that have none, and get none from the pod. */
function findNoSeccomp(pod: Pod): readonly Violation[] {
  const podType = pod.securityContext.seccomp;
  if (podType !== undefined && profileTypes.has(podType)) return profiles(pod, "seccompProfile");
  const path = [...pod.securityContext.path, "seccompProfile", "type"];
  const implicit = pod.containers
    .filter((c) => c.securityContext.seccomp === undefined)
    .map((setter): Violation => {
      const own = [...setter.securityContext.path, "seccompProfile", "type"];
      return { path: own, setter, value: undefined, remedy: { op: "set", path, value: "RuntimeDefault" } };
    });
  return [...profiles(pod, "seccompProfile"), ...implicit];
}

export const seccompRestricted: Check = {
  id: "seccompProfile_restricted",
  level: "restricted",
  title: "No seccomp profile",
  revisions: [
    revision(19, findNoSeccomp, "seccompProfile_baseline"),
    revision(25, unlessWindows(findNoSeccomp), "seccompProfile_baseline"),
  ],
  reason: () => "seccompProfile",
  detail(violations) {
    const explicit = violations.filter((v) => v.value !== undefined);
    if (explicit.length > 0) return badSeccomp(explicit);
    return `pod or ${containerText(violations)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  },
};
