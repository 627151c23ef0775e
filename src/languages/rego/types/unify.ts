import type { Term } from "../ast.ts";
import { constantOf, mapKeyOfTerm } from "../compile/ground.ts";
import { type ArrayType, elementType, isAny, isUnknown, type ObjectType, orTypes, selectType, valuesOf } from "./operations.ts";
import { anyType, type FunctionType, type Type, unknownType } from "./type.ts";
import type { TypeEnv } from "./type-env.ts";

/** Whether a value can be of both types. */
export function unifies(a: Type, b: Type): boolean {
  if (a.kind === "unknown" || b.kind === "unknown") return false;
  if (a.kind === "any" && unifiesAny(a.of, b)) return true;
  if (b.kind === "any" && unifiesAny(b.of, a)) return true;
  if (a.kind === "any" || b.kind === "any") return false;
  if (a.kind === "array" && b.kind === "array") return unifiesArrays(a, b);
  if (a.kind === "object" && b.kind === "object") return unifiesObjects(a, b);
  if (a.kind === "set" && b.kind === "set") {
    return a.of.kind === "unknown" || b.of.kind === "unknown" || unifies(a.of, b.of);
  }
  if (a.kind === "function" && b.kind === "function") return unifiesFunctions(a, b);
  return a.kind === b.kind;
}

function unifiesAny(of: readonly Type[], other: Type): boolean {
  if (other.kind === "function") return false;
  return of.length === 0 || of.some((type) => unifies(type, other));
}

function unifiesArrays(a: ArrayType, b: ArrayType): boolean {
  const fits = (x: ArrayType, y: ArrayType): boolean => x.fixed.every((type, i) => unifies(type, elementType(y, i)));
  return fits(a, b) && fits(b, a) && (a.rest === undefined || b.rest === undefined || unifies(a.rest, b.rest));
}

function unifiesObjects(a: ObjectType, b: ObjectType): boolean {
  const isOpen = a.rest !== undefined || b.rest !== undefined;
  const fits = (x: ObjectType, y: ObjectType): boolean =>
    x.fixed.every(([key, type]) => {
      const other = selectType(y, key);
      return other.kind === "unknown" ? isOpen : unifies(type, other);
    });
  if (!fits(a, b) || !fits(b, a)) return false;
  return a.rest === undefined || b.rest === undefined || unifies(a.rest.value, b.rest.value);
}

function unifiesFunctions(a: FunctionType, b: FunctionType): boolean {
  if (a.args.length !== b.args.length) return false;
  return a.args.every((arg, i) => unifies(arg.type, b.args[i]?.type ?? unknownType));
}

/**
 * Whether a term can be of a type; variables of which nothing was known are of it from then on.
 * @param isUnion the type is one of several
 */
export function unifyTerm(env: TypeEnv, term: Term, type: Type, isUnion = false): boolean {
  switch (term.kind) {
    case "array":
    case "object":
    case "set":
      return unifyCollection(env, term, type, isUnion);
    case "var": {
      const known = env.typeOfVariable(term.name);
      if (isUnion) env.setVariable(term.name, orTypes(known, type));
      else if (known.kind !== "unknown") return unifies(known, type);
      else env.setVariable(term.name, type);
      return true;
    }
    default:
      return unifies(env.typeOf(term), type);
  }
}

function unifyCollection(env: TypeEnv, term: Term & { kind: "array" | "object" | "set" }, type: Type, isUnion: boolean): boolean {
  if (isAny(type)) {
    const parts = term.kind === "object" ? term.members.flat() : term.items;
    for (const part of parts) unifyTerm(env, part, anyType, true);
    return true;
  }
  if (type.kind === "any") {
    // Every member may say something about the variables.
    return type.of.map((member) => unifyTerm(env, term, member, true)).includes(true);
  }
  if (term.kind === "array" && type.kind === "array") {
    if (term.items.length !== type.fixed.length && type.rest === undefined) return false;
    return term.items.every((item, i) => unifyTerm(env, item, elementType(type, i), isUnion));
  }
  if (term.kind === "set" && type.kind === "set") {
    const of = valuesOf(type);
    return term.items.every((item) => unifyTerm(env, item, of, isUnion));
  }
  return term.kind === "object" && type.kind === "object" && unifyObject(env, term, type, isUnion);
}

function unifyObject(env: TypeEnv, term: Term & { kind: "object" }, type: ObjectType, isUnion: boolean): boolean {
  if (term.members.length !== type.fixed.length && type.rest === undefined) return false;
  return term.members.every(([key, value]) => {
    const constant = constantOf(key);
    if (constant === undefined) {
      unifyTerm(env, value, anyType, isUnion);
      return true;
    }
    const own = selectType(type, constant);
    return own.kind !== "unknown" && unifyTerm(env, value, own, isUnion);
  });
}

/** Whether two terms can be equal; what is found out about their variables is kept. */
export function unifyTerms(env: TypeEnv, a: Term, b: Term): boolean {
  const typeA = env.typeOf(a);
  const typeB = env.typeOf(b);
  const openA = isUnknown(typeA);
  const openB = isUnknown(typeB);
  if (openA && !openB) return unifyTerm(env, a, typeB);
  if (openB && !openA) return unifyTerm(env, b, typeA);
  if (!openA && !openB) return unifies(typeA, typeB);
  if (a.kind === "array") return unifyPatterns(env, a, b);
  if (a.kind === "object") return unifyPatterns(env, a, b);
  if (a.kind === "var") {
    if (b.kind === "var") return unifyTerm(env, a, anyType) && unifyTerm(env, b, env.typeOf(a));
    if (b.kind === "array" || b.kind === "object") return unifyPatterns(env, b, a);
    if (b.kind === "ref") return unifyTerm(env, a, anyType);
  }
  if (a.kind === "ref" && b.kind === "var") return unifyTerm(env, b, anyType);
  if (a.kind === "var" && typeA.kind === "unknown" && typeB.kind !== "unknown") return unifyTerm(env, a, typeB);
  if (b.kind === "var" && typeB.kind === "unknown" && typeA.kind !== "unknown") return unifyTerm(env, b, typeA);
  return false;
}

function unifyPatterns(env: TypeEnv, a: Term & { kind: "array" | "object" }, b: Term): boolean {
  if (b.kind === "var") return unifyTerm(env, a, anyType) && unifyTerm(env, b, env.typeOf(a));
  if (a.kind === "array" && b.kind === "array") {
    return (
      a.items.length === b.items.length &&
      a.items.every((item, i) => {
        const other = b.items[i];
        return other !== undefined && unifyTerms(env, item, other);
      })
    );
  }
  if (a.kind !== "object" || b.kind !== "object" || a.members.length !== b.members.length) return false;
  return a.members.every(([key, value]) => {
    const id = mapKeyOfTerm(key);
    const other = b.members.find(([name]) => id !== undefined && mapKeyOfTerm(name) === id);
    return other !== undefined && unifyTerms(env, value, other[1]);
  });
}
