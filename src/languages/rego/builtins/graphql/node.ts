import { RegoObject, type Value } from "../../values/value.ts";

/**
 * Nodes of GraphQL documents are Rego objects in the form that policies see (the field names of gqlparser's Go structs),
 * so that a document can also be given as an object.
 */
export type Node = RegoObject;

/** Where a node begins. Documents that are given as objects have no places. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

const places = new WeakMap<Node, Place>();

/** A node without what is empty. */
export function node(fields: { readonly [name: string]: Value | undefined }, place: Place): Node {
  const members = Object.entries(fields).filter((member): member is [string, Value] => !isEmpty(member[1]));
  const made = RegoObject.of(members);
  places.set(made, place);
  return made;
}

function isEmpty(value: Value | undefined): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : value instanceof RegoObject && value.size === 0;
}

export function placeOf(item: Node): Place | undefined {
  return places.get(item);
}

/** A text field; empty where it is missing. */
export function text(item: Node, field: string): string {
  const value = item.get(field);
  return typeof value === "string" ? value : "";
}

/** The nodes of a list; none where it is missing. */
export function nodes(item: Node, field: string): readonly Node[] {
  const value = item.get(field);
  return Array.isArray(value) ? value.filter((entry) => entry instanceof RegoObject) : [];
}

/** The texts of a list. */
export function texts(item: Node, field: string): readonly string[] {
  const value = item.get(field);
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

export function child(item: Node, field: string): Node | undefined {
  const value = item.get(field);
  return value instanceof RegoObject ? value : undefined;
}

export function named(list: readonly Node[], name: string): Node | undefined {
  return list.find((item) => text(item, "Name") === name);
}

/** Kinds of values, as gqlparser numbers them. */
export const valueKind = {
  variable: 0,
  int: 1,
  float: 2,
  string: 3,
  block: 4,
  boolean: 5,
  null: 6,
  enum: 7,
  list: 8,
  object: 9,
} as const;

/** What is wrong with a document. Thrown. */
export class GraphqlProblem {
  readonly message: string;
  readonly place: Place | undefined;

  constructor(message: string, place: Place | undefined) {
    this.message = message;
    this.place = place;
  }

  /** As OPA words it. It takes a full stop away that ends a line, and only rules end their messages with a line break. */
  describe(isOfRule: boolean): string {
    if (this.place === undefined) return `GraphQL parse error: input: ${this.message}`;
    const ended = !isOfRule ? this.message : this.message.endsWith(".") ? this.message.slice(0, -1) : `${this.message}\n`;
    return `${ended} in GraphQL string at location ${this.place.line}:${this.place.column}`;
  }
}
