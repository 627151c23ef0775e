import type { CostModel } from "./cost/model.ts";
import type { CostRules } from "./cost/runtime.ts";
import type { FunctionDeclaration, Library, Overload, StructDeclaration, VariableDeclaration } from "./declarations.ts";
import { type Macro, macroKey } from "./macro.ts";
import type { Syntax } from "./parser.ts";
import type { CelType } from "./types.ts";
import type { Validator } from "./validators.ts";

/** What holds for an environment beyond its declarations. */
export interface EnvOptions {
  /** Namespace in which names are looked up first: `a.b` finds `a.b.x`, `a.x`, `x` for `x`. */
  readonly container: string;
  /** `1 < 1.5` is accepted. */
  readonly crossTypeComparisons: boolean;
  /** Back-quoted field names. */
  readonly quotedFields: boolean;
  /** Constant lists, maps and conversions are computed once, at no cost, and bad ones are refused. */
  readonly foldConstants: boolean;
  /** `has()` costs 1 more. */
  readonly presenceTestCosts: boolean;
  /** `or` and `orValue` pass what is no optional through instead of failing. */
  readonly lenientOptionals: boolean;
  /** `.x` finds a macro's variable `x` too (cel-go before 0.27). */
  readonly dottedLocals: boolean;
  /** The specification holds where cel-go departs from it: keys of maps, presence tests on what has no members. */
  readonly specification: boolean;
  readonly costRules: CostRules;
  readonly costModel: CostModel | undefined;
}

const defaults: EnvOptions = {
  container: "",
  crossTypeComparisons: true,
  quotedFields: true,
  foldConstants: true,
  presenceTestCosts: true,
  lenientOptionals: false,
  dottedLocals: false,
  specification: false,
  costRules: { affixByArgument: true },
  costModel: undefined,
};

export interface EnvParts {
  readonly libraries?: readonly Library[];
  readonly variables?: readonly VariableDeclaration[];
  readonly structs?: readonly StructDeclaration[];
  /** Finds message types that are not listed: types made of schemas, `Object.spec`. */
  readonly structsByName?: (name: string) => StructDeclaration | undefined;
  /** Checks of whole expressions, after those that are there. */
  readonly validators?: readonly Validator[];
  readonly options?: Partial<EnvOptions>;
}

/** Names and rules that expressions are checked against. Never changes; {@link Env.extend} gives another one. */
export class Env {
  readonly options: EnvOptions;
  readonly syntax: Syntax;
  readonly validators: ReadonlySet<Validator>;
  readonly #functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly #variables: ReadonlyMap<string, VariableDeclaration>;
  readonly #structs: ReadonlyMap<string, StructDeclaration>;
  readonly #structsByName: ((name: string) => StructDeclaration | undefined) | undefined;
  readonly #libraries: ReadonlySet<string>;

  constructor(parts: EnvParts, base?: Env) {
    const libraries = (parts.libraries ?? []).filter((library) => !base?.has(library.name));
    this.options = { ...(base?.options ?? defaults), ...parts.options };
    this.#libraries = new Set([...(base?.libraries() ?? []), ...libraries.map((library) => library.name)]);
    this.#functions = withFunctions(base === undefined ? new Map() : base.#functions, libraries);
    const validators = [...libraries.flatMap((library) => library.validators ?? []), ...(parts.validators ?? [])];
    this.validators = new Set([...(base?.validators ?? []), ...validators]);
    const variables = [...libraries.flatMap((library) => library.variables ?? []), ...(parts.variables ?? [])];
    this.#variables = withNamed(base === undefined ? new Map() : base.#variables, variables, (v) => v.name);
    const structs = [...libraries.flatMap((library) => library.structs ?? []), ...(parts.structs ?? [])];
    this.#structs = withNamed(base === undefined ? new Map() : base.#structs, structs, (s) => s.type.name);
    const inherited = base === undefined ? undefined : base.#structsByName;
    const own = parts.structsByName;
    this.#structsByName = own === undefined ? inherited : (name) => own(name) ?? inherited?.(name);
    const macros = withMacros(base?.syntax.macros ?? new Map(), libraries);
    this.syntax = {
      macros,
      macroNames: macros === base?.syntax.macros ? base.syntax.macroNames : new Set(Array.from(macros.values(), (m) => m.name)),
      optional: (base?.syntax.optional ?? false) || libraries.some((library) => library.optionalSyntax === true),
      quotedFields: this.options.quotedFields,
    };
  }

  extend(parts: EnvParts): Env {
    return new Env(parts, this);
  }

  has(library: string): boolean {
    return this.#libraries.has(library);
  }

  libraries(): Iterable<string> {
    return this.#libraries;
  }

  function(name: string): FunctionDeclaration | undefined {
    return this.#functions.get(name);
  }

  variable(name: string): VariableDeclaration | undefined {
    return this.#variables.get(name);
  }

  variables(): Iterable<VariableDeclaration> {
    return this.#variables.values();
  }

  struct(name: string): StructDeclaration | undefined {
    return this.#structs.get(name) ?? this.#structsByName?.(name);
  }

  /** The names that `name` may mean, in the order in which they are tried. */
  candidates(name: string): readonly string[] {
    if (name.startsWith(".")) return [name.slice(1)];
    if (this.options.container === "") return [name];
    const parts = this.options.container.split(".");
    return [...parts.map((_, i) => `${parts.slice(0, parts.length - i).join(".")}.${name}`), name];
  }
}

function withNamed<T>(base: ReadonlyMap<string, T>, items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, T> {
  if (items.length === 0) return base;
  const merged = new Map(base);
  for (const item of items) merged.set(nameOf(item), item);
  return merged;
}

function withMacros(base: ReadonlyMap<string, Macro>, libraries: readonly Library[]): ReadonlyMap<string, Macro> {
  const macros = libraries.flatMap((library) => library.macros ?? []);
  return withNamed(base, macros, (macro) => macroKey(macro.name, macro.argCount, macro.receiver));
}

/** Functions of the same name become one, with the overloads of all. */
function withFunctions(
  base: ReadonlyMap<string, FunctionDeclaration>,
  libraries: readonly Library[],
): ReadonlyMap<string, FunctionDeclaration> {
  const added = libraries.flatMap((library) => library.functions ?? []);
  if (added.length === 0) return base;
  const merged = new Map(base);
  for (const declaration of added) {
    const known = merged.get(declaration.name);
    merged.set(declaration.name, known === undefined ? declaration : merge(known, declaration));
  }
  return merged;
}

function merge(known: FunctionDeclaration, added: FunctionDeclaration): FunctionDeclaration {
  const replaced = new Set(added.overloads.map((overload) => overload.id));
  const overloads: readonly Overload[] = [...known.overloads.filter((o) => !replaced.has(o.id)), ...added.overloads];
  const implementation = added.implementation ?? known.implementation;
  return { ...known, overloads, ...(implementation === undefined ? {} : { implementation }) };
}

/** A variable of an environment. */
export function variable(name: string, type: CelType): VariableDeclaration {
  return { name, type };
}
