import { isObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { gvkOf, type KubernetesObject } from "../../core/kubernetes.ts";
import { dnsLabelProblems, dnsSubdomainProblems, labelValueProblems } from "../../core/name-problems.ts";
import { isTemplate, isUnfilled } from "./fields/placeholder.ts";
import { adviceFix, type LintIssue } from "./issue.ts";
import type { LintContext, ObjectCheck } from "./object-check.ts";
import { isQualifiedName } from "./quota/names.ts";
import { groupKind } from "./scanned-set.ts";

/** Names, labels and annotations that the API server refuses. */
export const metadataCheck: ObjectCheck = {
  check(object, context) {
    if (!isStored(object, context)) return [];
    const metadata = object.metadata;
    return [
      ...nameIssues(object),
      ...labelIssues(member(metadata, "labels")),
      ...annotationIssues(member(metadata, "annotations")),
    ];
  },
};

/** Objects of the API; reviews and configuration files have no name. */
function isStored(object: KubernetesObject, { schemas }: LintContext): boolean {
  const gvk = gvkOf(object);
  const verbs = schemas.resources().byKind(gvk.group, gvk.kind)?.verbs;
  return schemas.schemaFor(gvk) !== undefined && verbs?.includes("get") === true;
}

/** Kinds with names of a form of their own, or of none. */
const freeNames = new Set([
  "apiextensions.k8s.io/CustomResourceDefinition",
  "apiregistration.k8s.io/APIService",
  "networking.k8s.io/IPAddress",
  "policy/PodDisruptionBudget",
  "/Event",
  "events.k8s.io/Event",
]);

function nameIssues(object: KubernetesObject): LintIssue[] {
  const name = member(object.metadata, "name");
  if (name === undefined || name === null || name === "") {
    const generated = member(object.metadata, "generateName");
    // The API server itself names a LimitRange without a name.
    if (object.kind === "LimitRange") return [];
    return generated === undefined || generated === ""
      ? [refused("no-name", ["metadata"], "The object has no name.", "Add metadata.name.")]
      : [];
  }
  if (typeof name !== "string" || isUnfilled(name)) return [];
  const wrong = nameProblem(groupKind(object), name);
  return wrong === undefined
    ? []
    : [refused("name", ["metadata", "name"], `The name ${JSON.stringify(name)} ${wrong}.`, "Choose another name.")];
}

/** Longer than any name may be: what follows need not be read. */
const longestName = 300;

function nameProblem(kind: string, name: string): string | undefined {
  if (kind.startsWith("rbac.authorization.k8s.io/")) {
    return name === "." || name === ".." || /[/%]/.test(name) ? "may not contain / or %, nor be . or .." : undefined;
  }
  if (freeNames.has(kind)) return undefined;
  if (kind === "/Namespace" || kind === "/Service") {
    return dnsLabelProblems(name.slice(0, longestName)).length === 0
      ? undefined
      : "must be at most 63 lower-case letters, digits and dashes, and begin and end with a letter or digit";
  }
  const fits = dnsSubdomainProblems(name.slice(0, longestName)).length === 0;
  return fits
    ? undefined
    : "must consist of lower-case letters, digits, dashes and dots, and begin and end with a letter or digit";
}

function labelIssues(labels: JsonValue | undefined): LintIssue[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    if (isTemplate(key) || (typeof value === "string" && isTemplate(value))) return [];
    const path = ["metadata", "labels", key];
    if (!isQualifiedName(key))
      return [
        refused(
          "label-key",
          path,
          `${JSON.stringify(key)} is no label key.`,
          "Use letters, digits, dashes, dots and underscores, with an optional domain before a slash.",
          true,
        ),
      ];
    if (typeof value !== "string" || labelValueProblems(value.slice(0, longestName)).length === 0) return [];
    return [
      refused(
        "label-value",
        path,
        `${JSON.stringify(value)} is no label value: at most 63 letters, digits, dashes, dots and underscores, with a letter or digit at both ends.`,
        "Shorten it, or use an annotation.",
      ),
    ];
  });
}

function annotationIssues(annotations: JsonValue | undefined): LintIssue[] {
  if (!isObject(annotations)) return [];
  return Object.keys(annotations).flatMap((key) => {
    // Keys of annotations may be written in upper case.
    if (isTemplate(key) || isQualifiedName(key.toLowerCase())) return [];
    return [
      refused(
        "annotation-key",
        ["metadata", "annotations", key],
        `${JSON.stringify(key)} is no annotation key.`,
        "Use letters, digits, dashes, dots and underscores, with an optional domain before a slash.",
        true,
      ),
    ];
  });
}

function refused(rule: string, path: JsonPath, message: string, fix: string, atKey = false): LintIssue {
  return {
    check: "metadata",
    rule,
    path,
    atKey,
    status: "fail",
    server: "refuses-object",
    message: `${message} The API server refuses the object.`,
    fix: adviceFix(fix),
  };
}
