import { quote } from "../../values/print.ts";
import { child, GraphqlProblem, type Node, named, nodes, placeOf, text, texts } from "./node.ts";
import { metaFields, prelude } from "./prelude.ts";
import { validateDefinitions, validateUses } from "./schema-rules.ts";

/** A type with what its extensions add. */
export interface TypeDefinition {
  readonly name: string;
  readonly kind: string;
  readonly node: Node;
  readonly isBuiltIn: boolean;
  readonly fields: readonly Node[];
  readonly interfaces: readonly string[];
  /** Members of a union. */
  readonly types: readonly string[];
  readonly values: readonly Node[];
  readonly directives: readonly Node[];
}

/** A schema whose types and directives are known to fit together. */
export interface Schema {
  readonly types: ReadonlyMap<string, TypeDefinition>;
  readonly directives: ReadonlyMap<string, Node>;
  /** The object types that a type may turn out to be. */
  readonly possible: ReadonlyMap<string, readonly TypeDefinition[]>;
  /** Types of operations: `query`, `mutation`, `subscription`. */
  readonly roots: ReadonlyMap<string, TypeDefinition>;
}

export const isComposite = (type: TypeDefinition): boolean => ["OBJECT", "INTERFACE", "UNION"].includes(type.kind);
export const isInput = (type: TypeDefinition): boolean => ["SCALAR", "ENUM", "INPUT_OBJECT"].includes(type.kind);
export const isLeaf = (type: TypeDefinition): boolean => type.kind === "SCALAR" || type.kind === "ENUM";

/** The named type inside a type reference. */
export function innermost(type: Node | undefined): string {
  let inner = type;
  while (inner !== undefined && text(inner, "NamedType") === "") inner = child(inner, "Elem");
  return inner === undefined ? "" : text(inner, "NamedType");
}

export const isNonNull = (type: Node | undefined): boolean => type?.get("NonNull") === true;

/** `[String!]!` */
export function typeText(type: Node | undefined): string {
  if (type === undefined) return "";
  const name = text(type, "NamedType");
  return (name === "" ? `[${typeText(child(type, "Elem"))}]` : name) + (isNonNull(type) ? "!" : "");
}

function definitionOf(item: Node, isBuiltIn: boolean, extensions: readonly Node[]): TypeDefinition {
  const all = [item, ...extensions];
  return {
    name: text(item, "Name"),
    kind: text(item, "Kind"),
    node: item,
    isBuiltIn,
    fields: all.flatMap((part) => nodes(part, "Fields")),
    interfaces: all.flatMap((part) => texts(part, "Interfaces")),
    types: all.flatMap((part) => texts(part, "Types")),
    values: all.flatMap((part) => nodes(part, "EnumValues")),
    directives: all.flatMap((part) => nodes(part, "Directives")),
  };
}

/** The schema of a document. @throws GraphqlProblem */
export function schemaOf(document: Node): Schema {
  const types = readTypes(document);
  const directives = readDirectives(document);
  const possible = possibleTypes(types);
  const roots = readRoots(document, types);
  const schema = { types, directives, possible, roots };
  for (const part of [...nodes(document, "Schema"), ...nodes(document, "SchemaExtension")]) {
    validateUses(schema, nodes(part, "Directives"), "SCHEMA", true);
  }
  validateDefinitions(schema);
  return withMetaFields(schema);
}

function readTypes(document: Node): Map<string, TypeDefinition> {
  const extensions = Map.groupBy(nodes(document, "Extensions"), (extension) => text(extension, "Name"));
  const types = new Map<string, TypeDefinition>();
  const declare = (item: Node, isBuiltIn: boolean): void => {
    const name = text(item, "Name");
    if (types.has(name)) throw new GraphqlProblem(`Cannot redeclare type ${name}.`, placeOf(item));
    types.set(name, definitionOf(item, isBuiltIn, extensions.get(name) ?? []));
  };
  for (const item of nodes(prelude(), "Definitions")) declare(item, true);
  for (const item of nodes(document, "Definitions")) declare(item, false);
  for (const [name, parts] of extensions) {
    const [first, ...rest] = parts;
    const known = types.get(name);
    if (first !== undefined && known === undefined) types.set(name, definitionOf(first, false, rest));
    const kind = known?.kind ?? (first === undefined ? "" : text(first, "Kind"));
    const other = parts.find((part) => text(part, "Kind") !== kind);
    if (other === undefined) continue;
    const message = `Cannot extend type ${name} because the base type is a ${kind}, not ${text(other, "Kind")}.`;
    throw new GraphqlProblem(message, placeOf(other));
  }
  return types;
}

function readDirectives(document: Node): Map<string, Node> {
  const builtIn = nodes(prelude(), "Directives");
  const directives = new Map(builtIn.map((directive) => [text(directive, "Name"), directive]));
  const own = new Set<string>();
  for (const directive of nodes(document, "Directives")) {
    const name = text(directive, "Name");
    const mayRepeat = named(builtIn, name) !== undefined;
    if (own.has(name) && !mayRepeat) throw new GraphqlProblem(`Cannot redeclare directive ${name}.`, placeOf(directive));
    own.add(name);
    directives.set(name, directive);
  }
  return directives;
}

function possibleTypes(types: ReadonlyMap<string, TypeDefinition>): Map<string, TypeDefinition[]> {
  const possible = new Map<string, TypeDefinition[]>();
  const add = (name: string, type: TypeDefinition | undefined): void => {
    if (type !== undefined) possible.set(name, [...(possible.get(name) ?? []), type]);
  };
  for (const type of types.values()) {
    for (const member of type.types) add(type.name, types.get(member));
    for (const name of type.interfaces) add(name, type);
    if (type.kind === "OBJECT" || type.kind === "INPUT_OBJECT") add(type.name, type);
  }
  return possible;
}

function readRoots(document: Node, types: ReadonlyMap<string, TypeDefinition>): Map<string, TypeDefinition> {
  const entries = nodes(document, "Schema");
  const second = entries[1];
  if (second !== undefined) {
    const message = "Cannot have multiple schema entry points, consider schema extensions instead.";
    throw new GraphqlProblem(message, placeOf(second));
  }
  const roots = new Map<string, TypeDefinition>();
  if (entries.length === 0) {
    for (const name of ["Query", "Mutation", "Subscription"]) {
      const type = types.get(name);
      if (type !== undefined) roots.set(name.toLowerCase(), type);
    }
  }
  for (const entry of [...entries, ...nodes(document, "SchemaExtension")]) {
    for (const point of nodes(entry, "OperationTypes")) {
      const [operation, name] = [text(point, "Operation"), text(point, "Type")];
      const type = types.get(name);
      if (type === undefined) {
        throw new GraphqlProblem(`Schema root ${operation} refers to a type ${name} that does not exist.`, placeOf(point));
      }
      roots.set(operation, type);
    }
  }
  return roots;
}

function withMetaFields(schema: Schema): Schema {
  const query = schema.roots.get("query");
  if (query === undefined) return schema;
  const [meta] = nodes(metaFields(), "Definitions");
  const extended = { ...query, fields: [...query.fields, ...(meta === undefined ? [] : nodes(meta, "Fields"))] };
  const types = new Map(schema.types).set(query.name, extended);
  return { ...schema, types, roots: new Map(schema.roots).set("query", extended) };
}

/** An undefined type in quotes, as in messages about unions and interfaces. */
export const undefinedType = (name: string): string => `Undefined type ${quote(name)}.`;
