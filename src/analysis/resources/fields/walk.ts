import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../../../core/json.ts";
import type { KubernetesSchemas, Schema } from "../../../core/schema.ts";
import { isMergeDirective } from "../partial.ts";
import type { FieldProblem } from "./problem.ts";
import { scalarProblem } from "./scalar.ts";

export interface WalkOptions {
  /** A kustomize patch: nothing is missing from it, and it may hold merge directives. */
  readonly partial: boolean;
  /** Custom resources: the API server enforces `required` as the schema says it. */
  readonly custom: boolean;
}

const embeddedMembers = new Set(["apiVersion", "kind", "metadata"]);

/**
 * Compares an object with its schema, in one pass. `status` and `metadata.managedFields` are the server's own and are
 * left out. A null is an absent value, as it is to the API server.
 */
export function walkObject(object: JsonObject, root: Schema, schemas: KubernetesSchemas, options: WalkOptions): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const path: (string | number)[] = [];

  const visit = (value: JsonValue | undefined, schema: Schema): void => {
    if (value === undefined || value === null) return;
    const problem = shapeProblem(value, schema, path);
    if (problem !== undefined) problems.push(problem);
    else if (isArray(value)) visitItems(value, schema);
    else if (isObject(value)) visitMembers(value, schema);
  };

  const visitItems = (items: readonly JsonValue[], schema: Schema): void => {
    if (schema.items === undefined) return;
    const item = schemas.resolve(schema.items);
    for (let i = 0; i < items.length; i++) {
      path.push(i);
      visit(items[i], item);
      path.pop();
    }
  };

  const visitMembers = (members: JsonObject, schema: Schema): void => {
    const open = isOpen(schema);
    for (const key of Object.keys(members)) {
      const value = members[key];
      if (value === undefined || (path.length === 0 && key === "status")) continue;
      if (path.length === 1 && path[0] === "metadata" && key === "managedFields") continue;
      const known = schemas.child(schema, key);
      path.push(key);
      if (known !== undefined) visit(value, known);
      else if (!open && !mayAppear(key, schema, options)) {
        problems.push({ kind: "unknown", path: [...path], key, parent: schema, value });
      }
      path.pop();
    }
    if (!options.partial) addMissing(members, schema);
  };

  const addMissing = (members: JsonObject, schema: Schema): void => {
    for (const key of schema.required ?? []) {
      const value = Object.hasOwn(members, key) ? members[key] : undefined;
      if (value !== undefined && value !== null && (options.custom || !isZero(value))) continue;
      if (path.length === 0 && embeddedMembers.has(key)) continue;
      if (schemas.child(schema, key)?.default !== undefined) continue;
      problems.push({ kind: "missing", path: [...path], key, parent: schema });
    }
  };

  visit(object, root);
  return problems;
}

/** Go cannot tell an empty string or list from an absent one. */
function isZero(value: JsonValue): boolean {
  return value === "" || (isArray(value) && value.length === 0);
}

function isOpen(schema: Schema): boolean {
  return (
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema.additionalProperties === true ||
    typeof schema.additionalProperties === "object" ||
    schema.properties === undefined
  );
}

function mayAppear(key: string, schema: Schema, options: WalkOptions): boolean {
  if (schema["x-kubernetes-embedded-resource"] === true && embeddedMembers.has(key)) return true;
  return options.partial && isMergeDirective(key);
}

function shapeProblem(value: JsonValue, schema: Schema, path: JsonPath): FieldProblem | undefined {
  if (schema.type === "object") {
    return isObject(value) ? undefined : { kind: "type", path: [...path], expected: "object", value };
  }
  if (schema.type === "array") {
    return isArray(value) ? undefined : { kind: "type", path: [...path], expected: "array", value };
  }
  return scalarProblem(value, schema, path);
}
