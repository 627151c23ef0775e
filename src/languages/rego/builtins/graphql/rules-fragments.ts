import { type Node, named, nodes, text } from "./node.ts";
import { refuse } from "./rules-fields.ts";
import { isComposite, type Schema, type TypeDefinition } from "./schema.ts";
import type { Observer, Walker } from "./walk.ts";

/** Fragments exist, are used, are on types that have fields, and do not contain themselves. */
export function fragmentRules(): Observer {
  const used = new Set<string>();
  const names = new Set<string>();
  return {
    spread(spread, fragment, parent, walker) {
      const name = text(spread, "Name");
      if (fragment === undefined) refuse(spread, `Unknown fragment "${name}".`);
      used.add(name);
      const condition = text(fragment, "TypeCondition");
      if (canSpread(walker.schema, parent, condition)) return;
      const what = `Fragment "${name}" cannot be spread here as objects of type "${parent?.name ?? ""}"`;
      refuse(spread, `${what} can never be of type "${condition}".`);
    },
    inline(fragment, parent, walker) {
      const condition = text(fragment, "TypeCondition");
      if (condition === "") return;
      checkCondition(fragment, condition, walker.schema, "Fragment");
      if (canSpread(walker.schema, parent, condition)) return;
      const what = `Fragment cannot be spread here as objects of type "${parent?.name ?? ""}"`;
      refuse(fragment, `${what} can never be of type "${condition}".`);
    },
    fragment(fragment, walker) {
      const name = text(fragment, "Name");
      checkCondition(fragment, text(fragment, "TypeCondition"), walker.schema, `Fragment "${name}"`);
      if (names.has(name)) refuse(fragment, `There can be only one fragment named "${name}".`);
      names.add(name);
      if (!used.has(name) && !isSpread(name, walker)) refuse(fragment, `Fragment "${name}" is never used.`);
      if (contains(name, fragment, new Set(), walker)) refuse(fragment, `Cannot spread fragment "${name}" within itself.`);
    },
  };
}

function checkCondition(fragment: Node, condition: string, schema: Schema, what: string): void {
  const type = schema.types.get(condition);
  if (type === undefined) refuse(fragment, `Unknown type "${condition}".`);
  if (!isComposite(type)) refuse(fragment, `${what} cannot condition on non composite type "${condition}".`);
}

function canSpread(schema: Schema, parent: TypeDefinition | undefined, condition: string): boolean {
  const type = schema.types.get(condition);
  if (parent === undefined || type === undefined || !isComposite(type) || !isComposite(parent)) return true;
  const parents = parent.kind === "OBJECT" ? [parent] : (schema.possible.get(parent.name) ?? []);
  const own = schema.possible.get(condition) ?? [];
  return own.some((possible) => parents.some(({ name }) => name === possible.name));
}

/** All fragments spread in selections, at any depth. */
function spreads(selections: readonly Node[]): readonly string[] {
  return selections.flatMap((selection) => {
    if (!selection.has("Alias") && text(selection, "Name") !== "") return [text(selection, "Name")];
    return spreads(nodes(selection, "SelectionSet"));
  });
}

function isSpread(name: string, walker: Walker): boolean {
  return walker.operations.some((operation) => contains(name, operation, new Set(), walker));
}

/** Whether a fragment is spread in the selections of `item`, directly or through other fragments. */
function contains(name: string, item: Node, seen: Set<string>, walker: Walker): boolean {
  return spreads(nodes(item, "SelectionSet")).some((other) => {
    if (other === name) return true;
    const fragment = named(walker.fragments, other);
    if (fragment === undefined || seen.has(other)) return false;
    seen.add(other);
    return contains(name, fragment, seen, walker);
  });
}
