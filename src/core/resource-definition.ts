import { z } from "zod";
import { isArray, isObject, type JsonObject, type JsonValue } from "./json.ts";
import { castellanGroup, castellanVersion, type ResourceKind } from "./resource-kind.ts";

/**
 * The structural schema of a kind. Unknown fields are kept, so that we can refuse them: the API server would drop a misspelt
 * restriction and store what is left.
 */
function structural(schema: JsonValue): JsonValue {
  if (isArray(schema)) return schema.map(structural);
  if (!isObject(schema)) return schema;
  const { properties, items, additionalProperties, $schema: _, propertyNames: __, ...rest } = schema;
  const shown = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const isFree = isObject(additionalProperties) && Object.keys(additionalProperties).length === 0;
  return {
    ...shown,
    ...(isObject(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, structural(one ?? {})])) }
      : {}),
    ...(items === undefined ? {} : { items: structural(items) }),
    ...(isObject(additionalProperties) && !isFree ? { additionalProperties: structural(additionalProperties) } : {}),
    ...(isFree || isObject(properties) ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
  };
}

/** The CustomResourceDefinition of one of our kinds. */
export function customResourceDefinition({
  kind,
  plural,
  shortNames,
  description,
  spec,
  columns,
}: ResourceKind<unknown>): JsonObject {
  const ofSpec: JsonValue = JSON.parse(JSON.stringify(z.toJSONSchema(spec, { target: "openapi-3.0", io: "input" })));
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${castellanGroup}`, annotations: { "helm.sh/resource-policy": "keep" } },
    spec: {
      group: castellanGroup,
      scope: "Cluster",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        categories: ["castellan"],
        ...(shortNames.length === 0 ? {} : { shortNames }),
      },
      versions: [
        {
          name: castellanVersion,
          served: true,
          storage: true,
          additionalPrinterColumns: columns.map(({ name, path }) => ({ name, type: "string", jsonPath: `.spec.${path}` })),
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: structural(ofSpec),
              },
            },
          },
        },
      ],
    },
  };
}
