import { isArray, isObject, type JsonPath, type JsonValue } from "../../../core/json.ts";
import { foldName, nearestName } from "../../../core/nearest-name.ts";
import type { KubernetesSchemas, Schema } from "../../../core/schema.ts";
import { type FieldIndex, type FieldPlace, treeDistance } from "./field-index.ts";
import type { UnknownField } from "./problem.ts";
import { walkObject } from "./walk.ts";

/** What was meant by a field that does not exist. */
export type Suggestion =
  /** Another name at the same place. */
  | { readonly kind: "misspelt"; readonly name: string }
  /** The same name elsewhere: member names from the root, `[]` for each item of a list. */
  | { readonly kind: "misplaced"; readonly place: readonly string[] };

/** Farther away than this, an equal name is a coincidence. */
const farthest = 5;

export function suggest(problem: UnknownField, index: () => FieldIndex, schemas: KubernetesSchemas): Suggestion | undefined {
  const names = Object.keys(problem.parent.properties ?? {});
  const near = nearestName(problem.key, names);
  if (near !== undefined && fits(problem.value, schemas.child(problem.parent, near), schemas)) {
    return { kind: "misspelt", name: near };
  }
  const place = nearestPlace(problem, index(), schemas);
  if (place !== undefined) return { kind: "misplaced", place: place.path };
  return near === undefined ? undefined : { kind: "misspelt", name: near };
}

function nearestPlace(problem: UnknownField, index: FieldIndex, schemas: KubernetesSchemas): FieldPlace | undefined {
  const from = pattern(problem.path.slice(0, -1));
  const candidates = (index.get(foldName(problem.key)) ?? [])
    .map((place) => ({ place, distance: treeDistance(from, place.path.slice(0, -1)) }))
    .filter(({ distance }) => distance <= farthest)
    .sort((a, b) => a.distance - b.distance);
  return candidates.find(({ place }) => fits(problem.value, place.schema, schemas))?.place;
}

function pattern(path: JsonPath): readonly string[] {
  return path.map((step) => (typeof step === "number" ? "[]" : step));
}

/** Whether a value could stand at a field: the strongest sign that the field was meant. */
function fits(value: JsonValue, schema: Schema | undefined, schemas: KubernetesSchemas): boolean {
  if (schema === undefined) return false;
  if (value === null) return true;
  if (schema.type === "object") {
    return isObject(value) && walkObject(value, schema, schemas, { partial: true, custom: false }).length === 0;
  }
  if (schema.type === "array") {
    return (
      isArray(value) && value.every((item) => schema.items === undefined || fits(item, schemas.resolve(schema.items), schemas))
    );
  }
  return (
    walkObject({ value }, { type: "object", properties: { value: schema } }, schemas, { partial: true, custom: false }).length ===
    0
  );
}
