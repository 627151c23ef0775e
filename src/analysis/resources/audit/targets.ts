import { toPointer } from "../../../core/json.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import type { LintContext } from "../object-check.ts";
import { isQualifiedName } from "../quota/names.ts";
import { lookUp, suggestName } from "../rbac/resource-names.ts";
import { requestVerbs } from "../rbac/synthetic.ts";
import { noStart } from "./no-start.ts";
import type { AuditRule } from "./rule.ts";

const urlVerbs = ["get", "head", "post", "put", "patch", "delete", "options"];
const knownVerbs: ReadonlySet<string> = new Set([...requestVerbs, ...urlVerbs]);

/** Resources and verbs that no request has, and combinations that kube-apiserver refuses. */
export function targetIssues(rule: AuditRule, context: LintContext): LintIssue[] {
  return [...refusedTargets(rule), ...absentResources(rule, context), ...absentVerbs(rule), ...starIssues(rule)];
}

function refusedTargets(rule: AuditRule): LintIssue[] {
  const issues: LintIssue[] = [];
  if (rule.nonResourceUrls.length > 0 && rule.resources.length + rule.namespaces.length > 0) {
    issues.push(
      noStart(
        [...rule.path, "nonResourceURLs"],
        "One rule cannot cover both resources and nonResourceURLs.",
        "Split the rule in two.",
      ),
    );
  }
  rule.nonResourceUrls.forEach((url, i) => {
    const path = [...rule.path, "nonResourceURLs", i];
    if (url === "*") return;
    if (!url.startsWith("/"))
      issues.push(noStart(path, `${JSON.stringify(url)} does not begin with a slash.`, "Write the path from the root."));
    else if (url.slice(0, -1).includes("*"))
      issues.push(noStart(path, `The * of ${JSON.stringify(url)} is not its last character.`, "Put * at the end only."));
  });
  rule.resources.forEach((entry, i) => {
    const path = [...rule.path, "resources", i];
    if (entry.group !== "" && entry.group !== "*" && (entry.group.includes("/") || !isQualifiedName(entry.group))) {
      issues.push(
        noStart(
          [...path, "group"],
          `${JSON.stringify(entry.group)} is no API group; a group is named without its version.`,
          "Write the group alone.",
        ),
      );
    }
    if (entry.resourceNames.length > 0 && entry.resources.length === 0) {
      issues.push(noStart([...path, "resourceNames"], "resourceNames needs resources.", "Name the resources."));
    }
  });
  return issues;
}

function absentResources(rule: AuditRule, context: LintContext): LintIssue[] {
  return rule.resources.flatMap((entry, i) =>
    entry.resources.flatMap((name, j): LintIssue[] => {
      const group = entry.group === "core" ? "" : entry.group;
      if (entry.group !== "core" && lookUp(context, group, name).kind !== "absent") return [];
      const path = [...rule.path, "resources", i, "resources", j];
      const meant = suggestName(context.resources, [group], name);
      const fix =
        meant === undefined
          ? adviceFix("Name a resource that `kubectl api-resources` lists.")
          : meant.group === entry.group
            ? patchFix(`Write ${meant.name}.`, { op: "replace", path: toPointer(path), value: meant.name })
            : adviceFix(`Write group: ${JSON.stringify(meant.group)} and resources: [${meant.name}].`);
      const right =
        meant === undefined ? "" : ` ${meant.name} of ${meant.group === "" ? "the core group" : meant.group} was probably meant.`;
      return [
        {
          check: "audit-policy",
          rule: "no-such-resource",
          path,
          status: "fail",
          severity: "medium",
          message: `There is no resource ${name} in ${entry.group === "" ? "the core group" : entry.group}: this part of the rule matches no request.${right}`,
          fix,
        },
      ];
    }),
  );
}

function absentVerbs(rule: AuditRule): LintIssue[] {
  const absent = rule.verbs.filter((verb) => !knownVerbs.has(verb));
  if (absent.length === 0) return [];
  return [
    {
      check: "audit-policy",
      rule: "no-such-verb",
      path: [...rule.path, "verbs"],
      status: absent.length === rule.verbs.length ? "fail" : "warn",
      severity: absent.length === rule.verbs.length ? "medium" : "low",
      message: `No request has the verb ${orList(absent)}; requests have ${orList([...requestVerbs])}.`,
      fix: adviceFix(`Remove ${orList(absent)}${absent.includes("*") ? "; without verbs the rule matches every verb" : ""}.`),
    },
  ];
}

/** Stars are read in resources and URLs only. */
function starIssues(rule: AuditRule): LintIssue[] {
  return (["users", "userGroups", "namespaces"] as const).flatMap((list) => {
    const stars = rule[list].filter((value) => value.includes("*"));
    if (stars.length === 0) return [];
    return {
      check: "audit-policy",
      rule: "star-is-a-letter",
      path: [...rule.path, list],
      status: "fail",
      severity: "medium",
      message: `${list} are compared letter by letter: ${orList(stars)} matches nothing.`,
      fix: adviceFix(`List the names; without ${list} the rule matches all of them.`),
    } satisfies LintIssue;
  });
}
