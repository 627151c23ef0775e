import type { Diagnostic } from "../../core/diagnostic.ts";
import { isArray, type JsonValue } from "../../core/json.ts";
import type { Module, RefTerm, Term } from "../../languages/rego/ast.ts";
import { importName, isLanguageImport } from "../../languages/rego/compile/resolve.ts";
import type { RegoIssue } from "../../languages/rego/issue.ts";
import { diagnosticOf } from "../../languages/rego/load.ts";
import { compileParsed, formatEvaluationError, type RegoRule } from "../../languages/rego/program.ts";
import { parseModule } from "../../languages/rego/syntax/module-parser.ts";
import { visitBodyTerms, visitTerms } from "../../languages/rego/syntax/visit.ts";
import { compareValues } from "../../languages/rego/values/compare.ts";
import { mapKey } from "../../languages/rego/values/map-key.ts";
import { RegoObject, RegoSet, type Value } from "../../languages/rego/values/value.ts";
import type { Engine, Judged, Judgement, Violation } from "./engine.ts";
import { reviewValue } from "./review-value.ts";

/** The Rego of a template. */
export interface RegoText {
  readonly rego: string;
  readonly libs: readonly string[];
  readonly version: string;
}

interface Refusal {
  readonly module: Module;
  readonly message: string;
  readonly at: RegoIssue["at"];
}

/** What a reference into `data` names, as far as it names it outright. */
function namesOf(ref: RefTerm): readonly string[] {
  const names: string[] = [];
  for (const step of ref.path) {
    if (step.kind !== "scalar" || typeof step.value !== "string") break;
    names.push(step.value);
  }
  return names;
}

const isDataRef = (term: Term): term is RefTerm => term.kind === "ref" && term.head.kind === "var" && term.head.name === "data";

/** Every reference into `data` in the rules of a module. */
function dataRefs(module: Module): readonly RefTerm[] {
  const found: RefTerm[] = [];
  const visit = (term: Term): boolean => {
    if (isDataRef(term)) found.push(term);
    return true;
  };
  for (const rule of module.rules) {
    for (let branch: typeof rule | undefined = rule; branch !== undefined; branch = branch.otherwise) {
      const { head } = branch;
      for (const term of [...head.args, ...head.ref, head.key, head.value]) if (term !== undefined) visitTerms(term, visit);
      visitBodyTerms(branch.body, visit);
    }
  }
  return found;
}

/** Templates see their libraries and the inventory, and nothing else of `data`. */
function refusals(module: Module, refs: readonly RefTerm[]): readonly Refusal[] {
  const found: Refusal[] = [];
  for (const taken of module.imports) {
    const { head } = taken.path;
    const root = head.kind === "var" ? head.name : "";
    const isLib = root === "data" && namesOf(taken.path)[0] === "lib";
    if (isLib || root === "future" || isLanguageImport(taken)) continue;
    const message = `a template may import its libraries (data.lib...) only, not ${importName(taken)}`;
    found.push({ module, message, at: taken.at });
  }
  for (const ref of refs) {
    const [first] = namesOf(ref);
    if (first === "lib" || first === "inventory") continue;
    const message = "a template may refer to data.lib and data.inventory only";
    found.push({ module, message, at: ref.at });
  }
  return found;
}

/** Whether the rules look at other objects than the one under review. */
const readsInventory = (refs: readonly RefTerm[]): boolean => refs.some((ref) => namesOf(ref)[0] === "inventory");

const isMember = (value: Value | undefined, name: string): Value | undefined =>
  value instanceof RegoObject ? value.field(name) : undefined;

interface Response {
  readonly message: Value;
  readonly details: Value;
}

/** The violations of a template's rule: those that say the same are one. */
function responses(violations: Value | undefined): readonly Response[] {
  const items = violations instanceof RegoSet ? violations.sorted() : [];
  const found = new Map<unknown, Response>();
  for (const item of items) {
    const message = isMember(item, "msg");
    if (message === undefined) continue;
    const details = isMember(item, "details") ?? RegoObject.empty;
    found.set(mapKey([details, message]), { message, details });
  }
  return [...found.values()].sort((a, b) => compareValues(a.details, b.details) || compareValues(a.message, b.message));
}

