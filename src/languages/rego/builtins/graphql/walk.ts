import { child, type Node, named, nodes, text, valueKind } from "./node.ts";
import { innermost, type Schema, type TypeDefinition } from "./schema.ts";

/** What is known about a value: where it stands decides what is expected there. */
export interface ValueSite {
  readonly expected: Node | undefined;
  readonly type: TypeDefinition | undefined;
  readonly hasDefault: boolean;
  /** The operation whose variables it may use; undefined in a fragment by itself. */
  readonly operation: Node | undefined;
}

/** Called for each node of a query document after what is inside it. */
export interface Observer {
  operation?(operation: Node, walker: Walker): void;
  variable?(variable: Node): void;
  field?(field: Node, definition: Node | undefined, parent: TypeDefinition | undefined, walker: Walker): void;
  fragment?(fragment: Node, walker: Walker): void;
  inline?(fragment: Node, parent: TypeDefinition | undefined, walker: Walker): void;
  spread?(spread: Node, fragment: Node | undefined, parent: TypeDefinition | undefined, walker: Walker): void;
  directive?(directive: Node, location: string, walker: Walker): void;
  directives?(directives: readonly Node[], walker: Walker): void;
  value?(value: Node, site: ValueSite): void;
}

export class Walker {
  readonly schema: Schema;
  readonly document: Node;
  readonly fragments: readonly Node[];
  readonly operations: readonly Node[];
  readonly #observers: readonly Observer[];
  #operation: Node | undefined;
  #seen = new Set<string>();

  constructor(schema: Schema, document: Node, observers: readonly Observer[]) {
    this.schema = schema;
    this.document = document;
    this.operations = nodes(document, "Operations");
    this.fragments = nodes(document, "Fragments");
    this.#observers = observers;
  }

  walk(): void {
    for (const operation of this.operations) {
      this.#seen = new Set();
      this.#walkOperation(operation);
    }
    for (const fragment of this.fragments) {
      this.#seen = new Set();
      const type = this.schema.types.get(text(fragment, "TypeCondition"));
      this.#directives(nodes(fragment, "Directives"), "FRAGMENT_DEFINITION");
      this.#selections(type, nodes(fragment, "SelectionSet"));
      for (const observer of this.#observers) observer.fragment?.(fragment, this);
    }
  }

  /** The variable of the current operation that a value names. */
  static variableOf({ operation }: ValueSite, value: Node): Node | undefined {
    const variables = operation === undefined ? [] : nodes(operation, "VariableDefinitions");
    return variables.find((variable) => text(variable, "Variable") === text(value, "Raw"));
  }

  #walkOperation(operation: Node): void {
    this.#operation = operation;
    const variables = nodes(operation, "VariableDefinitions");
    for (const variable of variables) for (const observer of this.#observers) observer.variable?.(variable);
    for (const variable of variables) {
      const value = child(variable, "DefaultValue");
      if (value !== undefined) this.#value(value, child(variable, "Type"), false);
      this.#directives(nodes(variable, "Directives"), "VARIABLE_DEFINITION");
    }
    const kind = text(operation, "Operation") || "query";
    this.#directives(nodes(operation, "Directives"), kind.toUpperCase());
    this.#selections(this.schema.roots.get(kind), nodes(operation, "SelectionSet"));
    for (const observer of this.#observers) observer.operation?.(operation, this);
    this.#operation = undefined;
  }

  #directives(directives: readonly Node[], location: string): void {
    for (const directive of directives) {
      const definition = this.schema.directives.get(text(directive, "Name"));
      this.#arguments(nodes(directive, "Arguments"), definition);
      for (const observer of this.#observers) observer.directive?.(directive, location, this);
    }
    for (const observer of this.#observers) observer.directives?.(directives, this);
  }

  #arguments(args: readonly Node[], definition: Node | undefined): void {
    for (const arg of args) {
      const declared = definition === undefined ? undefined : named(nodes(definition, "Arguments"), text(arg, "Name"));
      const value = child(arg, "Value");
      if (value !== undefined)
        this.#value(value, declared === undefined ? undefined : child(declared, "Type"), hasDefault(declared));
    }
  }

  #value(value: Node, expected: Node | undefined, hasDefaultValue: boolean): void {
    const type = this.schema.types.get(innermost(expected));
    const kind = value.get("Kind");
    for (const part of nodes(value, "Children")) {
      const inner = child(part, "Value");
      if (inner === undefined) continue;
      if (kind === valueKind.object) {
        const field = type === undefined ? undefined : named(type.fields, text(part, "Name"));
        this.#value(inner, field === undefined ? undefined : child(field, "Type"), hasDefault(field));
      } else if (kind === valueKind.list) {
        this.#value(inner, expected === undefined ? undefined : child(expected, "Elem"), false);
      }
    }
    const site = { expected, type, hasDefault: hasDefaultValue, operation: this.#operation };
    for (const observer of this.#observers) observer.value?.(value, site);
  }

  #selections(parent: TypeDefinition | undefined, selections: readonly Node[]): void {
    for (const selection of selections) {
      if (selection.has("Alias")) this.#field(selection, parent);
      else if (selection.has("Name")) this.#spread(selection, parent);
      else this.#inline(selection, parent);
    }
  }

  #field(field: Node, parent: TypeDefinition | undefined): void {
    const name = text(field, "Name");
    const definition = parent === undefined ? undefined : named(parent.fields, name);
    const next = definition === undefined ? undefined : this.schema.types.get(innermost(child(definition, "Type")));
    this.#arguments(nodes(field, "Arguments"), definition);
    this.#directives(nodes(field, "Directives"), "FIELD");
    this.#selections(next, nodes(field, "SelectionSet"));
    for (const observer of this.#observers) observer.field?.(field, definition, parent, this);
  }

  #inline(fragment: Node, parent: TypeDefinition | undefined): void {
    const condition = text(fragment, "TypeCondition");
    const next = condition === "" ? parent : this.schema.types.get(condition);
    this.#directives(nodes(fragment, "Directives"), "INLINE_FRAGMENT");
    this.#selections(next, nodes(fragment, "SelectionSet"));
    for (const observer of this.#observers) observer.inline?.(fragment, parent, this);
  }

  #spread(spread: Node, parent: TypeDefinition | undefined): void {
    const name = text(spread, "Name");
    const fragment = named(this.fragments, name);
    this.#directives(nodes(spread, "Directives"), "FRAGMENT_SPREAD");
    if (fragment !== undefined && !this.#seen.has(name)) {
      this.#seen.add(name);
      this.#directives(nodes(fragment, "Directives"), "FRAGMENT_DEFINITION");
      this.#selections(this.schema.types.get(text(fragment, "TypeCondition")), nodes(fragment, "SelectionSet"));
    }
    for (const observer of this.#observers) observer.spread?.(spread, fragment, parent, this);
  }
}

function hasDefault(declared: Node | undefined): boolean {
  const value = declared === undefined ? undefined : child(declared, "DefaultValue");
  return value !== undefined && value.get("Kind") !== valueKind.null;
}
