import { asString, isArray, type JsonPath, member } from "../../core/json.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import { containsWildcard, matchWildcard } from "../../core/wildcard.ts";
import { parseKindSelector } from "../../policies/kyverno/kind-selector.ts";
import { filters, type PolicyCheck, type PolicyIssue } from "./policy-view.ts";

/** Kinds that no API server serves: `pod`, `Deployments`, `v1/Deployment`, `pods`. Such a rule never applies, and nothing says so. */
export const unknownKinds: PolicyCheck = ({ rules, schemas }) =>
  rules.flatMap(({ rule, path }) =>
    ["match", "exclude"].flatMap((block) =>
      filters(rule[block], [...path, block]).flatMap(([filter, at]) => {
        const kinds = member(member(filter, "resources"), "kinds");
        return isArray(kinds) ? kinds.flatMap((k, i) => kindIssues(asString(k), [...at, "resources", "kinds", i], schemas)) : [];
      }),
    ),
  );

function kindIssues(text: string | undefined, path: JsonPath, schemas: KubernetesSchemas): readonly PolicyIssue[] {
  if (text === undefined || text === "" || containsWildcard(parseKindSelector(text).kind)) return [];
  const { group, version, kind, subresource } = parseKindSelector(text);
  const resources = schemas.resources().all();
  const served = resources.filter((r) => r.kind === kind);
  if (served.length === 0) return unservedKind(text, kind, path, resources);
  const gone = schemas.lifecycleOf({ group, version, kind });
  if (gone !== undefined && !served.some((r) => r.version === version)) {
    const message = `${text} is not served since Kubernetes ${gone.removed}`;
    return [{ rule: "never-matches", severity: "low", path, message, fix: `Write ${kind}, which fits every version.` }];
  }
  const right = served.find((r) => matchWildcard(group, r.group) && matchWildcard(version, r.version));
  if (right === undefined && (containsWildcard(group) || schemas.resources().hasGroup(group))) {
    const known = served.map((r) => (r.group === "" ? r.version : `${r.group}/${r.version}`)).join(", ");
    return [never(path, `${text} is not served: ${kind} is in ${known}`, `Write ${kind}.`)];
  }
  if (
    subresource !== "" &&
    !containsWildcard(subresource) &&
    !served.some((r) => r.subresources.some((s) => s.name === subresource))
  ) {
    return [
      never(
        path,
        `${kind} has no subresource ${subresource}`,
        `Take one of ${served.flatMap((r) => r.subresources.map((s) => s.name)).join(", ")}.`,
      ),
    ];
  }
  return [];
}

/** A misspelt built-in kind; any other name may be a custom kind of somebody's cluster. */
function unservedKind(
  text: string,
  kind: string,
  path: JsonPath,
  resources: ReturnType<ReturnType<KubernetesSchemas["resources"]>["all"]>,
): readonly PolicyIssue[] {
  const lower = kind.toLowerCase();
  const meant = resources.find((r) => r.kind.toLowerCase() === lower || r.resource === lower || r.shortNames?.includes(lower));
  return meant === undefined
    ? []
    : [never(path, `there is no kind ${text}; kinds are written as in manifests`, `Write ${meant.kind}.`)];
}

function never(path: JsonPath, message: string, fix: string): PolicyIssue {
  return { rule: "never-matches", severity: "high", path, message, fix };
}
