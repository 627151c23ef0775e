import type { Term } from "../ast.ts";
import { constantOf } from "../compile/ground.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { isNumber } from "../values/number.ts";
import type { Value } from "../values/value.ts";
import { isEmptyCollection, mergeTypes, type ObjectType, orTypes, selectType, typeOfValue, valuesOf } from "./operations.ts";
import { anyType, stringType, type Type, unknownType } from "./type.ts";

/** Types of documents by their paths, and of variables by their names. */
export class TypeTree {
  readonly key: Value;
  type: Type | undefined;
  readonly #children = new Map<MapKey, TypeTree>();

  constructor(key: Value = null) {
    this.key = key;
  }

  child(key: Value): TypeTree | undefined {
    return this.#children.get(mapKey(key));
  }

  enter(key: Value): TypeTree {
    const known = this.child(key);
    if (known !== undefined) return known;
    const node = new TypeTree(key);
    this.#children.set(mapKey(key), node);
    return node;
  }

  children(): Iterable<TypeTree> {
    return this.#children.values();
  }

  put(path: readonly Value[], type: Type): void {
    path.reduce<TypeTree>((node, key) => node.enter(key), this).type = type;
  }

  /** As {@link put}, but what is there, and in objects above and below, stays beside it. */
  insert(path: readonly Value[], type: Type): void {
    let node: TypeTree = this;
    for (const [i, key] of path.entries()) {
      node = node.enter(key);
      if (node.type?.kind === "object" && i + 1 < path.length) node.type = inserted(node.type, path.slice(i + 1), type);
    }
    node.type = node.type === undefined ? type : mergeTypes(node.type, type);
    for (const [below, leaf] of node.#leaves([])) {
      if (node.type.kind === "object") node.type = inserted(node.type, below, leaf);
    }
  }

  *#leaves(path: readonly Value[]): Iterable<readonly [readonly Value[], Type]> {
    for (const child of this.#children.values()) {
      const below = [...path, child.key];
      if (child.type !== undefined) yield [below, child.type];
      else yield* child.#leaves(below);
    }
  }

  /** All that is here as one type. */
  extent(): Type {
    if (this.type !== undefined) return this.type;
    const fixed: (readonly [Value, Type])[] = [];
    for (const child of this.#children.values()) {
      const { key } = child;
      if (typeof key === "string" || typeof key === "boolean" || isNumber(key)) fixed.push([key, child.extent()]);
    }
    return { kind: "object", fixed, rest: { key: stringType, value: anyType } };
  }
}

function inserted(object: ObjectType, path: readonly Value[], type: Type): Type {
  const [key, ...below] = path;
  if (key === undefined) return object;
  const own = below.length === 0 ? type : inserted({ kind: "object", fixed: [] }, below, type);
  const rest = {
    key: orTypes(object.rest?.key ?? unknownType, typeOfValue(key)),
    value: orTypes(object.rest?.value ?? unknownType, own),
  };
  return { ...object, rest };
}

/** How the types of comprehensions are found: by checking their bodies. */
export type TypeOfCollection = (term: Term, env: TypeEnv) => Type;

/** What is known about types at a place in a body. */
export class TypeEnv {
  readonly tree = new TypeTree();
  readonly next: TypeEnv | undefined;
  /** Where variables that are found out about are kept. */
  readonly variables: TypeTree;
  readonly #collection: TypeOfCollection;

  constructor(collection: TypeOfCollection, next?: TypeEnv, variables?: TypeTree) {
    this.#collection = collection;
    this.next = next;
    this.variables = variables ?? this.tree;
  }

  /** A layer of its own above this one. */
  wrapped(): TypeEnv {
    return new TypeEnv(this.#collection, this);
  }

  /** A layer of documents; variables are kept where they were. */
  overlaid(): TypeEnv {
    return new TypeEnv(this.#collection, this, this.variables);
  }

  setVariable(name: string, type: Type): void {
    this.variables.enter(name).type = type;
  }

  typeOfVariable(name: string): Type {
    const node = this.tree.child(name);
    if (node !== undefined) return node.type ?? unknownType;
    return this.next?.typeOfVariable(name) ?? unknownType;
  }

  typeOf(term: Term): Type {
    switch (term.kind) {
      case "scalar":
        return typeOfValue(term.value);
      case "template":
        return stringType;
      case "var":
        return this.typeOfVariable(term.name);
      case "ref":
        return this.typeOfPath(term.head, term.path);
      case "array":
        return { kind: "array", fixed: term.items.map((item) => this.typeOf(item)) };
      case "set":
        return { kind: "set", of: term.items.reduce<Type>((of, item) => orTypes(of, this.typeOf(item)), unknownType) };
      case "object":
        return this.#typeOfObject(term);
      case "call":
        return unknownType;
      default:
        return this.#collection(term, this);
    }
  }

  #typeOfObject(term: Term & { kind: "object" }): Type {
    const fixed: (readonly [Value, Type])[] = [];
    let rest: { key: Type; value: Type } | undefined;
    for (const [key, value] of term.members) {
      const constant = constantOf(key);
      if (constant === undefined) rest = { key: this.typeOf(key), value: this.typeOf(value) };
      else fixed.push([constant, this.typeOf(value)]);
    }
    return { kind: "object", fixed, rest };
  }

  typeOfPath(head: Term, path: readonly Term[]): Type {
    if (head.kind !== "var") return unknownType;
    const node = this.tree.child(head.name);
    if (node !== undefined) return this.#below(node, head, path, path);
    return this.#fallback(head, path);
  }

  #fallback(head: Term & { kind: "var" }, path: readonly Term[]): Type {
    if (this.next !== undefined) return this.next.typeOfPath(head, path);
    return head.name === "input" || head.name === "data" ? anyType : unknownType;
  }

  #below(node: TypeTree, head: Term & { kind: "var" }, path: readonly Term[], rest: readonly Term[]): Type {
    const [step, ...more] = rest;
    if (step === undefined) return node.extent();
    const key = constantOf(step);
    const child = key === undefined ? undefined : node.child(key);
    if (node.type !== undefined) {
      return child === undefined ? selectPath(node.type, rest) : this.#below(child, head, path, more);
    }
    if (key === undefined) return selectPath(node.extent(), rest);
    return child === undefined ? this.#fallback(head, path) : this.#below(child, head, path, more);
  }
}

/** The type at a path below a value; steps that are no constants are any of its keys. */
function selectPath(type: Type, path: readonly Term[]): Type {
  const [step, ...rest] = path;
  if (step === undefined || type.kind === "unknown") return type;
  const key = step.kind === "scalar" ? step.value : undefined;
  if (key !== undefined) return selectPath(selectType(type, key), rest);
  return isEmptyCollection(type) ? anyType : selectPath(valuesOf(type), rest);
}
