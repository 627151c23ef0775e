import type { JsonObject } from "../../../core/json.ts";
import { accumulator, type Expr, operators } from "../ast.ts";
import { type FunctionDeclaration, type Library, overload } from "../declarations.ts";
import type { FoldParts, Macro, MacroBuilder } from "../macro.ts";
import { MacroError, variableName } from "../macro.ts";
import { appendStep, quantifiers } from "../standard-macros.ts";
import { type CelTypeOf, mapOf, typeParam } from "../types.ts";
import { EntryMap, MapBuilder, mapFind, mapKeys } from "../values/containers.ts";
import { displayValue } from "../values/format.ts";
import { CelError, type CelMap, type CelValue, Failure, type Value } from "../values/value.ts";

const mapInsert = "cel.@mapInsert";

/** The two variables of a macro, or what is wrong with them. */
function variables(first: Expr | undefined, second: Expr | undefined): readonly [string, string] | MacroError | undefined {
  if (first === undefined || second === undefined) return undefined;
  const names = [first, second].map(variableName);
  const [one, two] = names;
  if (one === undefined) return new MacroError(first, "argument must be a simple name");
  if (two === undefined) return new MacroError(second, "argument must be a simple name");
  if (one === two) return new MacroError(second, `duplicate variable name: ${one}`);
  for (const [name, arg] of [
    [one, first],
    [two, second],
  ] as const) {
    if (name === accumulator || name === "__result__") {
      return new MacroError(arg, "iteration variable overwrites accumulator variable");
    }
  }
  return [one, two];
}

type Fold = Omit<FoldParts, "range" | "iterVar" | "iterVar2" | "accuVar">;

/** `range.name(key, value, [filter,] last)` */
function macro(
  name: string,
  argCount: number,
  fold: (build: MacroBuilder, key: string, last: Expr, filter?: Expr) => Fold,
): Macro {
  return {
    name,
    receiver: true,
    argCount,
    expand(build, range, args) {
      const names = variables(args[0], args[1]);
      if (names === undefined || names instanceof MacroError) return names;
      const last = args.at(-1);
      if (last === undefined) return undefined;
      const [iterVar, iterVar2] = names;
      const parts = fold(build, iterVar, last, args.length === 4 ? args[2] : undefined);
      return build.fold({ range, iterVar, iterVar2, ...parts });
    },
  };
}

const transformList = (build: MacroBuilder, _key: string, element: Expr, filter?: Expr): Fold => ({
  init: build.list(),
  condition: build.bool(true),
  step: appendStep(build, element, filter),
  result: build.accu(),
});

function insertInto(build: MacroBuilder, insert: Expr, filter: Expr | undefined): Fold {
  const step = filter === undefined ? insert : build.call(operators.conditional, filter, insert, build.accu());
  return { init: build.map(), condition: build.bool(true), step, result: build.accu() };
}

const transformMap = (build: MacroBuilder, key: string, value: Expr, filter?: Expr): Fold =>
  insertInto(build, build.call(mapInsert, build.accu(), build.ident(key), value), filter);

const transformMapEntry = (build: MacroBuilder, _key: string, entry: Expr, filter?: Expr): Fold =>
  insertInto(build, build.call(mapInsert, build.accu(), entry), filter);

const key = typeParam("K");
const value = typeParam("V");
type AnyMap = CelMap | JsonObject;
const map: CelTypeOf<AnyMap> = mapOf(key, value);

function builderOf(from: AnyMap): MapBuilder | Failure {
  if (from instanceof EntryMap) return new MapBuilder(from);
  const builder = new MapBuilder();
  for (const name of mapKeys(from)) {
    const found = mapFind(from, name);
    if (found instanceof Failure) return found;
    if (found !== undefined) builder.set(name, found);
  }
  return builder;
}

function insertAll(into: AnyMap, entries: readonly (readonly [CelValue, Value | undefined])[]): Value {
  const builder = builderOf(into);
  if (builder instanceof Failure) return builder;
  for (const [name, found] of entries) {
    if (found instanceof Failure) return found;
    if (builder.has(name)) return new CelError(`insert failed: key ${displayValue(name)} already exists`);
    builder.set(name, found ?? null);
  }
  return builder.build();
}

const insertFunction: FunctionDeclaration = {
  name: mapInsert,
  overloads: [
    overload(
      "@mapInsert_map_key_value",
      [map, key as CelTypeOf<CelValue>, value as CelTypeOf<CelValue>],
      map,
      (into, name, item) => insertAll(into, [[name, item]]),
    ),
    overload("@mapInsert_map_map", [map, map], map, (into, more) =>
      insertAll(
        into,
        mapKeys(more).map((name) => [name, mapFind(more, name)] as const),
      ),
    ),
  ],
};

/** Macros that name both key (or index) and value: `all`, `exists`, `existsOne`, `transformList`, `transformMap(Entry)`. */
export const twoVariableLibrary: Library = {
  name: "cel.lib.ext.comprev2",
  functions: [insertFunction],
  macros: [
    macro("all", 3, (build, _key, predicate) => quantifiers.all(build, predicate)),
    macro("exists", 3, (build, _key, predicate) => quantifiers.exists(build, predicate)),
    macro("existsOne", 3, (build, _key, predicate) => quantifiers.existsOne(build, predicate)),
    macro("exists_one", 3, (build, _key, predicate) => quantifiers.existsOne(build, predicate)),
    ...[3, 4].flatMap((argCount) => [
      macro("transformList", argCount, transformList),
      macro("transformMap", argCount, transformMap),
      macro("transformMapEntry", argCount, transformMapEntry),
    ]),
  ],
};