class RegoEngine implements Engine {
  readonly needsInventory: boolean;
  readonly #rule: RegoRule;

  constructor(rule: RegoRule, needsInventory: boolean) {
    this.#rule = rule;
    this.needsInventory = needsInventory;
  }

  constraint(parameters: JsonValue | undefined): Judgement {
    const value = reviewValue(parameters ?? {});
    return (judged) => this.#judge(value, judged);
  }

  #judge(parameters: Value, { review, host, inventory, external }: Judged): readonly Violation[] {
    const input = RegoObject.of([
      ["review", review()],
      ["parameters", parameters],
    ]);
    const data = this.needsInventory ? RegoObject.of([["inventory", inventory()]]) : RegoObject.empty;
    const evaluated = this.#rule.evaluate({ input, data, host, external });
    if (!evaluated.ok) return [{ status: "error", message: formatEvaluationError(evaluated.error) }];
    return responses(evaluated.value).map(({ message, details }): Violation => {
      if (typeof message !== "string") return { status: "error", message: "the msg of a violation must be a string" };
      return { status: "fail", message, details };
    });
  }
}

export type CompiledRego =
  | { readonly ok: true; readonly engine: Engine }
  /** `module`: 0 for the rules, then the libraries. */
  | { readonly ok: false; readonly problems: readonly { readonly module: number; readonly diagnostic: Diagnostic }[] };

const entryFile = "template";
const libFile = (index: number): string => `libs["lib_${index}"]`;

/** Compiles the Rego of a template as Gatekeeper does: the rules are `data.template`, whatever their package is called. */
export function compileTemplateRego({ rego, libs, version }: RegoText): CompiledRego {
  const sources = [rego, ...libs].map((source, i) => ({ file: i === 0 ? entryFile : libFile(i - 1), source }));
  const problem = (issue: RegoIssue) => ({
    module: Math.max(
      0,
      sources.findIndex(({ file }) => file === issue.file),
    ),
    diagnostic: diagnosticOf(issue, sources),
  });
  const parsed = sources.map(({ file, source }) => parseModule(file, source, version === "v1" ? 1 : 0));
  const issues = parsed.flatMap((one) => (one.ok ? [] : one.issues));
  if (issues.length > 0) return { ok: false, problems: issues.map(problem) };
  const modules = parsed.flatMap((one) => (one.ok ? [one.value] : []));
  const [entry, ...rest] = modules;
  if (entry === undefined) throw new Error("a template has an entry point");
  const refs = modules.map(dataRefs);
  const refused = [
    ...rest.flatMap((lib): readonly Refusal[] =>
      lib.package.path[0] === "lib" && lib.package.path.length > 1
        ? []
        : [{ module: lib, message: "the package of a library must be below lib: package lib.NAME", at: lib.package.at }],
    ),
    ...(entry.rules.some((rule) => rule.head.ref[0].name === "violation")
      ? []
      : [{ module: entry, message: 'there is no rule violation[{"msg": msg}]', at: entry.package.at }]),
    ...modules.flatMap((module, i) => refusals(module, refs[i] ?? [])),
  ];
  if (refused.length > 0) {
    const asIssue = ({ module, message, at }: Refusal): RegoIssue => ({
      code: "rego_compile_error",
      message,
      file: module.file,
      at,
    });
    return { ok: false, problems: refused.map((one) => problem(asIssue(one))) };
  }
  const moved: Module = { ...entry, package: { ...entry.package, path: [entryFile] } };
  const compiled = compileParsed([moved, ...rest]);
  if (!compiled.ok) return { ok: false, problems: compiled.issues.map(problem) };
  const rule = compiled.value.rule([entryFile, "violation"]);
  return { ok: true, engine: new RegoEngine(rule, readsInventory(refs.flat())) };
}

/** The texts of a list. */
export const textsOf = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((item) => typeof item === "string") : [];
