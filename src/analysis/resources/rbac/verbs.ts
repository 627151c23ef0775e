import { toPointer } from "../../../core/json.ts";
import { nearestName } from "../../../core/nearest-name.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import type { LintContext } from "../object-check.ts";
import type { PolicyRule } from "./policy-rule.ts";
import { lookUp } from "./resource-names.ts";
import { isSpecialVerb, requestVerbs } from "./synthetic.ts";

const urlVerbs = ["get", "post", "put", "patch", "delete", "head", "options"] as const;

/** What people write for the verbs of the API. */
const synonyms: ReadonlyMap<string, string> = new Map([
  ["read", "get"],
  ["view", "get"],
  ["describe", "get"],
  ["edit", "update"],
  ["modify", "update"],
  ["write", "update"],
  ["put", "update"],
  ["post", "create"],
  ["add", "create"],
  ["apply", "patch"],
  ["remove", "delete"],
  ["head", "get"],
]);

const actions: ReadonlyMap<string, string> = new Map([
  ["exec", "the verb create on pods/exec"],
  ["log", "the verb get on pods/log"],
  ["logs", "the verb get on pods/log"],
  ["attach", "the verb create on pods/attach"],
  ["portforward", "the verb create on pods/portforward"],
  ["port-forward", "the verb create on pods/portforward"],
  ["scale", "the verb update on deployments/scale"],
  ["evict", "the verb create on pods/eviction"],
]);

export function verbIssues(rule: PolicyRule, context: LintContext): LintIssue[] {
  if (rule.nonResourceUrls.length > 0) return unknownVerbs(rule, urlVerbs);
  // Custom API servers and controllers may ask about verbs of their own.
  const builtIn = rule.apiGroups.every((group) => context.knowsGroup(group));
  return [...(builtIn ? unknownVerbs(rule, requestVerbs) : []), ...unsupported(rule, context)];
}

function unknownVerbs(rule: PolicyRule, known: readonly string[]): LintIssue[] {
  return rule.verbs.flatMap((verb, index) => {
    if (known.includes(verb) || isSpecialVerb(verb)) return [];
    const path = [...rule.path, "verbs", index];
    const synonym = synonyms.get(verb.toLowerCase());
    const near = synonym !== undefined && known.includes(synonym) ? synonym : nearestName(verb, known);
    const action = actions.get(verb.toLowerCase());
    const meant = action ?? (near === undefined ? undefined : `the verb ${near}`);
    const base = { check: "rbac-verb", rule: "no-such-verb", path, status: "fail" } as const;
    return {
      ...base,
      message: `No request has the verb ${JSON.stringify(verb)}, so it grants nothing.${meant === undefined ? "" : ` What was meant is ${meant}.`}`,
      evidence: { verb, known },
      fix:
        action !== undefined || near === undefined
          ? adviceFix(action === undefined ? `Use ${orList(known)}.` : `Grant ${action}.`)
          : rule.verbs.includes(near)
            ? patchFix(`Remove ${JSON.stringify(verb)}; ${near} is granted already.`, { op: "remove", path: toPointer(path) })
            : patchFix(`Write ${near}.`, { op: "replace", path: toPointer(path), value: near }),
    } satisfies LintIssue;
  });
}

/** A resource or subresource none of whose verbs the rule names: `pods/log` with `list`, `pods/eviction` with `delete`. */
function unsupported(rule: PolicyRule, context: LintContext): LintIssue[] {
  if (rule.verbs.length === 0 || rule.verbs.some(isSpecialVerb)) return [];
  return rule.resources.flatMap((name, index) => {
    const verdicts = rule.apiGroups.map((group) => lookUp(context, group, name));
    if (verdicts.some((verdict) => verdict.kind === "unknown")) return [];
    const supported = new Set(
      verdicts.flatMap((verdict) => {
        if (verdict.kind !== "served") return [];
        if (verdict.subresource === "") return verdict.resource.verbs;
        return verdict.resource.subresources.find((s) => s.name === verdict.subresource)?.verbs ?? [];
      }),
    );
    if (supported.size === 0 || rule.verbs.some((verb) => supported.has(verb))) return [];
    const verbs = [...supported];
    return {
      check: "rbac-verb",
      rule: "not-supported",
      path: [...rule.path, "resources", index],
      status: "fail",
      message: `${name} can be asked for with ${orList(verbs)} only; with ${orList(rule.verbs)} the rule grants nothing on it.`,
      evidence: { resource: name, supported: verbs, granted: rule.verbs },
      fix: adviceFix(`Grant ${orList(verbs)} on ${name}.`),
    } satisfies LintIssue;
  });
}
