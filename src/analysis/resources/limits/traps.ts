import type { JsonPatchOperation } from "../../../core/finding.ts";
import { type JsonPath, type JsonValue, toPointer, valueAt } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { formatQuantity } from "../../../core/quantity.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import { isExtended } from "../quota/names.ts";
import type { LimitItem } from "./limit-item.ts";

/** What a LimitRange does that its author rarely meant. */
export function trapIssues(limitRange: KubernetesObject, items: readonly LimitItem[]): LintIssue[] {
  return items.flatMap((item) => {
    if (item.type === "Container") return [...maximumIssues(limitRange, item), ...perContainerIssues(item, items)];
    return item.type === "Pod" ? demandIssues(item, items) : [];
  });
}

/** A maximum without a default is handed to every container that names no limit of its own. */
function maximumIssues(limitRange: KubernetesObject, item: LimitItem): LintIssue[] {
  return [...item.max].flatMap(([name, max]): LintIssue[] => {
    if (item.default.has(name) || max.unscaled === 0n) return [];
    const amount = formatQuantity(max);
    const path = [...item.path, "max", name];
    if (item.defaultRequest.has(name)) {
      // For devices this is refused, and reported as such.
      if (isExtended(name)) return [];
      return [
        {
          check: "limit-range",
          rule: "max-becomes-limit",
          path,
          status: "warn",
          severity: "low",
          message: `Without default.${name}, the maximum of ${amount} becomes the limit of every container that names none.`,
          fix: adviceFix(`Set default.${name}.`),
        },
      ];
    }
    const device = isExtended(name);
    const effect = device
      ? `every container of the namespace that does not mention ${name} asks for ${amount} of them, sidecars and init containers included, and is scheduled only where so many are free`
      : `every container that names no ${name} gets a limit and a request of ${amount}`;
    return [
      {
        check: "limit-range",
        rule: "max-becomes-request",
        path,
        status: "fail",
        message: `A maximum without a default is the default: ${effect}.`,
        evidence: { storedDefault: amount, storedDefaultRequest: amount },
        fix: device
          ? zeroDefaultFix(limitRange, item.path, name)
          : adviceFix(`Set default.${name} and defaultRequest.${name} to what an ordinary container needs.`),
      },
    ];
  });
}

function zeroDefaultFix(limitRange: KubernetesObject, itemPath: JsonPath, name: string) {
  const operations = (["default", "defaultRequest"] as const).flatMap((list): JsonPatchOperation[] => {
    const existing: JsonValue | undefined = valueAt(limitRange, [...itemPath, list]);
    return existing === undefined
      ? [{ op: "add", path: toPointer([...itemPath, list]), value: { [name]: "0" } }]
      : [{ op: "add", path: toPointer([...itemPath, list, name]), value: "0" }];
  });
  return patchFix(`Set default and defaultRequest of ${name} to "0": a container that asks for none gets none.`, ...operations);
}

/** Who sets no default has rarely thought of pods with several containers. */
function perContainerIssues(item: LimitItem, items: readonly LimitItem[]): LintIssue[] {
  const devices = [...item.max.keys()].filter(
    (name) => isExtended(name) && !item.default.has(name) && !items.some((other) => other.type === "Pod" && other.max.has(name)),
  );
  if (devices.length === 0) return [];
  return [
    {
      check: "limit-range",
      rule: "per-container",
      path: [...item.path, "type"],
      status: "warn",
      severity: "low",
      message: `The maximum of ${orList(devices)} holds for each container; a pod with several containers may take it several times.`,
      fix: adviceFix("Add an item of type Pod with the maximum that one pod may take."),
    },
  ];
}

/** A maximum of type Pod refuses pods that set no limit at all. */
function demandIssues(item: LimitItem, items: readonly LimitItem[]): LintIssue[] {
  const defaulted = (name: string) =>
    items.some((other) => other.type === "Container" && (other.default.has(name) || other.max.has(name)));
  const names = [...item.max.keys()].filter((name) => !defaulted(name));
  return names.map((name) => ({
    check: "limit-range",
    rule: "max-demands-limit",
    path: [...item.path, "max", name],
    status: isExtended(name) ? "fail" : "warn",
    severity: isExtended(name) ? "high" : "low",
    message: `A maximum of type Pod refuses every pod that sets no limit for ${name}${isExtended(name) ? ", so also every pod that uses none" : ""}.`,
    fix: adviceFix(`Give ${name} a default in an item of type Container${isExtended(name) ? ', "0"' : ""}.`),
  }));
}
