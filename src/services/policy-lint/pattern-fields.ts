import { asString, isArray, isObject, type JsonPath, type JsonValue, member, toDotted } from "../../core/json.ts";
import type { GroupVersionKind } from "../../core/kubernetes.ts";
import type { KubernetesSchemas, Schema } from "../../core/schema.ts";
import { containsWildcard } from "../../core/wildcard.ts";
import { parseAnchor } from "../../policies/kyverno/anchor.ts";
import { parseKindSelector } from "../../policies/kyverno/kind-selector.ts";
import { entries, filters, type PolicyCheck, type PolicyIssue, type RuleView } from "./policy-view.ts";

/** Fields in patterns that the matched kinds do not have: such a pattern fails, or passes, whatever the object holds. */
export const patternFields: PolicyCheck = ({ rules, schemas }) =>
  rules.flatMap((rule) => {
    const kinds = matchedKinds(rule, schemas);
    if (kinds === undefined) return [];
    return patterns(rule).flatMap(([pattern, path]) => {
      // A field is wrong only where every matched kind lacks it.
      const perKind = kinds.map((kind) => unknownFields(pattern, schemas.schemaFor(kind), path, [], schemas));
      const [first = [], ...others] = perKind;
      return first.filter((issue) => others.every((list) => list.some((o) => toDotted(o.path) === toDotted(issue.path))));
    });
  });

/** The built-in kinds of a rule; undefined where one of them is not known, as then nothing can be said. */
function matchedKinds({ rule }: RuleView, schemas: KubernetesSchemas): readonly GroupVersionKind[] | undefined {
  const found: GroupVersionKind[] = [];
  for (const [filter] of filters(rule["match"], [])) {
    const kinds = member(member(filter, "resources"), "kinds");
    if (!isArray(kinds)) return undefined;
    for (const text of kinds) {
      const { kind, subresource } = parseKindSelector(asString(text) ?? "");
      const served = schemas
        .resources()
        .all()
        .find((r) => r.kind === kind);
      if (subresource !== "" || containsWildcard(kind) || served === undefined) return undefined;
      found.push(served);
    }
  }
  return found.length === 0 ? undefined : found;
}

function patterns({ rule, path }: RuleView): readonly (readonly [JsonValue, JsonPath])[] {
  const validate = rule["validate"];
  const pattern = member(validate, "pattern");
  const at = [...path, "validate"];
  return [
    ...(pattern === undefined ? [] : [[pattern, [...at, "pattern"]] as const]),
    ...entries(member(validate, "anyPattern"), [...at, "anyPattern"]),
  ];
}

function unknownFields(
  pattern: JsonValue,
  schema: Schema | undefined,
  path: JsonPath,
  field: JsonPath,
  schemas: KubernetesSchemas,
): readonly PolicyIssue[] {
  if (schema === undefined) return [];
  const known = schemas.resolve(schema);
  if (isArray(pattern)) {
    const items = known.items === undefined ? undefined : schemas.resolve(known.items);
    return pattern.flatMap((item, i) => unknownFields(item, items, [...path, i], [...field, i], schemas));
  }
  if (!isObject(pattern) || known.properties === undefined || known["x-kubernetes-preserve-unknown-fields"] === true) {
    const values = isObject(pattern) && typeof known.additionalProperties === "object" ? known.additionalProperties : undefined;
    return values === undefined || !isObject(pattern)
      ? []
      : Object.entries(pattern).flatMap(([key, value]) =>
          unknownFields(value ?? null, values, [...path, key], [...field, key], schemas),
        );
  }
  return Object.entries(pattern).flatMap(([written, value]) => {
    const key = parseAnchor(written)?.key ?? written;
    if (containsWildcard(key) || key.includes("{{")) return [];
    const at = [...path, written];
    if (!Object.hasOwn(known.properties ?? {}, key)) return [unknown([...field, key], at)];
    return unknownFields(value ?? null, schemas.child(known, key), at, [...field, key], schemas);
  });
}

function unknown(field: JsonPath, path: JsonPath): PolicyIssue {
  return {
    rule: "unknown-pattern-field",
    severity: "high",
    path,
    message: `the matched kinds have no field ${toDotted(field)}: the pattern asks for something that no object holds`,
    fix: "Correct the name or the place of the field.",
  };
}
