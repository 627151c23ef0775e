import type { Term } from "../ast.ts";
import { constantOf } from "../compile/ground.ts";
import { varsOfTerm } from "../compile/variables.ts";
import { equalValues } from "../values/compare.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { type Member, RegoObject, RegoSet, type Value } from "../values/value.ts";
import { isList } from "./lookup.ts";
import type { Get, Machine, Slots } from "./machine.ts";
import type { Scope } from "./scope.ts";

/** Compares a value with a pattern, binding the pattern's variables. */
export type Match = (m: Machine, s: Slots, value: Value) => boolean;

/** Whether all variables of a simple term are bound. */
export function isBoundTerm(term: Term, scope: Scope): boolean {
  if (term.kind === "var") return scope.isBound(term.name);
  for (const name of varsOfTerm(term)) if (!scope.isBound(name)) return false;
  return true;
}

/** The value of a term without references, calls and comprehensions, all of whose variables are bound. */
export function compileTerm(term: Term, scope: Scope): Get {
  const constant = constantOf(term);
  if (constant !== undefined) return () => constant;
  switch (term.kind) {
    case "var": {
      const slot = scope.slot(term.name);
      return (_m, s) => s[slot];
    }
    case "array": {
      const items = term.items.map((item) => compileTerm(item, scope));
      return (m, s) => valuesOf(items, m, s);
    }
    case "set": {
      const items = term.items.map((item) => compileTerm(item, scope));
      return (m, s) => {
        const values = valuesOf(items, m, s);
        return values === undefined ? undefined : RegoSet.of(values);
      };
    }
    case "object": {
      const members = term.members.map(([key, value]) => [compileTerm(key, scope), compileTerm(value, scope)] as const);
      return (m, s) => objectOf(members, m, s);
    }
    default:
      throw new Error(`not a simple term: ${term.kind}`);
  }
}

export function valuesOf(gets: readonly Get[], m: Machine, s: Slots): Value[] | undefined {
  const values: Value[] = [];
  for (const get of gets) {
    const value = get(m, s);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function objectOf(gets: readonly (readonly [Get, Get])[], m: Machine, s: Slots): RegoObject | undefined {
  const members = new Map<MapKey, Member>();
  for (const [getKey, getValue] of gets) {
    const key = getKey(m, s);
    const value = getValue(m, s);
    if (key === undefined || value === undefined) return undefined;
    members.set(mapKey(key), { key, value });
  }
  return RegoObject.own(members);
}

/** Matches values with a simple term; its unbound variables are bound from then on. */
export function compileMatch(term: Term, scope: Scope): Match {
  if (term.kind === "var" && !scope.isBound(term.name)) {
    const slot = scope.bind(term.name);
    return (_m, s, value) => {
      s[slot] = value;
      return true;
    };
  }
  if (isBoundTerm(term, scope)) {
    const constant = constantOf(term);
    if (typeof constant === "string" || typeof constant === "boolean") return (_m, _s, value) => value === constant;
    const get = compileTerm(term, scope);
    return (m, s, value) => {
      const own = get(m, s);
      return own !== undefined && equalValues(own, value);
    };
  }
  if (term.kind === "array") {
    const items = term.items.map((item) => compileMatch(item, scope));
    return (m, s, value) => {
      if (!isList(value) || value.length !== items.length) return false;
      return items.every((match, i) => {
        const item = value[i];
        return item !== undefined && match(m, s, item);
      });
    };
  }
  if (term.kind !== "object") throw new Error(`unbound variable in ${term.kind}`);
  const members = term.members.map(([key, value]) => [compileTerm(key, scope), compileMatch(value, scope)] as const);
  return (m, s, value) => {
    if (!(value instanceof RegoObject) || value.size !== members.length) return false;
    return members.every(([getKey, match]) => {
      const key = getKey(m, s);
      const member = key === undefined ? undefined : value.get(key);
      return member !== undefined && match(m, s, member);
    });
  };
}

/** Matches as many values as there are patterns. */
export function matchAll(matches: readonly Match[], m: Machine, s: Slots, values: readonly Value[]): boolean {
  for (let i = 0; i < matches.length; i++) {
    const value = values[i];
    const match = matches[i];
    if (value === undefined || match === undefined || !match(m, s, value)) return false;
  }
  return true;
}
