import { child, type Node, named, nodes, text, texts } from "./node.ts";
import { missingArgument, refuse } from "./rules-fields.ts";
import { typeText } from "./schema.ts";
import type { Observer, Walker } from "./walk.ts";

/** Operations and directives. */
export function documentRules(): Observer {
  const names = new Set<string>();
  return {
    operation(operation, walker) {
      const name = text(operation, "Name");
      const kind = text(operation, "Operation") || "query";
      if (!walker.schema.roots.has(kind)) refuse(operation, `Schema does not support operation type "${kind}"`);
      if (name === "" && walker.operations.length > 1) {
        refuse(operation, "This anonymous operation must be the only defined operation.");
      }
      if (name !== "" && names.has(name)) refuse(operation, `There can be only one operation named "${name}".`);
      names.add(name);
      if (kind === "subscription") checkSubscription(operation, walker);
    },
    directive(directive, location, { schema }) {
      const name = text(directive, "Name");
      const definition = schema.directives.get(name);
      if (definition === undefined) refuse(directive, `Unknown directive "@${name}".`);
      if (!texts(definition, "Locations").includes(location)) {
        refuse(directive, `Directive "@${name}" may not be used on ${location}.`);
      }
      const declared = nodes(definition, "Arguments");
      const unknown = nodes(directive, "Arguments").find((arg) => named(declared, text(arg, "Name")) === undefined);
      if (unknown !== undefined) refuse(directive, `Unknown argument "${text(unknown, "Name")}" on directive "@${name}".`);
      const missing = missingArgument(directive, definition);
      if (missing === undefined) return;
      const type = typeText(child(missing, "Type"));
      const what = `Directive "@${name}" argument "${text(missing, "Name")}" of type "${type}"`;
      refuse(directive, `${what} is required, but it was not provided.`);
    },
    directives(directives, { schema }) {
      const seen = new Set<string>();
      for (const directive of directives) {
        const name = text(directive, "Name");
        const mayRepeat = schema.directives.get(name)?.get("IsRepeatable") === true;
        if (seen.has(name) && !mayRepeat) refuse(directive, `The directive "@${name}" can only be used once at this location.`);
        seen.add(name);
      }
    },
  };
}

/** A subscription has one field, which is no introspection. */
function checkSubscription(operation: Node, walker: Walker): void {
  const name = text(operation, "Name");
  const what = name === "" ? "Anonymous Subscription" : `Subscription "${name}"`;
  const fields = topFields(nodes(operation, "SelectionSet"), walker, new Set());
  const second = [...new Map(fields.map((field) => [text(field, "Alias"), field])).values()][1];
  if (second !== undefined) refuse(second, `${what} must select only one top level field.`);
  const meta = fields.find((field) => text(field, "Name").startsWith("__"));
  if (meta !== undefined) refuse(meta, `${what} must not select an introspection top level field.`);
}

function topFields(selections: readonly Node[], walker: Walker, seen: Set<string>): readonly Node[] {
  return selections.flatMap((selection) => {
    if (selection.has("Alias")) return [selection];
    const name = text(selection, "Name");
    if (name === "") return topFields(nodes(selection, "SelectionSet"), walker, seen);
    const fragment = named(walker.fragments, name);
    if (fragment === undefined || seen.has(name)) return [];
    seen.add(name);
    return topFields(nodes(fragment, "SelectionSet"), walker, seen);
  });
}
