import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { parseAnchor } from "../../policies/kyverno/anchor.ts";
import { entries, filters, type PolicyIssue, type RuleView, refused } from "./policy-view.ts";

/** What Kyverno refuses inside of a rule. */
export function contentRefusals(view: RuleView): readonly PolicyIssue[] {
  return [
    ...roleRefusals(view),
    ...contextRefusals(view),
    ...operationRefusals(view),
    ...elementRefusals(view),
    ...patchRefusals(view),
    ...shapeRefusals(view),
  ];
}

/** Roles are named with their namespace. */
function roleRefusals({ rule, path }: RuleView): readonly PolicyIssue[] {
  return ["match", "exclude"].flatMap((block) =>
    filters(rule[block], [...path, block]).flatMap(([filter, at]) =>
      entries(member(filter, "roles"), [...at, "roles"])
        .filter(([role]) => typeof role === "string" && role.split(":").length !== 2)
        .map(([role, place]) => refused(place, `the role ${String(role)} has no namespace`, "Write namespace:name.")),
    ),
  );
}

const reserved = ["images", "request", "serviceAccountName", "serviceAccountNamespace", "element", "elementIndex"];

function contextRefusals({ rule, path }: RuleView): readonly PolicyIssue[] {
  return entries(rule["context"], [...path, "context"]).flatMap(([entry, at]) => {
    const name = asString(member(entry, "name")) ?? "";
    const taken = reserved.find((word) => name === word || name.startsWith(`${word}.`));
    return taken === undefined ? [] : [refused([...at, "name"], `${taken} is a variable of its own`, "Take another name.")];
  });
}

const operations = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** `{{ request.operation }}` is compared with one of four words. */
function operationRefusals({ rule, path }: RuleView): readonly PolicyIssue[] {
  const deny = member(member(rule["validate"], "deny"), "conditions");
  const blocks: readonly (readonly [JsonValue | undefined, JsonPath])[] = [
    [rule["preconditions"], [...path, "preconditions"]],
    [deny, [...path, "validate", "deny", "conditions"]],
  ];
  const conditions = blocks.flatMap(([block, at]) => [
    ...entries(block, at),
    ...entries(member(block, "any"), [...at, "any"]),
    ...entries(member(block, "all"), [...at, "all"]),
  ]);
  return conditions.flatMap(([condition, at]) => {
    const key = asString(member(condition, "key"))?.replaceAll(/\s/g, "");
    if (key !== "{{request.operation}}") return [];
    const value = member(condition, "value");
    const wrong = (isArray(value) ? value : [value]).find((v) => typeof v === "string" && !isOperation(v));
    if (wrong === undefined) return [];
    return [refused([...at, "value"], `${String(wrong)} is no operation`, `Write one of ${operations.join(", ")}.`)];
  });
}

const isOperation = (text: string): boolean => text.includes("{{") || operations.includes(text);

/** There is an element only in a loop. */
function elementRefusals({ rule, path }: RuleView): readonly PolicyIssue[] {
  const found: PolicyIssue[] = [];
  const walk = (value: JsonValue | undefined, at: JsonPath) => {
    if (typeof value === "string") {
      const variable = /(?<!\\)\{\{-?\s*(element\w*)/.exec(value)?.[1];
      if (variable !== undefined)
        found.push(refused(at, `{{ ${variable} }} is known in a foreach only`, "Loop with foreach, or name what is meant."));
    } else if (isArray(value)) for (const [i, item] of value.entries()) walk(item, [...at, i]);
    else if (isObject(value)) {
      for (const [key, member] of Object.entries(value)) if (key !== "foreach") walk(member, [...at, key]);
    }
  };
  for (const block of ["preconditions", "validate", "mutate", "generate"]) walk(rule[block], [...path, block]);
  return found;
}

function patchRefusals({ rule, path }: RuleView): readonly PolicyIssue[] {
  const patches = asString(member(rule["mutate"], "patchesJson6902")) ?? "";
  const at = [...path, "mutate", "patchesJson6902"];
  return /\bpath["']?:\s*["']?\/[^\n,}]*\{\{/.test(patches)
    ? [refused(at, "the path of a patch cannot hold variables", "Use foreach, or patchStrategicMerge.")]
    : [];
}

/** Labels and annotations are texts; what an existence anchor stands for is a list. */
function shapeRefusals({ rule, path }: RuleView): readonly PolicyIssue[] {
  const found: PolicyIssue[] = [];
  const walk = (value: JsonValue | undefined, at: JsonPath) => {
    if (isArray(value)) for (const [i, item] of value.entries()) walk(item, [...at, i]);
    else if (isObject(value)) {
      for (const [key, item = null] of Object.entries(value)) {
        const place = [...at, key];
        if (parseAnchor(key)?.kind === "existence" && !isArray(item))
          found.push(refused(place, `${key} needs a list, as it asks for an item of one`, "Write the item as a list of one."));
        walk(item, place);
      }
    }
  };
  const validate = rule["validate"];
  walk(member(validate, "pattern"), [...path, "validate", "pattern"]);
  walk(member(validate, "anyPattern"), [...path, "validate", "anyPattern"]);
  const patterns: readonly (readonly [JsonValue | undefined, JsonPath])[] = [
    [member(validate, "pattern"), [...path, "validate", "pattern"]],
    [member(rule["mutate"], "patchStrategicMerge"), [...path, "mutate", "patchStrategicMerge"]],
  ];
  for (const [pattern, at] of patterns) {
    for (const field of ["labels", "annotations"]) {
      const texts = member(member(pattern, "metadata"), field);
      const wrong = Object.entries(isObject(texts) ? texts : {}).find(([, text]) => typeof text !== "string");
      if (wrong === undefined) continue;
      found.push(
        refused([...at, "metadata", field, wrong[0]], `${field} are texts, and ${wrong[0]} is none`, "Quote the value."),
      );
    }
  }
  return found;
}
