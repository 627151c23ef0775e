import type { Diagnostic } from "../../core/diagnostic.ts";
import { failed, loaded } from "../../core/diagnostic.ts";
import { asString, isObject, member } from "../../core/json.ts";
import { type KubernetesObject, nameOf } from "../../core/kubernetes.ts";
import { latest } from "../../core/latest.ts";
import type { SourceDocument } from "../../core/source.ts";
import { formatEvaluationError, fromJson, RegoObject, RegoSet, toJson, type Value } from "../../languages/rego/index.ts";
import type { RegoProgram, RegoRule } from "../../languages/rego/program.ts";
import { askedSelectors } from "../asked-selectors.ts";
import type { PolicyFormats } from "../formats.ts";
import { errorResult, passed } from "../kyverno/outcome.ts";
import type { CompiledRule, CompileEnv, PolicyFormat, RuleContext, RuleResult } from "../policy.ts";
import { policyLabels } from "../policy-labels.ts";
import { compileRegoFiles, parseRegoFile, type RegoFile } from "./rego-file.ts";

const group = "castellan.dev";
const regoPolicyKind = "RegoPolicy";

/** Rules that say something of an object: `deny`, `violation`, `warn`, and those whose names go on with `_`. */
const telling = /^(deny|violation|warn)(?:_(\w+))?$/;

interface RegoWorld {
  readonly files: readonly RegoFile[];
  readonly program: RegoProgram | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const textOf = (object: KubernetesObject): string => asString(member(object["spec"], "rego")) ?? "";

const isRegoPolicy = (object: KubernetesObject): boolean =>
  object.kind === regoPolicyKind && object.apiVersion.startsWith(`${group}/`);

const worlds = new WeakMap<CompileEnv, RegoWorld>();

/** All modules of one compilation see each other. */
function regoWorld(document: SourceDocument<KubernetesObject>, env: CompileEnv): RegoWorld {
  const known = worlds.get(env);
  if (known !== undefined) return known;
  const documents = (env.documents ?? [document]).filter(({ value }) => isRegoPolicy(value));
  const files = documents.map((one) => parseRegoFile(nameOf(one.value), textOf(one.value)));
  const { program, diagnostics } = compileRegoFiles(files);
  const world: RegoWorld = { files, program, diagnostics };
  worlds.set(env, world);
  return world;
}

/** What one element of a rule says: a text, or an object with `msg`. */
function messageOf(element: Value): RuleResult | undefined {
  if (typeof element === "string") return { status: "fail", message: element };
  const message = element instanceof RegoObject ? element.field("msg") : undefined;
  if (typeof message !== "string") {
    return errorResult("an element of the rule is neither a string nor an object with a string msg");
  }
  const json = toJson(element);
  const evidence = isObject(json) ? Object.fromEntries(Object.entries(json).filter(([name]) => name !== "msg")) : {};
  return { status: "fail", message, ...(Object.keys(evidence).length === 0 ? {} : { evidence }) };
}

function elementsOf(value: Value | undefined): readonly Value[] {
  if (value instanceof RegoSet) return value.sorted();
  return Array.isArray(value) ? value : [];
}

const inputOf = latest((object: KubernetesObject): Value => fromJson(object));

/** Names of rules without their prefix, as lists in the set `exception`: Conftest's way to lift them. */
function isLifted(exceptions: Value | undefined, suffix: string): boolean {
  return elementsOf(exceptions).some((names) => elementsOf(names).includes(suffix));
}

interface Told {
  readonly rule: RegoRule;
  readonly exception: RegoRule | undefined;
  readonly suffix: string;
  readonly isWarning: boolean;
}

function evaluate({ rule, exception, suffix, isWarning }: Told, { object, host }: RuleContext): readonly RuleResult[] {
  if (object === undefined) return [];
  const given = { input: inputOf(object), host };
  const evaluated = rule.evaluate(given);
  if (!evaluated.ok) return [errorResult(formatEvaluationError(evaluated.error))];
  const results = elementsOf(evaluated.value).flatMap((element) => messageOf(element) ?? []);
  if (results.length === 0) return [passed("")];
  const lifted = exception?.evaluate(given);
  if (lifted?.ok === true && isLifted(lifted.value, suffix)) {
    return [{ status: "skip", message: `lifted by the rule exception: ${results.map((r) => r.message).join("; ")}` }];
  }
  return isWarning
    ? results.map((result) => (result.status === "fail" ? { ...result, status: "warn" as const } : result))
    : results;
}

function ruleOf(program: RegoProgram, path: readonly string[], name: string): CompiledRule {
  const [, kind, suffix = ""] = telling.exec(name) ?? [];
  const told: Told = {
    rule: program.rule([...path, name]),
    exception: program.has([...path, "exception"]) ? program.rule([...path, "exception"]) : undefined,
    suffix,
    isWarning: kind === "warn",
  };
  return {
    name,
    kind: "validate",
    selectors: askedSelectors("*", "*", "*"),
    operations: new Set(["CREATE", "UPDATE"] as const),
    enforcement: () => (told.isWarning ? "warn" : "enforce"),
    evaluate: (context) => evaluate(told, context),
  };
}

/** The rules of a package that say something, each name once; functions are none. */
function tellingNames(files: readonly RegoFile[], name: string): readonly string[] {
  const modules = files.flatMap(({ module }) => (module?.package.path.join(".") === name ? [module] : []));
  const heads = modules.flatMap((module) => module.rules.map(({ head }) => head)).filter((head) => head.args.length === 0);
  return [...new Set(heads.map((head) => head.ref[0].name))].filter((rule) => telling.test(rule));
}

/** Rego as Conftest runs it: packages whose rules `deny`, `violation` and `warn` judge the object that is their input. */
const regoPolicyFormat: PolicyFormat = {
  kinds: [{ group, kind: regoPolicyKind }],
  compile(document, env) {
    const { files, program, diagnostics } = regoWorld(document, env);
    const file = nameOf(document.value);
    const own = diagnostics.filter(({ span }) => span === undefined || span.file === file);
    const module = files.find((one) => one.file === file)?.module;
    if (program === undefined || module === undefined) return failed(...own);
    const name = module.package.path.join(".");
    // The first file of a package speaks for all of them.
    const first = files.find((one) => one.module?.package.path.join(".") === name);
    const names = tellingNames(files, name);
    if (first?.file !== file || names.length === 0) return failed(...own);
    return loaded(
      {
        id: { group, kind: regoPolicyKind, namespace: "", name },
        origin: document,
        ...policyLabels(document.value),
        onError: "deny",
        emitWarning: false,
        background: true,
        admission: true,
        firstRuleOnly: false,
        needs: [],
        rules: names.map((rule) => ruleOf(program, module.package.path, rule)),
      },
      own,
    );
  },
};

export const regoFormats: PolicyFormats = { formats: [regoPolicyFormat], companionDiagnostics: () => [] };
