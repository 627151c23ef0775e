import { type AuditRule, type GroupResources, ruleScope } from "./rule.ts";

/** Whether every request that `later` matches is matched by `earlier`: then the later rule is never reached. */
export function coversRule(earlier: AuditRule, later: AuditRule): boolean {
  return (
    coversList(earlier.users, later.users) &&
    coversList(earlier.userGroups, later.userGroups) &&
    coversList(earlier.verbs, later.verbs) &&
    coversTarget(earlier, later)
  );
}

/** An empty list matches everything. */
function coversList(earlier: readonly string[], later: readonly string[]): boolean {
  return earlier.length === 0 || (later.length > 0 && later.every((value) => earlier.includes(value)));
}

function coversTarget(earlier: AuditRule, later: AuditRule): boolean {
  const scope = ruleScope(earlier);
  if (scope === "everything") return true;
  if (scope !== ruleScope(later)) return false;
  if (scope === "urls")
    return later.nonResourceUrls.every((url) => earlier.nonResourceUrls.some((pattern) => coversUrl(pattern, url)));
  if (!coversList(earlier.namespaces, later.namespaces)) return false;
  if (earlier.resources.length === 0) return true;
  return later.resources.length > 0 && later.resources.every((entry) => coversEntry(earlier.resources, entry));
}

function coversUrl(pattern: string, url: string): boolean {
  if (pattern === "*" || pattern === url) return true;
  return pattern.endsWith("*") && url.replace(/\*$/, "").startsWith(pattern.replace(/\*+$/, ""));
}

function coversEntry(earlier: readonly GroupResources[], later: GroupResources): boolean {
  const candidates = earlier.filter((entry) => entry.group === "*" || entry.group === later.group);
  if (later.resources.length === 0) return candidates.some((entry) => coversNames(entry, later) && coversAll(entry));
  return later.resources.every((resource) =>
    candidates.some(
      (entry) => coversNames(entry, later) && (coversAll(entry) || entry.resources.some((p) => coversResource(p, resource))),
    ),
  );
}

function coversAll(entry: GroupResources): boolean {
  return entry.resources.length === 0 || entry.resources.includes("*");
}

function coversNames(earlier: GroupResources, later: GroupResources): boolean {
  return coversList(earlier.resourceNames, later.resourceNames);
}

/** `pods`, `pods/log`, `pods/*` (the subresources, and pods themselves too, whatever its documentation says), `*\/scale`, `*`. */
export function coversResource(pattern: string, resource: string): boolean {
  if (pattern === "*" || pattern === resource) return true;
  const [plural = "", subresource] = resource.split("/");
  if (pattern.startsWith("*/")) return subresource !== undefined && pattern.slice(2) === subresource;
  return pattern.endsWith("/*") && pattern.slice(0, -2) === plural;
}
