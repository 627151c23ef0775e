import { asString, isArray, type JsonPath, type JsonValue, member, toDotted } from "../../core/json.ts";
import { entries, type PolicyCheck, type PolicyIssue, type PolicyView, type RuleView } from "./policy-view.ts";

/** Forms that still work and have a better one; Kyverno's documentation calls them deprecated. Operators are the compiler's to name. */
export const legacyForms: PolicyCheck = (policy) => {
  const issues = [...legacyPolicy(policy), ...policy.rules.flatMap((rule) => [...legacyBlocks(rule), ...legacyImages(rule)])];
  return [...Map.groupBy(issues, ({ message }) => message).values()].flatMap(asOne);
};

/** One finding for each form, at the first place: who rewrites one rewrites all. */
function asOne(issues: readonly PolicyIssue[]): readonly PolicyIssue[] {
  const [first, ...others] = issues;
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : `, here and at ${others.map(({ path }) => toDotted(path)).join(", ")}`;
  return [{ ...first, message: first.message + more }];
}

function issue(path: JsonPath, message: string, fix: string): PolicyIssue {
  return { rule: "legacy-form", severity: "low", path, message, fix };
}

/** Fields of `spec` that moved: old place, new place. */
const movedFields: readonly (readonly [string, string])[] = [
  ["validationFailureAction", "validate.failureAction of each rule"],
  ["validationFailureActionOverrides", "validate.failureActionOverrides of each rule"],
  ["mutateExistingOnPolicyUpdate", "mutate.mutateExistingOnPolicyUpdate of each rule"],
  ["generateExistingOnPolicyUpdate", "generate.generateExisting of each rule"],
  ["generateExisting", "generate.generateExisting of each rule"],
  ["failurePolicy", "spec.webhookConfiguration.failurePolicy"],
  ["webhookTimeoutSeconds", "spec.webhookConfiguration.timeoutSeconds"],
];

function legacyPolicy({ document, spec }: PolicyView): readonly PolicyIssue[] {
  const issues = movedFields
    .filter(([field]) => spec[field] !== undefined)
    .map(([field, place]) => issue(["spec", field], `spec.${field} is deprecated`, `Write it as ${place}.`));
  const action = asString(spec["validationFailureAction"]);
  if (action === "enforce" || action === "audit") {
    const right = action === "enforce" ? "Enforce" : "Audit";
    issues.push(issue(["spec", "validationFailureAction"], `the lower-case "${action}" is an old spelling`, `Write ${right}.`));
  }
  if (spec["schemaValidation"] !== undefined) {
    issues.push(issue(["spec", "schemaValidation"], "spec.schemaValidation has no effect any more", "Remove it."));
  }
  if (document.value.apiVersion !== "kyverno.io/v1") {
    issues.push(issue(["apiVersion"], `${document.value.apiVersion} is no longer the version to write`, "Write kyverno.io/v1."));
  }
  return issues;
}

function legacyBlocks({ rule, path }: RuleView): readonly PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  for (const block of ["match", "exclude"]) {
    if (member(rule[block], "resources") === undefined) continue;
    issues.push(
      issue(
        [...path, block, "resources"],
        `a bare ${block}.resources is the old form`,
        `Put it under ${block}.any as one entry.`,
      ),
    );
  }
  const deny = member(member(rule["validate"], "deny"), "conditions");
  const lists: readonly (readonly [JsonValue | undefined, JsonPath])[] = [
    [rule["preconditions"], [...path, "preconditions"]],
    [deny, [...path, "validate", "deny", "conditions"]],
  ];
  for (const [value, at] of lists) {
    if (isArray(value))
      issues.push(issue(at, "a bare list of conditions is the old form: all of them must hold", "Put it under `all`."));
  }
  return issues;
}

function legacyImages({ rule, path }: RuleView): readonly PolicyIssue[] {
  return entries(rule["verifyImages"], [...path, "verifyImages"]).flatMap(([entry, at]) =>
    ["image", "key", "roots", "subject", "issuer", "additionalExtensions", "annotations"]
      .filter((field) => member(entry, field) !== undefined)
      .map((field) =>
        issue(
          [...at, field],
          `verifyImages.${field} is deprecated`,
          field === "image" ? "Write imageReferences." : "Write attestors.",
        ),
      ),
  );
}
