import { type Diagnostic, type Loaded, loaded } from "../../core/diagnostic.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type AccessRule, compileAccessRule } from "./access-rule.ts";
import type { ApproverLookup } from "./slots.ts";
import type { AccessRules } from "./types.ts";

/** The rules with where approvers are looked up. */
export function accessRules(rules: readonly AccessRule[], lookup: ApproverLookup): AccessRules {
  const ordered = [...rules].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    offersException: (policy, namespace, cluster) => ordered.some((rule) => rule.offersException(policy, namespace, cluster)),
    offers: (person, ask, context) => ordered.flatMap((rule) => rule.offer(person, ask, context, lookup) ?? []),
  };
}

/** Compiles the AccessRule documents; rules of one name, and those that are wrong, are left out and told. */
export function compileAccessRules(documents: readonly SourceDocument[], lookup: ApproverLookup): Loaded<readonly AccessRule[]> {
  const problems: Diagnostic[] = [];
  const rules = new Map<string, AccessRule>();
  for (const document of documents) {
    const compiled = compileAccessRule(document, lookup);
    problems.push(...compiled.diagnostics);
    if (!compiled.ok) continue;
    const { name } = compiled.value;
    if (!rules.has(name)) rules.set(name, compiled.value);
    else {
      const span = document.locate(["metadata", "name"]);
      problems.push({
        code: "ACCESS_RULE_INVALID",
        severity: "error",
        message: `there are two access rules ${name}; the first counts`,
        span,
      });
    }
  }
  return loaded([...rules.values()], problems);
}
