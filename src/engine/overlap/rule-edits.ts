import { asString, isArray, isObject, type JsonValue, member } from "../../core/json.ts";
import { below, type Edit } from "./edit.ts";
import { expressionEdits, objectPaths } from "./expression-edits.ts";
import { filled, patternEdits } from "./pattern-edits.ts";

/** Edits that a rule of a policy suggests, each list one variant of an object. */
export interface RuleEdits {
  /** Make the object one that the rule is for: names, namespaces, labels. Relative to the object. */
  readonly match: readonly (readonly Edit[])[];
  /** What the rule looks at. Relative to the pod, where the rule is for pods. */
  readonly variants: readonly (readonly Edit[])[];
}

/** Reads the rule as written, of whatever kind its policy is: patterns by structure, expressions by their looks. */
export function ruleEdits(policy: JsonValue, ruleName: string): RuleEdits {
  const rules = member(member(policy, "spec"), "rules");
  const rule = (isArray(rules) ? rules.filter(isObject) : []).find((r) => r["name"] === ruleName) ?? {};
  const { match, validate, mutate, ...rest } = rule;
  const pattern = member(validate, "pattern");
  const anyPattern = member(validate, "anyPattern");
  const merge = member(mutate, "patchStrategicMerge");
  return {
    match: matchEdits(match),
    variants: [
      ...(pattern === undefined ? [] : patternEdits(pattern)),
      ...(isArray(anyPattern) ? anyPattern.flatMap(patternEdits) : []),
      ...(merge === undefined ? [] : patternEdits(merge)),
      ...loopEdits(member(validate, "foreach")),
      ...expressionEdits(rule === undefined ? policy : { rest, validate, mutate }),
    ],
  };
}

/** Patterns of loops, in the first element of the list that is looped over. */
function loopEdits(foreach: JsonValue | undefined): readonly (readonly Edit[])[] {
  return (isArray(foreach) ? foreach : []).flatMap((entry) => {
    const lists = objectPaths(asString(member(entry, "list")) ?? "").map((path) => (path.at(-1) === 0 ? path : [...path, 0]));
    const pattern = member(entry, "pattern");
    return pattern === undefined ? [] : lists.flatMap((list) => patternEdits(pattern).map((edits) => below(list, edits)));
  });
}

function matchEdits(match: JsonValue | undefined): readonly (readonly Edit[])[] {
  const lists = [member(match, "any"), member(match, "all")].filter(isArray).flat();
  const filters = lists.length > 0 ? lists : match === undefined ? [] : [match];
  return filters.map((filter) => filterEdits(member(filter, "resources"))).filter((edits) => edits.length > 0);
}

function filterEdits(resources: JsonValue | undefined): readonly Edit[] {
  const first = (key: string) => {
    const list = member(resources, key);
    return asString(isArray(list) ? list[0] : list);
  };
  const name = first("names") ?? first("name");
  const namespace = first("namespaces");
  const labels = member(member(resources, "selector"), "matchLabels");
  const annotations = member(resources, "annotations");
  return [
    ...(name === undefined ? [] : [{ path: ["metadata", "name"], value: filled(name) }]),
    ...(namespace === undefined ? [] : [{ path: ["metadata", "namespace"], value: filled(namespace) }]),
    ...mapEdits("labels", labels),
    ...mapEdits("annotations", annotations),
  ];
}

function mapEdits(field: string, map: JsonValue | undefined): readonly Edit[] {
  if (!isObject(map)) return [];
  return Object.entries(map).map(([key, value]) => ({ path: ["metadata", field, filled(key)], value: filled(String(value)) }));
}
