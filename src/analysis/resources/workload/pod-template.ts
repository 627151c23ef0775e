import { asString, isArray, isObject, type JsonPath, type JsonValue, member, toPointer, valueAt } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { compileLabelSelector, type Labels } from "../../../core/label-selector.ts";
import { isTemplate } from "../fields/placeholder.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import { selectsAll } from "../network/policy.ts";
import type { ObjectCheck } from "../object-check.ts";
import { groupKind } from "../scanned-set.ts";
import { builtInPodSpec, podKinds } from "./pod-kinds.ts";

/** Parts of a workload that must agree: selector and labels, mounts and volumes, names, the restart policy of its kind. */
export const podTemplateCheck: ObjectCheck = {
  kinds: podKinds,
  check(object) {
    const at = builtInPodSpec(object);
    const spec = at === undefined ? undefined : valueAt(object, at);
    if (at === undefined || !isObject(spec)) return [];
    return [
      ...selectorIssues(object),
      ...restartIssues(object, spec, at),
      ...volumeIssues(object, spec, at),
      ...nameIssues(spec, at),
    ];
  },
};

function refused(rule: string, path: JsonPath, message: string, fix: LintIssue["fix"]): LintIssue {
  return {
    check: "pod-template",
    rule,
    path,
    status: "fail",
    server: "refuses-object",
    message: `${message} The API server refuses the object.`,
    ...(fix === undefined ? {} : { fix }),
  };
}

const selecting = new Set(["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "apps/ReplicaSet"]);

function selectorIssues(object: KubernetesObject): LintIssue[] {
  if (!selecting.has(groupKind(object))) return [];
  const path = ["spec", "selector"];
  const selector = valueAt(object, path);
  if (!isObject(selector)) return [];
  if (selectsAll(selector))
    return [
      refused(
        "selector",
        path,
        "An empty selector selects nothing of its own.",
        adviceFix("Select the labels of the pod template."),
      ),
    ];
  const compiled = compileLabelSelector(selector);
  if (!compiled.ok) {
    return compiled.problems.map((problem) =>
      refused("selector", [...path, ...problem.path], `${problem.message}.`, adviceFix("Write a valid selector.")),
    );
  }
  const labels = stringLabels(valueAt(object, ["spec", "template", "metadata", "labels"]));
  if (labels === undefined || compiled.matches(labels)) return [];
  const wanted = selector["matchLabels"];
  const template = ["spec", "template", "metadata", "labels"];
  const existing = valueAt(object, template);
  const simple = isObject(wanted) && selector["matchExpressions"] === undefined && isObject(existing);
  return [
    refused(
      "selector-mismatch",
      path,
      "The selector does not select the labels of the pod template.",
      simple
        ? patchFix("Give the pod template the labels of the selector.", {
            op: "replace",
            path: toPointer(template),
            value: { ...existing, ...wanted },
          })
        : adviceFix("Give the pod template the labels of the selector."),
    ),
  ];
}

/** Undefined where a tool still fills them in. */
function stringLabels(value: JsonValue | undefined): Labels | undefined {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.some(([key, text]) => typeof text !== "string" || isTemplate(text) || isTemplate(key))) return undefined;
  return Object.fromEntries(entries.filter((e): e is [string, string] => typeof e[1] === "string"));
}

/** Jobs end and say how; the pods of other controllers are always restarted. */
function restartIssues(object: KubernetesObject, spec: JsonValue, at: JsonPath): LintIssue[] {
  const kind = groupKind(object);
  const policy = asString(member(spec, "restartPolicy")) ?? "";
  if (isTemplate(policy)) return [];
  const path = [...at, "restartPolicy"];
  if (kind === "batch/Job" || kind === "batch/CronJob") {
    if (policy === "OnFailure" || policy === "Never") return [];
    const said =
      policy === "" ? `A ${object.kind} needs a restartPolicy` : `The restartPolicy of a ${object.kind} cannot be ${policy}`;
    return [
      refused(
        "restart-policy",
        policy === "" ? at : path,
        `${said}: OnFailure or Never.`,
        adviceFix("Write restartPolicy: Never, or OnFailure."),
      ),
    ];
  }
  if (kind === "/Pod" || kind === "/PodTemplate" || policy === "" || policy === "Always") return [];
  if (policy !== "OnFailure" && policy !== "Never") return [];
  return [
    refused(
      "restart-policy",
      path,
      `The pods of a ${object.kind} are always restarted; restartPolicy cannot be ${policy}.`,
      patchFix("Remove restartPolicy.", { op: "remove", path: toPointer(path) }),
    ),
  ];
}

const containerLists = ["initContainers", "containers"];

function volumeIssues(object: KubernetesObject, spec: JsonValue, at: JsonPath): LintIssue[] {
  const volumes = new Set([...names(member(spec, "volumes")), ...claimNames(object)]);
  return containerLists.flatMap((list) =>
    items(member(spec, list)).flatMap((container, i) =>
      (["volumeMounts", "volumeDevices"] as const).flatMap((mounts) =>
        items(member(container, mounts)).flatMap((mount, j) => {
          const name = asString(member(mount, "name"));
          if (name === undefined || name === "" || isTemplate(name) || volumes.has(name)) return [];
          const known = [...volumes];
          return refused(
            "no-such-volume",
            [...at, list, i, mounts, j, "name"],
            `There is no volume ${name}${known.length === 0 ? "" : `; the pod has ${orList(known)}`}.`,
            adviceFix("Add the volume, or mount one that the pod has."),
          );
        }),
      ),
    ),
  );
}

function claimNames(object: KubernetesObject): readonly string[] {
  const claims = valueAt(object, ["spec", "volumeClaimTemplates"]);
  return items(claims).flatMap((claim) => asString(member(member(claim, "metadata"), "name")) ?? []);
}

function nameIssues(spec: JsonValue, at: JsonPath): LintIssue[] {
  const seen = new Set<string>();
  const duplicates = (list: string, taken: Set<string>, what: string) =>
    items(member(spec, list)).flatMap((item, i) => {
      const name = asString(member(item, "name"));
      if (name === undefined || isTemplate(name)) return [];
      const again = taken.has(name);
      taken.add(name);
      return again
        ? [
            refused(
              "duplicate-name",
              [...at, list, i, "name"],
              `Two ${what} are called ${name}.`,
              adviceFix("Give each a name of its own."),
            ),
          ]
        : [];
    });
  return [
    ...duplicates("containers", seen, "containers"),
    ...duplicates("initContainers", seen, "containers"),
    ...duplicates("volumes", new Set(), "volumes"),
    ...containerLists.flatMap((list) => imageIssues(member(spec, list), [...at, list])),
  ];
}

/** OpenAPI calls the image optional; validation does not. */
function imageIssues(containers: JsonValue | undefined, at: JsonPath): LintIssue[] {
  return items(containers).flatMap((container, i) => {
    const image = member(container, "image");
    if (!isObject(container) || (image !== undefined && image !== null && image !== "")) return [];
    return [refused("no-image", [...at, i], "The container names no image.", adviceFix("Add image."))];
  });
}

function items(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}

function names(value: JsonValue | undefined): readonly string[] {
  return items(value).flatMap((item) => asString(member(item, "name")) ?? []);
}
