import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { parseKindSelector } from "../../policies/kyverno/kind-selector.ts";
import { contentRefusals } from "./content-refusals.ts";
import { generateRefusals } from "./generate-refusals.ts";
import { entries, filters, type PolicyCheck, type PolicyIssue, type PolicyView, type RuleView, refused } from "./policy-view.ts";
import { variableRefusals } from "./variable-refusals.ts";

/** What Kyverno's admission of policies refuses although every field is right: a policy that is never in force. */
export const refusals: PolicyCheck = (policy) => [
  ...switchRefusals(policy),
  ...policy.rules.flatMap((rule) => [
    ...userRefusals(policy, rule),
    ...wildcardRefusals(policy, rule),
    ...subresourceRefusals(policy, rule),
    ...kindlessRefusals(rule),
    ...contentRefusals(rule),
    ...generateRefusals(policy, rule),
  ]),
  ...variableRefusals(policy, isBackground(policy)),
];

/** Policies judge in the background unless they say no. */
function isBackground({ spec }: PolicyView): boolean {
  return spec["background"] !== false;
}

const changing = ["mutate", "generate", "verifyImages"];

function switchRefusals(policy: PolicyView): readonly PolicyIssue[] {
  const { spec, rules } = policy;
  if (spec["admission"] !== false) return [];
  if (!isBackground(policy)) {
    return [refused(["spec", "admission"], "both admission and background are off", "Leave one of them on.")];
  }
  const other = rules.find(({ rule }) => changing.some((field) => rule[field] !== undefined));
  if (other === undefined) return [];
  return [refused(["spec", "admission"], "only rules that validate work without admission", "Remove admission: false.")];
}

const blocks = ["match", "exclude"] as const;
const userFields = ["roles", "clusterRoles", "subjects"];

/** Nobody asks in a background scan, so there is no user to match. */
function userRefusals(policy: PolicyView, { rule, path }: RuleView): readonly PolicyIssue[] {
  if (!isBackground(policy)) return [];
  return blocks.flatMap((block) =>
    filters(rule[block], [...path, block]).flatMap(([filter, at]) =>
      userFields
        .filter((field) => isFilledList(member(filter, field)))
        .map((field) =>
          refused(
            [...at, field],
            `${block} names ${field}, and a background scan knows no user`,
            "Write spec.background: false, or remove it.",
          ),
        ),
    ),
  );
}

function isFilledList(value: JsonValue | undefined): boolean {
  return isArray(value) && value.length > 0;
}

function isFilled(value: JsonValue | undefined): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function kindsOf(filter: JsonValue): readonly JsonValue[] {
  const kinds = member(member(filter, "resources"), "kinds");
  return isArray(kinds) ? kinds : [];
}

/** The kind `*`, for which Kyverno allows less than for named kinds. */
function wildcardRefusals(policy: PolicyView, { rule, path }: RuleView): readonly PolicyIssue[] {
  return blocks.flatMap((block) =>
    filters(rule[block], [...path, block]).flatMap(([filter, at]): readonly PolicyIssue[] => {
      const kinds = kindsOf(filter);
      const index = kinds.indexOf("*");
      if (index < 0) return [];
      const place = [...at, "resources", "kinds", index];
      if (isBackground(policy))
        return [refused(place, "the kind * and background scans exclude each other", "Write spec.background: false.")];
      if (kinds.length > 1) return [refused(place, "beside * there can be no other kind", "Remove the others.")];
      if (rule["generate"] !== undefined || rule["verifyImages"] !== undefined || hasLoop(rule))
        return [refused(place, "rules of this type cannot match the kind *", "Name the kinds.")];
      if (!onlyMetadata(rule)) return [refused(place, "a rule for the kind * can only speak of metadata", "Name the kinds.")];
      return [];
    }),
  );
}

function hasLoop(rule: JsonObject): boolean {
  return member(rule["validate"], "foreach") !== undefined;
}

/** Subresources are never listed, so that no background scan finds them. */
function subresourceRefusals(policy: PolicyView, { rule, path }: RuleView): readonly PolicyIssue[] {
  if (!isBackground(policy) || rule["validate"] === undefined) return [];
  return filters(rule["match"], [...path, "match"]).flatMap(([filter, at]) =>
    kindsOf(filter).flatMap((kind, i): readonly PolicyIssue[] => {
      const { subresource } = parseKindSelector(asString(kind) ?? "");
      if (subresource === "") return [];
      const message = `${String(kind)} is a subresource, which background scans do not see`;
      return [refused([...at, "resources", "kinds", i], message, "Write spec.background: false.")];
    }),
  );
}

/** A filter that names something, and no kind. */
function kindlessRefusals({ rule, path }: RuleView): readonly PolicyIssue[] {
  return filters(rule["match"], [...path, "match"])
    .filter(([filter]) => kindsOf(filter).length === 0 && isFilled(member(filter, "resources")))
    .map(([, at]) => refused(at, "every entry of match needs kinds", "Name the kinds under resources.kinds."));
}

/** Whether patterns and patches name `metadata` alone. */
function onlyMetadata(rule: JsonObject): boolean {
  const { validate, mutate } = rule;
  const anyPattern = entries(member(validate, "anyPattern"), []).map(([pattern]) => pattern);
  const shapes = [member(validate, "pattern"), member(mutate, "patchStrategicMerge"), ...anyPattern];
  const keys = shapes.flatMap((shape) => (isObject(shape) ? Object.keys(shape) : []));
  const patches = asString(member(mutate, "patchesJson6902")) ?? "";
  const paths = [...patches.matchAll(/\bpath["']?:\s*["']?(\/[^"'\s,}]*)/g)].map(([, to = ""]) => to);
  return keys.every((key) => key === "metadata") && paths.every((to) => to.startsWith("/metadata"));
}
