import type { Body, Module, RegoVersion } from "./ast.ts";
import type { PlacedRule, RuleNode } from "./compile/rule-tree.ts";
import { compileModules, compileQuery } from "./compile/stages.ts";
import { BodyCompiler } from "./evaluate/bodies.ts";
import { DataNode } from "./evaluate/data-tree.ts";
import { type Evaluation, type EvaluationCode, EvaluationFailure, Machine, type Site } from "./evaluate/machine.ts";
import { ruleSet } from "./evaluate/rule-sets.ts";
import { Scope } from "./evaluate/scope.ts";
import type { Parsed, RegoIssue } from "./issue.ts";
import { parseModule, parseQuery } from "./syntax/module-parser.ts";
import type { Value } from "./values/value.ts";

export type { Evaluation };

/** A module's text. */
export interface ModuleSource {
  readonly file: string;
  readonly source: string;
  /** 1 unless said otherwise. */
  readonly version?: RegoVersion | undefined;
}

export interface CompileOptions {
  /** Unused imports, variables and arguments are errors, as with `opa check --strict`. */
  readonly strict?: boolean | undefined;
}

/** An evaluation that came to no answer. `eval_cancel_error`: the budget was spent, or the caller cancelled. */
export interface EvaluationError {
  readonly code: EvaluationCode;
  /** In OPA's words. */
  readonly message: string;
  readonly site: Site | undefined;
}

export type Evaluated<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: EvaluationError };

/** Values of a query's variables. */
export type Bindings = ReadonlyMap<string, Value>;

/** A query, ready to be asked. */
export interface RegoQuery {
  /** All solutions, in OPA's order. */
  evaluate(given: Evaluation): Evaluated<readonly Bindings[]>;
}

/** A document of a program: what rules (and data) make at a path. */
export interface RegoRule {
  /** Undefined: nothing. */
  evaluate(given: Evaluation): Evaluated<Value | undefined>;
}

/** Compiled modules. They hold no state and may be evaluated any number of times. */
export interface RegoProgram {
  query(source: string): Parsed<RegoQuery>;
  /** @param path below `data`: `["k8srequiredlabels", "violation"]` */
  rule(path: readonly string[]): RegoRule;
  /** Whether there are rules at or below the path. */
  has(path: readonly string[]): boolean;
}

/** Parses and compiles modules. Issues are in the order of the modules. */
export function compileSources(sources: readonly ModuleSource[], options: CompileOptions = {}): Parsed<RegoProgram> {
  return guarded(() => parseAndCompile(sources, options));
}

/** Sources nested deeper than the stack are refused. */
function guarded<T>(work: () => Parsed<T>): Parsed<T> {
  try {
    return work();
  } catch (failure) {
    if (!isStackOverflow(failure)) throw failure;
    const message = "expressions are nested too deep";
    return { ok: false, issues: [{ code: "rego_compile_error", message, file: "", at: undefined }] };
  }
}

function isStackOverflow(failure: unknown): boolean {
  return failure instanceof RangeError && /call stack/i.test(failure.message);
}

function parseAndCompile(sources: readonly ModuleSource[], options: CompileOptions): Parsed<RegoProgram> {
  const modules: Module[] = [];
  const issues: RegoIssue[] = [];
  for (const { file, source, version } of sources) {
    const parsed = parseModule(file, source, version ?? 1);
    if (parsed.ok) modules.push(parsed.value);
    else issues.push(...parsed.issues);
  }
  return issues.length > 0 ? { ok: false, issues } : compileParsed(modules, options);
}

/** As {@link compileSources}, for modules that are parsed already. */
export function compileParsed(modules: readonly Module[], options: CompileOptions = {}): Parsed<RegoProgram> {
  return guarded(() => {
    const { tree, compilation } = compileModules(modules, options.strict ?? false);
    if (compilation.issues.length > 0) return { ok: false, issues: compilation.sorted() };
    return { ok: true, value: new Program(tree) };
  });
}

class Program implements RegoProgram {
  readonly #tree: RuleNode;
  readonly #root: DataNode;
  readonly #bodies = new Map<string, BodyCompiler>();
  #results = 0;

  constructor(tree: RuleNode) {
    this.#tree = tree;
    const compiler = {
      bodies: (placed: PlacedRule) => this.#bodiesOf(placed.unit.file),
      nextResult: () => this.#results++,
    };
    this.#root = new DataNode(tree, [], (path, rules) => ruleSet(path, rules, compiler));
  }

  #bodiesOf(file: string): BodyCompiler {
    const known = this.#bodies.get(file) ?? new BodyCompiler(() => this.#root, file);
    this.#bodies.set(file, known);
    return known;
  }

  query(source: string): Parsed<RegoQuery> {
    return guarded(() => {
      const parsed = parseQuery(source);
      return parsed.ok ? this.#compileQuery(parsed.value, source) : parsed;
    });
  }

  #compileQuery(query: Body, source: string): Parsed<RegoQuery> {
    const { body, outputs, compilation } = compileQuery(query, source, this.#tree);
    if (compilation.issues.length > 0) return { ok: false, issues: compilation.sorted() };
    const scope = new Scope();
    let results: Bindings[] = [];
    const step = this.#bodiesOf("").body(body, scope, (bound) => {
      const slots = outputs.flatMap(([name, unique]) => (bound.isBound(unique) ? [[name, bound.slot(unique)] as const] : []));
      return (_m, s) => {
        const bindings = new Map<string, Value>();
        for (const [name, slot] of slots) {
          const value = s[slot];
          if (value !== undefined) bindings.set(name, value);
        }
        results.push(bindings);
        return false;
      };
    });
    const evaluate = (given: Evaluation): Evaluated<readonly Bindings[]> =>
      evaluated(given, (machine) => {
        const own: Bindings[] = [];
        results = own;
        step(machine, new Array<Value | undefined>(scope.size));
        return own;
      });
    return { ok: true, value: { evaluate } };
  }

  rule(path: readonly string[]): RegoRule {
    const get = this.#bodiesOf("").document(path);
    return { evaluate: (given) => evaluated(given, (machine) => get(machine, [])) };
  }

  has(path: readonly string[]): boolean {
    let node: DataNode | undefined = this.#root;
    for (const name of path) node = node?.child(name);
    return node !== undefined;
  }
}

function evaluated<T>(given: Evaluation, work: (machine: Machine) => T): Evaluated<T> {
  const machine = new Machine(given);
  try {
    return { ok: true, value: work(machine) };
  } catch (failure) {
    return { ok: false, error: errorOf(failure) };
  }
}

function errorOf(failure: unknown): EvaluationError {
  if (failure instanceof EvaluationFailure) {
    const { code, message, site } = failure;
    return { code, message, site };
  }
  // The only way to see that a value or a chain of rules is nested too deep.
  if (isStackOverflow(failure)) {
    return { code: "eval_internal_error", message: "evaluation is nested too deep", site: undefined };
  }
  throw failure;
}

/** The error as OPA prints it: `file:line: code: message`. */
export function formatEvaluationError(error: EvaluationError): string {
  const { site } = error;
  const place = site === undefined ? "" : site.at === undefined ? site.file : `${site.file}:${site.at.line}`;
  return `${place === "" ? "" : `${place}: `}${error.code}: ${error.message}`;
}
