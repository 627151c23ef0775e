import { asString, isArray, isObject, type JsonPath, type JsonValue, jsonEquals, member } from "../../core/json.ts";
import { entries, filters, type PolicyCheck, type PolicyIssue, type PolicyView, type RuleView } from "./policy-view.ts";

/** Rules that can never say anything, and texts that nobody will ever see. */
export const neverApplies: PolicyCheck = (policy) => [
  ...policy.rules.flatMap((rule) => [
    ...emptyMatch(rule),
    ...excludesItself(rule),
    ...namespacedClusterKinds(rule, policy),
    ...deadMessage(rule),
    ...deadAction(rule, policy),
  ]),
];

function never(path: JsonPath, message: string, fix: string): PolicyIssue {
  return { rule: "never-matches", severity: "high", path, message, fix };
}

function emptyMatch({ rule, path }: RuleView): readonly PolicyIssue[] {
  const empty = filters(rule["match"], [...path, "match"]).filter(([filter]) => !selectsSomething(filter));
  const all = empty.length > 0 && empty.length === filters(rule["match"], []).length;
  return all
    ? [never([...path, "match"], "the match block selects nothing, so the rule never applies", "Name the kinds it is for.")]
    : [];
}

function selectsSomething(filter: JsonValue): boolean {
  const parts = [
    member(filter, "resources"),
    member(filter, "subjects"),
    member(filter, "roles"),
    member(filter, "clusterRoles"),
  ];
  return parts.some((part) => (isArray(part) ? part.length > 0 : isObject(part) && Object.keys(part).length > 0));
}

/** An exclude entry that asks no more than a match entry takes all of it back. */
function excludesItself({ rule, path }: RuleView): readonly PolicyIssue[] {
  const excluded = filters(rule["exclude"], [...path, "exclude"]).filter(([filter]) => selectsSomething(filter));
  const matched = filters(rule["match"], []).filter(([filter]) => selectsSomething(filter));
  const first = excluded[0];
  if (first === undefined || matched.length === 0) return [];
  const takenBack = matched.every(([match]) => excluded.some(([exclude]) => covers(exclude, match)));
  const joined = isArray(member(rule["exclude"], "all")) && excluded.length > 1;
  if (!takenBack || joined) return [];
  return [
    never(
      first[1],
      "exclude takes back everything that match selects, so the rule never applies",
      "Make exclude narrower than match.",
    ),
  ];
}

/** Whether every object that fits `narrow` fits `wide`, as far as a comparison part by part can tell. */
function covers(wide: JsonValue, narrow: JsonValue): boolean {
  const user = ["subjects", "roles", "clusterRoles"].every(
    (key) => member(wide, key) === undefined || jsonEquals(member(wide, key), member(narrow, key)),
  );
  const wideResources = member(wide, "resources");
  const narrowResources = member(narrow, "resources");
  if (!user || !isObject(wideResources)) return user && wideResources === undefined && selectsSomething(wide);
  return Object.entries(wideResources).every(([key, value]) => {
    const other = member(narrowResources, key);
    if (isArray(value) && isArray(other)) return value.includes("*") || other.every((item) => value.includes(item));
    return jsonEquals(value, other);
  });
}

/** `namespaces` never fits objects that have none; on Namespace objects it means their name. */
function namespacedClusterKinds({ rule, path }: RuleView, { schemas }: PolicyView): readonly PolicyIssue[] {
  return filters(rule["match"], [...path, "match"]).flatMap(([filter, at]) => {
    const resources = member(filter, "resources");
    const namespaces = member(resources, "namespaces");
    const kinds = member(resources, "kinds");
    if (!isArray(namespaces) || namespaces.length === 0 || !isArray(kinds) || namespaces.some((n) => n === "*")) return [];
    const clusterKinds = kinds.filter((k) => {
      const served = schemas
        .resources()
        .all()
        .filter((r) => r.kind === k && r.kind !== "Namespace");
      return served.length > 0 && served.every((r) => !r.namespaced);
    });
    if (clusterKinds.length === 0) return [];
    const message = `${clusterKinds.join(", ")} has no namespace, so the entry never selects it`;
    return [never([...at, "resources", "namespaces"], message, "Remove namespaces, or the kind.")];
  });
}

/** With CEL every expression that has a message of its own hides the rule's. */
function deadMessage({ rule, path }: RuleView): readonly PolicyIssue[] {
  const validate = rule["validate"];
  const expressions = entries(member(member(validate, "cel"), "expressions"), []);
  const own = expressions.every(([e]) => member(e, "message") !== undefined || member(e, "messageExpression") !== undefined);
  if (member(validate, "message") === undefined || expressions.length === 0 || !own) return [];
  const message = "every expression has a message of its own, so this one is never shown";
  return [
    {
      rule: "message-without-effect",
      severity: "low",
      path: [...path, "validate", "message"],
      message,
      fix: "Remove one of them.",
    },
  ];
}

/** A rule's own failureAction hides the policy's. */
function deadAction({ rule, path, name }: RuleView, { spec }: PolicyView): readonly PolicyIssue[] {
  const own = asString(member(rule["validate"], "failureAction"));
  const general = asString(spec["validationFailureAction"]);
  if (own === undefined || general === undefined || own.toLowerCase() === general.toLowerCase()) return [];
  const message = `rule ${name} says ${own} and the policy says ${general}; the rule's counts`;
  return [
    {
      rule: "field-without-effect",
      severity: "low",
      path: [...path, "validate", "failureAction"],
      message,
      fix: "Say it once, in the rule.",
    },
  ];
}
