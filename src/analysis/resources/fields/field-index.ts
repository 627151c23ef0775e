import { foldName } from "../../../core/nearest-name.ts";
import type { KubernetesSchemas, Schema } from "../../../core/schema.ts";

/** A field of a kind: member names from the root, `[]` for the items of a list. */
export interface FieldPlace {
  readonly path: readonly string[];
  readonly schema: Schema;
}

/** Every field of one kind, by its folded name. */
export type FieldIndex = ReadonlyMap<string, readonly FieldPlace[]>;

/** Schemas of kinds are trees but for a few loops (JSON schemas); this is deeper than any real path. */
const deepest = 16;

export function indexFields(root: Schema, schemas: KubernetesSchemas): FieldIndex {
  const index = new Map<string, FieldPlace[]>();
  const open = new Set<Schema>();
  const visit = (schema: Schema, path: readonly string[]): void => {
    if (path.length > deepest || open.has(schema)) return;
    open.add(schema);
    if (schema.items !== undefined) visit(schemas.resolve(schema.items), [...path, "[]"]);
    for (const name of Object.keys(schema.properties ?? {})) {
      if (path.length === 0 && name === "status") continue;
      if (path.length === 1 && path[0] === "metadata" && name === "managedFields") continue;
      const child = schemas.child(schema, name);
      if (child === undefined) continue;
      const place = { path: [...path, name], schema: child };
      const folded = foldName(name);
      const known = index.get(folded);
      if (known === undefined) index.set(folded, [place]);
      else known.push(place);
      visit(child, place.path);
    }
    open.delete(schema);
  };
  visit(root, []);
  return index;
}

/** Steps up and down the tree of fields from one place to another; the items of a list are one step with it. */
export function treeDistance(from: readonly string[], to: readonly string[]): number {
  const a = from.filter((step) => step !== "[]");
  const b = to.filter((step) => step !== "[]");
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common++;
  return a.length - common + (b.length - common);
}
