import type { JsonObject } from "../../../core/json.ts";
import type { CelSchema } from "./schema.ts";

/** The schema of a custom resource, as its definition has it: everything that the API server checks. */
export interface StructuralSchema extends CelSchema {
  readonly properties?: { readonly [name: string]: StructuralSchema };
  readonly additionalProperties?: StructuralSchema | boolean;
  readonly items?: StructuralSchema;
  readonly allOf?: readonly StructuralSchema[];
  readonly anyOf?: readonly StructuralSchema[];
  readonly oneOf?: readonly StructuralSchema[];
  readonly not?: StructuralSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly minProperties?: number;
}

/** A definition was accepted by an API server, or will be refused by one: its schema is taken as it stands. */
export function asStructuralSchema(value: JsonObject): StructuralSchema {
  return value as StructuralSchema;
}
