import type { Schema } from "../../../core/schema.ts";

/** A rule of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** A structural schema with the bounds that costs are estimated from, and its rules. */
export interface CelSchema extends Schema {
  readonly properties?: { readonly [name: string]: CelSchema };
  readonly additionalProperties?: CelSchema | boolean;
  readonly items?: CelSchema;
  readonly allOf?: readonly CelSchema[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

/** Follows `$ref`. */
export type Resolve = (schema: CelSchema) => CelSchema;

/** For schemas without references: those of custom resources. */
export const selfContained: Resolve = (schema) => schema;

/** The schema of the values of a map; undefined where it is no map, or says nothing of them. */
export function valueSchema(schema: CelSchema): CelSchema | undefined {
  const { additionalProperties } = schema;
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

export function isEmbedded(schema: CelSchema): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

const text: CelSchema = { type: "string" };
const metadata: CelSchema = { type: "object", properties: { name: text, generateName: text } };

/** Resources have their type and name, whatever their schema says. */
export function withTypeAndName(schema: CelSchema): CelSchema {
  const { kind, apiVersion, metadata: given } = schema.properties ?? {};
  const complete =
    kind?.type === "string" &&
    apiVersion?.type === "string" &&
    given?.type === "object" &&
    given.properties?.["name"]?.type === "string" &&
    given.properties["generateName"]?.type === "string";
  return complete ? schema : { ...schema, properties: { ...schema.properties, kind: text, apiVersion: text, metadata } };
}
