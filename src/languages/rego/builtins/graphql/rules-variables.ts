import { child, type Node, nodes, text, valueKind } from "./node.ts";
import { refuse } from "./rules-fields.ts";
import { valueText } from "./rules-values.ts";
import { innermost, isInput, isNonNull, typeText } from "./schema.ts";
import { isCompatible } from "./schema-rules.ts";
import { type Observer, Walker } from "./walk.ts";

/** Variables are declared, used, of input types, and fit where they stand. */
export function variableRules(): Observer {
  let declared = new Set<string>();
  let used = new Set<string>();
  return {
    variable(variable) {
      const name = text(variable, "Variable");
      if (declared.has(name)) refuse(variable, `There can be only one variable named "$${name}".`);
      declared.add(name);
    },
    value(value, site) {
      if (value.get("Kind") !== valueKind.variable || site.operation === undefined) return;
      const name = text(value, "Raw");
      const variable = Walker.variableOf(site, value);
      if (variable === undefined) {
        const operation = text(site.operation, "Name");
        const where = operation === "" ? "" : ` by operation "${operation}"`;
        refuse(value, `Variable "${valueText(value)}" is not defined${where}.`);
      }
      used.add(name);
      checkPosition(value, variable, site.expected, site.hasDefault);
    },
    operation(operation, walker) {
      for (const variable of nodes(operation, "VariableDefinitions")) {
        const name = text(variable, "Variable");
        const type = walker.schema.types.get(innermost(child(variable, "Type")));
        if (type === undefined) refuse(variable, `Unknown type "${innermost(child(variable, "Type"))}".`);
        if (!isInput(type)) {
          refuse(variable, `Variable "$${name}" cannot be non-input type "${typeText(child(variable, "Type"))}".`);
        }
        if (used.has(name)) continue;
        const operationName = text(operation, "Name");
        const where = operationName === "" ? "" : ` in operation "${operationName}"`;
        refuse(variable, `Variable "$${name}" is never used${where}.`);
      }
      declared = new Set();
      used = new Set();
    },
  };
}

/** A default, of the variable or of the place, makes up for null. */
function checkPosition(value: Node, variable: Node, expected: Node | undefined, placeHasDefault: boolean): void {
  if (expected === undefined) return;
  const defaultValue = child(variable, "DefaultValue");
  const hasDefault = defaultValue !== undefined && defaultValue.get("Kind") !== valueKind.null;
  const nonNull = isNonNull(expected) && !hasDefault && !placeHasDefault;
  if (isCompatible(child(variable, "Type"), expected, nonNull)) return;
  const type = typeText(child(variable, "Type"));
  refuse(value, `Variable "${valueText(value)}" of type "${type}" used in position expecting type "${typeText(expected)}".`);
}
