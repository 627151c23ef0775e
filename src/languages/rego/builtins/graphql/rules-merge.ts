import { child, type Node, named, nodes, text } from "./node.ts";
import { refuse } from "./rules-fields.ts";
import { valueText } from "./rules-values.ts";
import { innermost, isLeaf, isNonNull, type TypeDefinition } from "./schema.ts";
import type { Observer, Walker } from "./walk.ts";

/** A field with the type that it is selected on. */
interface Selected {
  readonly field: Node;
  readonly definition: Node | undefined;
  readonly parent: TypeDefinition | undefined;
}

/** Comparisons after which a document is given up: their number may grow with the square of its size. */
const mostComparisons = 200_000;

/** Fields that answer under the same name must be the same field. */
export function mergeRule(): Observer {
  let comparisons = 0;
  const check = (fields: readonly Selected[], areExclusive: boolean, walker: Walker): void => {
    const byName = Map.groupBy(fields, ({ field }) => text(field, "Alias"));
    for (const same of byName.values()) {
      for (const [i, a] of same.entries()) {
        for (const b of same.slice(i + 1)) {
          if (++comparisons > mostComparisons) refuse(b.field, "the document selects too many fields of the same name");
          comparePair(a, b, areExclusive, walker);
        }
      }
    }
  };
  const comparePair = (a: Selected, b: Selected, areExclusive: boolean, walker: Walker): void => {
    const exclusive = areExclusive || neverTheSame(a.parent, b.parent);
    const reason = exclusive ? undefined : difference(a.field, b.field);
    const conflict = reason ?? (sameShape(a, b, walker) ? undefined : "they return conflicting types");
    const name = text(a.field, "Alias");
    if (conflict !== undefined) {
      const advice = "Use different aliases on the fields to fetch both if this was intentional.";
      refuse(b.field, `Fields "${name}" conflict because ${conflict}. ${advice}`);
    }
    const inner = [a, b].flatMap((selected) => innerFields(selected, walker));
    if (nodes(a.field, "SelectionSet").length > 0 && nodes(b.field, "SelectionSet").length > 0) check(inner, exclusive, walker);
  };
  return {
    operation(operation, walker) {
      const root = walker.schema.roots.get(text(operation, "Operation") || "query");
      check(collect(nodes(operation, "SelectionSet"), root, walker, new Set()), false, walker);
    },
    field(field, definition, _parent, walker) {
      check(innerFields({ field, definition, parent: undefined }, walker), false, walker);
    },
  };
}

function innerFields({ field, definition }: Selected, walker: Walker): readonly Selected[] {
  const type = definition === undefined ? undefined : walker.schema.types.get(innermost(child(definition, "Type")));
  return collect(nodes(field, "SelectionSet"), type, walker, new Set());
}

function collect(
  selections: readonly Node[],
  parent: TypeDefinition | undefined,
  walker: Walker,
  seen: Set<string>,
): readonly Selected[] {
  return selections.flatMap((selection): readonly Selected[] => {
    const name = text(selection, "Name");
    if (selection.has("Alias")) {
      return [{ field: selection, definition: parent === undefined ? undefined : named(parent.fields, name), parent }];
    }
    const fragment = name === "" ? selection : named(walker.fragments, name);
    if (fragment === undefined || (name !== "" && seen.has(name))) return [];
    seen.add(name);
    const condition = text(fragment, "TypeCondition");
    const type = condition === "" ? parent : walker.schema.types.get(condition);
    return collect(nodes(fragment, "SelectionSet"), type, walker, seen);
  });
}

/** Two object types of different names have no object in common. */
function neverTheSame(a: TypeDefinition | undefined, b: TypeDefinition | undefined): boolean {
  return a !== undefined && b !== undefined && a.name !== b.name && a.kind === "OBJECT" && b.kind === "OBJECT";
}

function difference(a: Node, b: Node): string | undefined {
  const [nameA, nameB] = [text(a, "Name"), text(b, "Name")];
  if (nameA !== nameB) return `"${nameA}" and "${nameB}" are different fields`;
  const argumentsOf = (field: Node) =>
    nodes(field, "Arguments")
      .map((arg) => `${text(arg, "Name")}:${valueText(child(arg, "Value"))}`)
      .sort()
      .join();
  return argumentsOf(a) === argumentsOf(b) ? undefined : "they have differing arguments";
}

/** Whether two fields answer with lists, nulls and leaves in the same places. */
function sameShape(a: Selected, b: Selected, walker: Walker): boolean {
  if (a.definition === undefined || b.definition === undefined) return true;
  const compare = (x: Node | undefined, y: Node | undefined): boolean => {
    if (x === undefined || y === undefined) return x === y;
    if (isNonNull(x) !== isNonNull(y)) return false;
    const [nameX, nameY] = [text(x, "NamedType"), text(y, "NamedType")];
    if (nameX === "" || nameY === "") return nameX === nameY && compare(child(x, "Elem"), child(y, "Elem"));
    const [typeX, typeY] = [walker.schema.types.get(nameX), walker.schema.types.get(nameY)];
    if (typeX === undefined || typeY === undefined || (!isLeaf(typeX) && !isLeaf(typeY))) return true;
    return nameX === nameY;
  };
  return compare(child(a.definition, "Type"), child(b.definition, "Type"));
}
