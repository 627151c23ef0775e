import type { Fix } from "../../../core/finding.ts";
import { isArray, isObject, type JsonPath, type JsonValue, member, toPointer, valueAt } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from "../../../core/quantity.ts";
import { findPodSpecs } from "../../../core/workload/find.ts";
import { isUnfilled } from "../fields/placeholder.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import type { LintContext, ObjectCheck } from "../object-check.ts";
import { isContainerResource, isExtended, isHugePages, isQualifiedName, looksLikeGpu, usualGpu } from "../quota/names.ts";
import { builtInPodSpec } from "./pod-kinds.ts";

/** Amounts and devices that no container can have, in built-in and custom workloads. */
export const containerResourcesCheck: ObjectCheck = {
  check(object, context) {
    return containersOf(object, context).flatMap((container) => containerIssues(object, container));
  },
};

interface ContainerPlace {
  readonly path: JsonPath;
  /** The object itself is refused; else the pods that its controller makes. */
  readonly builtIn: boolean;
  /** A controller may still add limits. */
  readonly completed: boolean;
}

const lists = ["initContainers", "containers", "ephemeralContainers"];

function containersOf(object: KubernetesObject, context: LintContext): readonly ContainerPlace[] {
  const spec = builtInPodSpec(object);
  if (spec !== undefined)
    return listContainers(valueAt(object, spec), (path) => [...spec, ...path], { builtIn: true, completed: false });
  if (context.workloads === undefined) return [];
  return findPodSpecs(object, context.workloads)
    .pods.filter((pod) => pod.how === "catalogue")
    .flatMap((pod) =>
      listContainers(pod.spec, (path) => pod.locate(["spec", ...path]), {
        builtIn: false,
        completed: pod.completedBy !== undefined,
      }),
    );
}

function listContainers(
  spec: JsonValue | undefined,
  locate: (path: JsonPath) => JsonPath,
  kind: { readonly builtIn: boolean; readonly completed: boolean },
): readonly ContainerPlace[] {
  return lists.flatMap((list) => {
    const containers = member(spec, list);
    return isArray(containers) ? containers.map((_, i) => ({ path: locate([list, i]), ...kind })) : [];
  });
}

type ResourceList = "limits" | "requests";

function containerIssues(object: KubernetesObject, container: ContainerPlace): LintIssue[] {
  const at = [...container.path, "resources"];
  const amounts = { limits: read(valueAt(object, [...at, "limits"])), requests: read(valueAt(object, [...at, "requests"])) };
  const issue = (list: ResourceList, name: string, rule: string, message: string, fix: Fix, atKey = false): LintIssue => ({
    check: "container-resources",
    rule,
    path: [...at, list, name],
    atKey,
    status: "fail",
    ...(container.builtIn ? { server: "refuses-object" as const } : {}),
    message: `${message} The API server refuses ${container.builtIn ? "the object" : "the pods that are made of it"}.`,
    fix,
  });
  const issues: LintIssue[] = [];
  for (const list of ["limits", "requests"] as const) {
    for (const [name, quantity] of amounts[list]) {
      const path = toPointer([...at, list, name]);
      if (!isQualifiedName(name) || !isContainerResource(name)) issues.push(nameIssue(name, list, path, amounts[list], issue));
      else if (quantity.unscaled < 0n)
        issues.push(issue(list, name, "negative", `${name} is negative.`, adviceFix("Write an amount of zero or more.")));
      else if (isExtended(name) && !isWhole(quantity)) {
        issues.push(
          issue(
            list,
            name,
            "fraction",
            `${name}: ${formatQuantity(quantity)} is no whole number; devices cannot be split by a request.`,
            adviceFix("Ask for a whole device, or for a slice that the driver advertises under a name of its own."),
          ),
        );
      }
    }
  }
  for (const [name, request] of amounts.requests) {
    if (!isContainerResource(name)) continue;
    const limit = amounts.limits.get(name);
    const pinned = isExtended(name) || isHugePages(name);
    if (limit === undefined) {
      if (!pinned || container.completed) continue;
      issues.push(
        issue(
          "requests",
          name,
          "limit-missing",
          `${name} is requested without a limit; what cannot be overcommitted needs one of the same amount.`,
          limitFix(object, at, name, request),
          true,
        ),
      );
    } else if (pinned && compareQuantities(request, limit) !== 0) {
      issues.push(
        issue(
          "requests",
          name,
          "not-equal",
          `${name} cannot be overcommitted: the request ${formatQuantity(request)} must equal the limit ${formatQuantity(limit)}.`,
          adviceFix("Write the same amount twice, or only the limit."),
        ),
      );
    } else if (compareQuantities(request, limit) > 0) {
      issues.push(
        issue(
          "requests",
          name,
          "over-limit",
          `${name}: the request ${formatQuantity(request)} is greater than the limit ${formatQuantity(limit)}.`,
          adviceFix("Lower the request, or raise the limit."),
        ),
      );
    }
  }
  return issues;
}

function nameIssue(
  name: string,
  list: ResourceList,
  path: string,
  present: ReadonlyMap<string, Quantity>,
  issue: (list: ResourceList, name: string, rule: string, message: string, fix: Fix, atKey?: boolean) => LintIssue,
): LintIssue {
  const bare = name.replace(/^(?:requests|limits)\./, "");
  const meant = isContainerResource(bare) && bare !== name ? bare : looksLikeGpu(bare) ? usualGpu : undefined;
  const fix =
    meant === undefined || present.has(meant)
      ? adviceFix("Use cpu, memory, ephemeral-storage, hugepages-<size> or a device such as nvidia.com/gpu.")
      : patchFix(`Rename ${name} to ${meant}.`, {
          op: "move",
          from: path,
          path: path.replace(/[^/]*$/, meant.replaceAll("/", "~1")),
        });
  return issue(list, name, "unknown-resource", `${name} is nothing that a container can ask for.`, fix, true);
}

function limitFix(object: KubernetesObject, at: JsonPath, name: string, request: Quantity): Fix {
  const limits = [...at, "limits"];
  const amount = formatQuantity(request);
  const description = `Set the limit of ${name} to ${amount}.`;
  return valueAt(object, limits) === undefined
    ? patchFix(description, { op: "add", path: toPointer(limits), value: { [name]: amount } })
    : patchFix(description, { op: "add", path: toPointer([...limits, name]), value: amount });
}

function read(value: JsonValue | undefined): ReadonlyMap<string, Quantity> {
  const found = new Map<string, Quantity>();
  if (!isObject(value)) return found;
  for (const [name, amount] of Object.entries(value)) {
    if (isUnfilled(name) || (typeof amount !== "string" && typeof amount !== "number")) continue;
    const quantity = parseQuantity(String(amount).trim());
    if (quantity !== undefined) found.set(name, quantity);
  }
  return found;
}

function isWhole({ unscaled, exponent }: Quantity): boolean {
  return exponent >= 0 || unscaled % 10n ** BigInt(-exponent) === 0n;
}
