import { child, GraphqlProblem, type Node, named, nodes, placeOf, text } from "./node.ts";
import { innermost, isLeaf, isNonNull, typeText } from "./schema.ts";
import type { Observer, Walker } from "./walk.ts";

export function refuse(item: Node, message: string): never {
  throw new GraphqlProblem(message, placeOf(item));
}

/** Arguments that a field or directive must be given. */
export function missingArgument(use: Node, definition: Node): Node | undefined {
  return nodes(definition, "Arguments").find(
    (declared) =>
      isNonNull(child(declared, "Type")) &&
      child(declared, "DefaultValue") === undefined &&
      named(nodes(use, "Arguments"), text(declared, "Name")) === undefined,
  );
}

/** The first argument whose name stands before it already. */
function repeatedArgument(use: Node): Node | undefined {
  const args = nodes(use, "Arguments");
  return args.find((arg, i) => named(args.slice(0, i), text(arg, "Name")) !== undefined);
}

/** Fields exist, are given what they need, and have selections where they are objects. */
export const fieldRules: Observer = {
  field(field, definition, parent, walker) {
    const name = text(field, "Name");
    checkIntrospection(field, walker);
    const repeated = repeatedArgument(field);
    if (repeated !== undefined) refuse(field, `There can be only one argument named "${text(repeated, "Name")}".`);
    if (name === "__typename" || parent === undefined) return;
    if (definition === undefined) {
      refuse(field, `Cannot query field "${name}" on type "${parent.name}".`);
    }
    const unknown = nodes(field, "Arguments").find(
      (arg) => named(nodes(definition, "Arguments"), text(arg, "Name")) === undefined,
    );
    if (unknown !== undefined) refuse(field, `Unknown argument "${text(unknown, "Name")}" on field "${parent.name}.${name}".`);
    const missing = missingArgument(field, definition);
    if (missing !== undefined) {
      const type = typeText(child(missing, "Type"));
      refuse(
        field,
        `Field "${name}" argument "${text(missing, "Name")}" of type "${type}" is required, but it was not provided.`,
      );
    }
    checkSelection(field, definition, walker);
  },
};

function checkSelection(field: Node, definition: Node, { schema }: Walker): void {
  const reference = child(definition, "Type");
  const type = schema.types.get(innermost(reference));
  const selects = nodes(field, "SelectionSet").length > 0;
  const name = text(field, "Name");
  if (type === undefined) return;
  if (isLeaf(type) && selects) {
    refuse(field, `Field "${name}" must not have a selection since type "${type.name}" has no subfields.`);
  }
  if (!isLeaf(type) && !selects) {
    refuse(field, `Field "${name}" of type "${typeText(reference)}" must have a selection of subfields.`);
  }
}

const listFields = new Set(["fields", "interfaces", "possibleTypes", "inputFields"]);

/** Lists within lists of the introspection types grow without bounds. */
function checkIntrospection(field: Node, walker: Walker): void {
  const name = text(field, "Name");
  if (name !== "__schema" && name !== "__type") return;
  if (isTooDeep([field], 0, [], walker)) refuse(field, "Maximum introspection depth exceeded");
}

function isTooDeep(selections: readonly Node[], depth: number, inside: readonly string[], walker: Walker): boolean {
  return selections.some((selection) => {
    const name = text(selection, "Name");
    if (selection.has("Alias")) {
      const deeper = depth + (listFields.has(name) ? 1 : 0);
      return deeper >= 3 || isTooDeep(nodes(selection, "SelectionSet"), deeper, inside, walker);
    }
    if (name === "") return isTooDeep(nodes(selection, "SelectionSet"), depth, inside, walker);
    const fragment = named(walker.fragments, name);
    if (fragment === undefined || inside.includes(name)) return false;
    return isTooDeep(nodes(fragment, "SelectionSet"), depth, [...inside, name], walker);
  });
}
