import { type GroupVersionKind, gvkOf, type KubernetesObject } from "../../core/kubernetes.ts";
import { nearestName } from "../../core/nearest-name.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import { adviceFix, type LintIssue, patchFix } from "./issue.ts";
import type { LintContext, ObjectCheck } from "./object-check.ts";

/** Versions that are gone or going, and built-in kinds under a group or a name they do not have. */
export const apiVersionCheck: ObjectCheck = {
  judgesParts: true,
  check(object, context) {
    const gvk = gvkOf(object);
    const known = context.schemas.schemaFor(gvk) !== undefined;
    const issue = known
      ? goingVersion(object, gvk, context)
      : (goneVersion(object, gvk, context) ?? wrongName(object, gvk, context));
    return issue === undefined ? [] : [issue];
  },
};

/** Alpha and beta versions are served where somebody switched them on, and go in a known release. */
function goingVersion(
  object: KubernetesObject,
  gvk: GroupVersionKind,
  { schemas, resources }: LintContext,
): LintIssue | undefined {
  if (!schemas.builtInGroups().has(gvk.group) || !/^v\d+(?:alpha|beta)/.test(gvk.version)) return undefined;
  const life = schemas.lifecycleOf(gvk);
  const deprecated =
    life?.deprecated !== undefined && !isLater(life.deprecated, schemas.kubernetesVersion) ? life.deprecated : undefined;
  const better = resources.byKind(gvk.group, gvk.kind);
  const target = better === undefined || better.version === gvk.version ? undefined : apiVersionOf(better);
  const end = deprecated === undefined ? "" : `; it is deprecated since ${deprecated} and goes in ${life?.removed}`;
  return {
    check: "api-version",
    rule: "off-by-default",
    path: ["apiVersion"],
    status: "warn",
    severity: "low",
    message: `${object.apiVersion} ${gvk.kind} is served only where an administrator has switched it on (--runtime-config)${end}.${target === undefined ? "" : ` Use ${target}.`}`,
    evidence: { ...(deprecated === undefined ? {} : { deprecated }), ...(life === undefined ? {} : { removed: life.removed }) },
    fix: replaceVersion(target, "Make sure that the clusters it is meant for serve it."),
  };
}

function goneVersion(
  object: KubernetesObject,
  gvk: GroupVersionKind,
  { schemas, resources }: LintContext,
): LintIssue | undefined {
  const life = schemas.lifecycleOf(gvk);
  const served = resources.byKind(gvk.group, gvk.kind);
  if (life === undefined && served === undefined) return undefined;
  // A kind of which a CustomResourceDefinition serves other versions may be served by another cluster in this one.
  if (life === undefined && !isBuiltInGroup(gvk.group, schemas)) return undefined;
  const replacement = served === undefined ? life?.replacement?.replace(/\/[^/]+$/, "") : apiVersionOf(served);
  const since = life === undefined ? "is not served by" : `is not served since ${life.removed}, so not by`;
  const psp = gvk.kind === "PodSecurityPolicy" ? " Nothing of it is enforced." : "";
  return {
    check: "api-version",
    rule: life === undefined ? "not-served" : "removed",
    path: ["apiVersion"],
    status: "fail",
    server: "refuses-object",
    message: `${object.apiVersion} ${gvk.kind} ${since} Kubernetes ${schemas.kubernetesVersion}: the object cannot be created.${psp}${replacement === undefined ? "" : ` Use ${replacement}.`}`,
    evidence: { kubernetesVersion: schemas.kubernetesVersion, ...(life === undefined ? {} : { removed: life.removed }) },
    fix:
      psp === ""
        ? replaceVersion(replacement, "Remove the object; nothing replaces it.")
        : adviceFix("Label the namespaces with pod-security.kubernetes.io/enforce instead."),
  };
}

/** `v1 Deployment`, `apps/v1 Job`, `v1 Configmap`: only where a built-in kind was clearly meant. */
function wrongName(object: KubernetesObject, gvk: GroupVersionKind, { schemas }: LintContext): LintIssue | undefined {
  if (!isReservedGroup(gvk.group, schemas)) return undefined;
  const builtIn = schemas.kindsWithSchema().filter((k) => isReservedGroup(k.group, schemas));
  const elsewhere = builtIn.find((k) => k.kind === gvk.kind);
  const base = { check: "api-version", status: "fail" } as const;
  if (elsewhere !== undefined) {
    const right = apiVersionOf(elsewhere);
    return {
      ...base,
      rule: "wrong-group",
      path: ["apiVersion"],
      server: "refuses-object",
      message: `${gvk.kind} is served as ${right}, not as ${object.apiVersion}: the object cannot be created.`,
      fix: replaceVersion(right, ""),
    };
  }
  const inGroup = builtIn.filter((k) => k.group === gvk.group).map((k) => k.kind);
  const near = gvk.kind.endsWith("List") ? undefined : nearestName(gvk.kind, new Set(inGroup));
  if (near === undefined) return undefined;
  return {
    ...base,
    rule: "unknown-kind",
    path: ["kind"],
    server: "refuses-object",
    message: `There is no kind ${gvk.kind} in ${object.apiVersion}; ${near} is one. The object cannot be created.`,
    fix: patchFix(`Write kind: ${near}.`, { op: "replace", path: "/kind", value: near }),
  };
}

function replaceVersion(target: string | undefined, otherwise: string) {
  return target === undefined
    ? adviceFix(otherwise)
    : patchFix(`Write apiVersion: ${target}, and adapt the fields that changed.`, {
        op: "replace",
        path: "/apiVersion",
        value: target,
      });
}

function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === "" ? version : `${group}/${version}`;
}

function isBuiltInGroup(group: string, schemas: KubernetesSchemas): boolean {
  return schemas.builtInGroups().has(group);
}

/** Groups in which no CustomResourceDefinition can live: built-in ones, and names without a dot. */
function isReservedGroup(group: string, schemas: KubernetesSchemas): boolean {
  return isBuiltInGroup(group, schemas) || !group.includes(".");
}

/** Whether minor version `a` comes after `b`: `1.9` before `1.10`. */
function isLater(a: string, b: string): boolean {
  const minor = (version: string) => Number(version.split(".")[1] ?? "0");
  return minor(a) > minor(b);
}
