import { isArray, isObject, type JsonPath, type JsonValue, jsonEquals } from "../../core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import type { Schema } from "../../core/schema.ts";
import { baseObject, templatePath } from "./base-objects.ts";
import { applyEdits, below, type Edit } from "./edit.ts";
import { judge, type OverlapEnv, type OverlapUnit } from "./unit.ts";

type Edits = readonly Edit[];

/** Ways to make an object of one kind that a rule accepts, and ways to make one that it refuses. */
export interface Variants {
  readonly accepted: readonly Edits[];
  readonly refused: readonly Edits[];
}

/** More of a sort tell nothing new. */
const maxTried = 150;
const maxAccepted = 4;
const maxRefused = 10;

export function editedObject(kind: string, edits: Edits, env: OverlapEnv): KubernetesObject {
  const base = baseObject(kind, env.resources);
  const value = applyEdits(base, edits);
  return isKubernetesObject(value) ? value : base;
}

/** Tries what the rule itself suggests, and sorts it by what the rule says. */
export function variantsOf(unit: OverlapUnit, kind: string, env: OverlapEnv): Variants {
  const accepted: Edits[] = [];
  const refused: Edits[] = [];
  for (const edits of tries(unit, kind, env).slice(0, maxTried)) {
    const verdict = judge(unit, editedObject(kind, edits, env), env);
    if (verdict === "pass" && accepted.length < maxAccepted) accepted.push(edits);
    if (verdict === "fail" && refused.length < maxRefused) refused.push(edits);
  }
  return { accepted, refused };
}

/** Every way to be matched, with every variant of the fields that the rule looks at that the API server would take. */
export function tries(unit: OverlapUnit, kind: string, env: OverlapEnv): readonly Edits[] {
  const gvk = gvkOf(baseObject(kind, env.resources));
  const prefix = unit.kinds.includes("Pod") ? templatePath(kind) : [];
  const matches = unit.edits.match.length > 0 ? unit.edits.match : [[]];
  const variants = [[], ...unit.edits.variants].map((edits) => below(prefix, edits));
  const valid = variants.filter((edits) => edits.every(({ path, value }) => fitsSchema(env.schemas.schemaAt(gvk, path), value)));
  return valid.flatMap((variant) => matches.map((match) => [...match, ...variant]));
}

/** Whether a value is of the type that the field has; true where nothing is known. */
function fitsSchema(schema: Schema | undefined, value: JsonValue | undefined): boolean {
  if (schema === undefined || value === undefined) return true;
  if (schema.enum !== undefined) return schema.enum.includes(value);
  if (schema["x-kubernetes-int-or-string"] === true) return typeof value === "number" || typeof value === "string";
  switch (schema.type) {
    case "boolean":
    case "string":
      return typeof value === schema.type;
    case "integer":
    case "number":
      return typeof value === "number";
    case "object":
      return isObject(value);
    case "array":
      return isArray(value);
    default:
      return true;
  }
}

/** Fields that both set, to different values. */
export function conflicts(a: Edits, b: Edits): readonly JsonPath[] {
  return a.filter((x) => b.some((y) => jsonEquals(x.path, y.path) && !jsonEquals(x.value, y.value))).map((x) => x.path);
}

/**
 * Both together, where they can be: each after the other, and with every value that either side knows for the fields
 * they disagree on, in all of those fields at once.
 */
export function combined(a: Edits, b: Edits, pool: readonly Edits[]): readonly Edits[] {
  const choices = conflicts(a, b).map((path) => {
    const known = [a, b, ...pool].flatMap((edits) => edits.filter((e) => jsonEquals(e.path, path)).map((e) => e.value));
    return { path, values: [...known, ...joined(known)] };
  });
  const longest = Math.max(0, ...choices.map((c) => c.values.length));
  const settled = Array.from({ length: longest }, (_, k) => [
    ...a,
    ...b,
    ...choices.map(({ path, values }): Edit => ({ path, value: values[Math.min(k, values.length - 1)] })),
  ]);
  return [[...a, ...b], [...b, ...a], ...settled];
}

/** Texts that begin as one and end as another: an image of one pattern's registry with another's tag. */
function joined(values: readonly (JsonValue | undefined)[]): readonly JsonValue[] {
  const texts = [...new Set(values.filter((v) => typeof v === "string" && v !== ""))].slice(0, 6);
  return texts.flatMap((a) =>
    texts.filter((b) => b !== a).flatMap((b) => [`${String(a).replace(/x$/, "")}${String(b)}`, `${String(a)}-${String(b)}`]),
  );
}
