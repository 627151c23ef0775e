import { isObject, type JsonPath, type JsonValue, member, toPointer, valueAt } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { compareQuantities, divideQuantities, formatQuantity, integerQuantity, type Quantity } from "../../../core/quantity.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import { isContainerResource, isExtended, isHugePages, isQualifiedName, looksLikeGpu, usualGpu } from "../quota/names.ts";
import { type LimitItem, withServerDefaults } from "./limit-item.ts";

const types = ["Container", "Pod", "PersistentVolumeClaim"];
const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

function refused(path: JsonPath, message: string, fix: LintIssue["fix"], atKey = false): LintIssue {
  return {
    check: "limit-range",
    rule: "rejected",
    path,
    atKey,
    status: "fail",
    server: "refuses-object",
    message: `${message} The API server refuses the LimitRange.`,
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Types and resource names. */
export function itemShapeIssues(items: readonly LimitItem[], limitRange: KubernetesObject): LintIssue[] {
  const seen = new Set<string>();
  return items.flatMap((item) => {
    const issues: LintIssue[] = [];
    const typePath = [...item.path, "type"];
    if (!types.includes(item.type) && !item.type.includes("/")) {
      issues.push(refused(typePath, `${JSON.stringify(item.type)} is no limit type.`, adviceFix(`Use ${types.join(", ")}.`)));
    }
    if (seen.has(item.type))
      issues.push(refused(typePath, `A second item of type ${item.type}.`, adviceFix("Join the two items.")));
    seen.add(item.type);
    for (const list of lists) {
      if (item.type === "Pod" && list.startsWith("default") && hasMembers(valueAt(limitRange, [...item.path, list]))) {
        issues.push(
          refused(
            [...item.path, list],
            `${list} cannot be set for type Pod.`,
            adviceFix("Set it in an item of type Container."),
            true,
          ),
        );
      }
      issues.push(...nameIssues(item, list, limitRange));
    }
    if (item.type === "PersistentVolumeClaim" && !item.max.has("storage") && !item.min.has("storage")) {
      issues.push(
        refused(item.path, "An item of type PersistentVolumeClaim needs max.storage or min.storage.", adviceFix("Add one.")),
      );
    }
    return issues;
  });
}

function hasMembers(value: JsonValue | undefined): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function nameIssues(item: LimitItem, list: string, limitRange: KubernetesObject): LintIssue[] {
  const values = member(valueAt(limitRange, item.path), list);
  if (!isObject(values) || (item.type !== "Container" && item.type !== "Pod")) return [];
  return Object.keys(values).flatMap((name) => {
    if (isQualifiedName(name) && isContainerResource(name)) return [];
    const path = [...item.path, list, name];
    const bare = name.replace(/^(?:requests|limits)\./, "");
    const meant = isContainerResource(bare) ? bare : looksLikeGpu(bare) ? usualGpu : undefined;
    const fix =
      meant === undefined || Object.hasOwn(values, meant)
        ? adviceFix("Use cpu, memory, ephemeral-storage, hugepages-<size> or a device such as nvidia.com/gpu.")
        : patchFix(`Rename ${name} to ${meant}.`, {
            op: "move",
            from: toPointer(path),
            path: toPointer([...item.path, list, meant]),
          });
    return [refused(path, `${name} is nothing that a container can ask for.`, fix, true)];
  });
}

/** Values that contradict each other once the server has filled in the defaults. */
export function conflictIssues(written: LimitItem): LintIssue[] {
  const item = withServerDefaults(written);
  const names = new Set([
    ...item.max.keys(),
    ...item.min.keys(),
    ...item.default.keys(),
    ...item.defaultRequest.keys(),
    ...item.ratio.keys(),
  ]);
  return [...names].flatMap((name) => {
    const conflict = firstConflict(item, name);
    if (conflict === undefined) return [];
    const list = conflict.lists.find((l) => written[l].has(name)) ?? "max";
    const filled = conflict.lists.filter((l) => !written[l].has(name));
    const note =
      filled.length === 0 ? "" : ` (${filled.join(" and ")} ${filled.length === 1 ? "is" : "are"} filled in by the API server)`;
    return [
      refused(
        [...written.path, list === "ratio" ? "maxLimitRequestRatio" : list, name],
        `${name}: ${conflict.text}${note}.`,
        adviceFix("Make the values agree."),
      ),
    ];
  });
}

type List = "max" | "min" | "default" | "defaultRequest" | "ratio";

function firstConflict(item: LimitItem, name: string): { readonly lists: readonly List[]; readonly text: string } | undefined {
  const ordered: readonly (readonly [List, List])[] = [
    ["min", "max"],
    ["min", "defaultRequest"],
    ["defaultRequest", "max"],
    ["defaultRequest", "default"],
    ["min", "default"],
    ["default", "max"],
  ];
  for (const [low, high] of ordered) {
    const a = item[low].get(name);
    const b = item[high].get(name);
    if (a !== undefined && b !== undefined && compareQuantities(a, b) > 0) {
      return { lists: [low, high], text: `${low} ${formatQuantity(a)} is greater than ${high} ${formatQuantity(b)}` };
    }
  }
  const request = item.defaultRequest.get(name);
  const limit = item.default.get(name);
  const pinned = isExtended(name) || isHugePages(name);
  if (pinned && request !== undefined && limit !== undefined && compareQuantities(request, limit) !== 0) {
    return {
      lists: ["defaultRequest", "default"],
      text: `it cannot be overcommitted, so defaultRequest ${formatQuantity(request)} must equal default ${formatQuantity(limit)}`,
    };
  }
  return ratioConflict(item, name);
}

function ratioConflict(item: LimitItem, name: string): { readonly lists: readonly List[]; readonly text: string } | undefined {
  const ratio = item.ratio.get(name);
  if (ratio === undefined) return undefined;
  const one: Quantity = integerQuantity(1n, "DecimalSI");
  if (compareQuantities(ratio, one) < 0) return { lists: ["ratio"], text: `a ratio of ${formatQuantity(ratio)} is less than 1` };
  const max = item.max.get(name);
  const min = item.min.get(name);
  if (max === undefined || min === undefined) return undefined;
  const possible = divideQuantities({ ...max, unscaled: max.unscaled * 1000n, exponent: max.exponent - 3 }, min);
  return possible !== undefined && compareQuantities(ratio, possible) > 0
    ? { lists: ["ratio", "max", "min"], text: `a ratio of ${formatQuantity(ratio)} is greater than max / min` }
    : undefined;
}
