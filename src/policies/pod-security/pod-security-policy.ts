import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { annotationsOf } from "../../core/kubernetes.ts";
import type { CompiledRule, RuleContext, RuleResult } from "../policy.ts";
import type { Level } from "./versions.ts";

/** One field of a PodSecurityPolicy that a level does not allow; `isGrant`: it lets pods do what the level forbids. */
interface Difference {
  readonly level: "baseline" | "restricted";
  readonly field: string;
  readonly isGrant: boolean;
}

const baselineCapabilities = [
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"],
  ...["SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
];
const restrictedVolumes = [
  ...["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"],
];

const seccompAnnotation = "seccomp.security.alpha.kubernetes.io/allowedProfileNames";
const appArmorAnnotation = "apparmor.security.beta.kubernetes.io/allowedProfileNames";

function texts(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function isFilled(value: JsonValue | undefined): boolean {
  return isArray(value) && value.length > 0;
}

function onlyOf(values: readonly string[], allowed: readonly string[]): boolean {
  return values.every((value) => allowed.includes(value));
}

/** A list of profile names that allows no more than the runtime's default and those of the node. */
function confines(names: string | undefined): boolean {
  const listed = (names ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return (
    listed.length > 0 &&
    listed.every((name) => ["runtime/default", "docker/default"].includes(name) || name.startsWith("localhost/"))
  );
}

/** Kubernetes' mapping of PodSecurityPolicy fields to the Pod Security Standards. */
function differences(spec: JsonObject, annotations: { readonly [key: string]: string }): readonly Difference[] {
  const volumes = texts(spec["volumes"]);
  const added = [...texts(spec["allowedCapabilities"]), ...texts(spec["defaultAddCapabilities"])];
  const seLinux = asString(member(spec["seLinux"], "rule"));
  const table: readonly (readonly [Difference["level"], string, boolean, boolean])[] = [
    ["baseline", "privileged", spec["privileged"] === true, true],
    ["baseline", "hostNetwork", spec["hostNetwork"] === true, true],
    ["baseline", "hostPID", spec["hostPID"] === true, true],
    ["baseline", "hostIPC", spec["hostIPC"] === true, true],
    ["baseline", "hostPorts", isFilled(spec["hostPorts"]), true],
    ["baseline", "volumes", volumes.includes("*") || volumes.includes("hostPath"), true],
    ["baseline", "allowedCapabilities", !onlyOf(added, baselineCapabilities), true],
    ["baseline", "allowedUnsafeSysctls", isFilled(spec["allowedUnsafeSysctls"]), true],
    ["baseline", "allowedProcMountTypes", !onlyOf(texts(spec["allowedProcMountTypes"]), ["Default"]), true],
    ["baseline", "seLinux", seLinux !== "MustRunAs", false],
    ["baseline", appArmorAnnotation, !confines(annotations[appArmorAnnotation]), false],
    ["baseline", seccompAnnotation, !confines(annotations[seccompAnnotation]), false],
    ["restricted", "allowPrivilegeEscalation", spec["allowPrivilegeEscalation"] !== false, true],
    ["restricted", "runAsUser", member(spec["runAsUser"], "rule") !== "MustRunAsNonRoot", true],
    ["restricted", "requiredDropCapabilities", !texts(spec["requiredDropCapabilities"]).includes("ALL"), true],
    ["restricted", "allowedCapabilities", !onlyOf(added, ["NET_BIND_SERVICE"]), true],
    ["restricted", "volumes", !onlyOf(volumes, restrictedVolumes), true],
  ];
  return table.filter(([, , differs]) => differs).map(([level, field, , isGrant]) => ({ level, field, isGrant }));
}

/** The level that comes nearest to a PodSecurityPolicy, and in which fields that level is stricter. */
export function nearestLevel(
  spec: JsonObject,
  annotations: { readonly [key: string]: string },
): { readonly level: Level; readonly stricterIn: readonly string[] } {
  const all = differences(spec, annotations);
  if (all.some((d) => d.level === "baseline" && d.isGrant)) return { level: "privileged", stricterIn: [] };
  const level = all.some((d) => d.level === "restricted" && d.isGrant) ? "baseline" : "restricted";
  return { level, stricterIn: all.filter((d) => !d.isGrant).map((d) => d.field) };
}

function judge({ object }: RuleContext): readonly RuleResult[] {
  const spec = object?.["spec"];
  if (object === undefined || !isObject(spec)) return [];
  const { level, stricterIn } = nearestLevel(spec, annotationsOf(object));
  const stricter = stricterIn.length === 0 ? "" : ` It is stricter in ${stricterIn.join(", ")}.`;
  return [
    {
      status: "fail",
      severity: "medium",
      message: `PodSecurityPolicy was removed in Kubernetes 1.25, and nothing of it is enforced. The nearest Pod Security Standard is ${level}.${stricter}`,
      locate: () => ["kind"],
      evidence: { level, stricterIn },
      fix: {
        description:
          level === "privileged"
            ? "Remove the object. What it allows is the level privileged: no namespace needs a label for that."
            : `Label the namespaces whose pods it was meant for with pod-security.kubernetes.io/enforce=${level}, and remove it.`,
      },
    },
  ];
}

/** A PodSecurityPolicy object protects nothing any more. */
export const podSecurityPolicyRule: CompiledRule = {
  name: "podSecurityPolicy",
  kind: "validate",
  selectors: ["policy", "extensions"].map((group) => ({ group, version: "*", kind: "PodSecurityPolicy", subresource: "" })),
  operations: new Set(["CREATE", "UPDATE"]),
  evaluate: judge,
  enforcement: () => "audit",
};
