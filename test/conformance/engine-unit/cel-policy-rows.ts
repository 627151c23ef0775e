import { apiResources } from "../../../src/core/api-resources.ts";
import { noFacts } from "../../../src/core/facts.ts";
import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../../src/core/json.ts";
import { boolType, type CelType, dynType, stringType } from "../../../src/languages/cel/types.ts";
import { CelSession, compileExpression } from "../../../src/policies/cel/expression.ts";
import { computeRules } from "../../../src/policies/kyverno/autogen.ts";
import { DocumentReport } from "../../../src/policies/kyverno/report.ts";
import { autogenSpecs } from "../../../src/policies/kyverno-cel/autogen.ts";
import { kyvernoEnv, kyvernoLimits } from "../../../src/policies/kyverno-cel/environment.ts";
import { generatorLibrary } from "../../../src/policies/kyverno-cel/generator.ts";
import { compileExtractors } from "../../../src/policies/kyverno-cel/images/extractors.ts";
import { compileImageMatcher } from "../../../src/policies/kyverno-cel/images/image-references.ts";
import { convertExpression, convertSpec } from "../../../src/policies/kyverno-cel/mutating-autogen.ts";
import { fieldsOf, listOf } from "../cel/go-literal.ts";
import { sourceDocument } from "../cel/go-policy.ts";
import { structJson } from "../cel/go-struct.ts";
import { runMatchRow } from "../cel/k8s-matching.ts";
import { expectJson, failure, type Outcome, passed, skipped } from "../corpus.ts";
import { expectEqual, field, type RowJudge, type RowJudges, text } from "./row.ts";

const env = kyvernoEnv("", apiResources([]));
const session = () =>
  new CelSession({ facts: noFacts("the tests ask nobody"), host: { now: () => 0, random: () => 0 } }, kyvernoLimits);
const report = () => new DocumentReport(sourceDocument({ apiVersion: "v1", kind: "Policy", metadata: { name: "p" } }));

/** What is wrong with the expressions of a list, in order, up to the first that is. */
function compileList(
  expressions: readonly string[],
  wanted: readonly CelType[],
  base = env,
): { compiled: number; problem?: string } {
  let compiled = 0;
  for (const source of expressions) {
    const result = compileExpression(source, base, wanted);
    if (!result.ok) return { compiled, problem: result.message };
    compiled++;
  }
  return { compiled };
}

/** The details of Go's field errors. */
function detailsOf(errors: JsonValue): readonly string[] {
  return listOf(errors).map((error) => String(field(error, "Detail")));
}

/** Types that do not fit are told in Kubernetes' words, not in Kyverno's. */
function judgeProblem(problem: string | undefined, details: readonly string[]): Outcome {
  const [detail] = details;
  if (detail === undefined) return problem === undefined ? passed : failure(problem);
  const wanted = detail.startsWith("output is expected") ? "must evaluate to" : detail;
  return problem?.includes(wanted) === true ? passed : failure(`${problem ?? "compiles"}, expected ${detail}`);
}

function expressionsOf(value: JsonValue, key: string): readonly string[] {
  return listOf(value).map((one) => String(field(one, key) ?? ""));
}

/** A list of expressions: how many compile, and what is wrong with the next one. */
const compiledList =
  (list: string, key: string, count: string, wanted: readonly CelType[], base = env): RowJudge =>
  (row) => {
    const { compiled, problem } = compileList(expressionsOf(field(row, list), key), wanted, base);
    const wantErrors = [...detailsOf(field(row, "wantAllErrs")), ...detailsOf(field(row, "wantErrs"))];
    const judged = judgeProblem(problem, wantErrors);
    if (judged.status !== "pass") return judged;
    const expected = field(row, count);
    return typeof expected !== "number" || expected === compiled ? passed : failure(`${compiled} compile, expected ${expected}`);
  };

const one =
  (name: string, key: string, wanted: readonly CelType[]): RowJudge =>
  (row) => {
    const source = field(field(row, name), key);
    const { problem } = compileList([typeof source === "string" ? source : ""], wanted);
    const message = field(field(row, name), "MessageExpression");
    const ofMessage = typeof message === "string" ? compileList([message], [stringType]).problem : undefined;
    return judgeProblem(problem ?? ofMessage, detailsOf(field(row, "wantErrs")));
  };

const imageReferences = (specs: readonly JsonValue[], errors: JsonValue): Outcome => {
  const told = report();
  compileImageMatcher(
    specs.map((spec) => lowered(spec)),
    ["spec"],
    told,
  );
  return judgeProblem(told.errors[0], detailsOf(errors));
};

function lowered(value: JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, inner]) => [key.toLowerCase(), inner]));
}

const imageFits =
  (key: "glob" | "expression"): RowJudge =>
  (row) => {
    const matches = compileImageMatcher([{ [key]: field(row, key) }], ["spec"], report());
    const fits = matches(text(field(row, "image")), session());
    return fits === field(row, "want") ? passed : failure(`fits: ${fits}`);
  };

const extracted: RowJudge = (row) => {
  const told = report();
  const request = field(row, "request");
  const gvr = field(row, "gvr");
  const specs = listOf(field(row, "imageExtractor")).map(lowered);
  const names = ["object", "oldObject", "request"].map((name) => ({ name, type: dynType }));
  const extract = compileExtractors(specs, env.extend({ variables: names }), ["spec"], told);
  const resource = gvr === null ? "" : String(field(gvr, "Resource"));
  const target = {
    type: "kubernetes",
    group: "",
    version: "v1",
    kind: resource === "pods" ? "Pod" : "",
    resource,
    subresource: "",
    namespace: "",
    name: "",
  } as const;
  const variables = {
    object: member(request, "object") ?? null,
    oldObject: member(request, "oldObject") ?? null,
    request: member(request, "request") ?? null,
  };
  return expectJson(extract(target, session(), variables), structJson(field(row, "wantResult")));
};

const template = (row: JsonValue) => (field(row, "config") === "cronjobs" ? "cronjobs" : "defaults");
const unspaced = (value: string) => value.replace(/\s+/g, "");

const converted: RowJudge = (row) => {
  const actual = convertExpression(text(field(row, "input")), template(row));
  return unspaced(actual) === unspaced(text(field(row, "expected"))) ? passed : failure(actual);
};

const argumentsOf = (value: JsonValue): readonly JsonValue[] => listOf(member(value, "args"));

const mutatingRules: RowJudge = (row) => {
  const spec = structJson(field(row, "spec"));
  const autogen = { podControllers: { controllers: argumentsOf(field(row, "configs")) } };
  const { specs } = autogenSpecs({ ...(isObject(spec) ? spec : {}), autogen }, convertSpec);
  return specs.length === field(row, "expectedRules") ? passed : failure(`${specs.length} rules`);
};

/** Order and empty parts apart. */
function comparable(value: JsonValue | undefined): JsonValue {
  if (isArray(value)) return value.map(comparable);
  if (!isObject(value)) return value ?? null;
  const entries = Object.entries(value).map(([key, inner]): readonly [string, JsonValue] => {
    const plain = comparable(inner);
    return [key, key === "resources" && isArray(plain) ? plain.toSorted() : plain];
  });
  return Object.fromEntries(entries);
}

const validatingRules =
  (controllersOf: (row: JsonValue) => readonly JsonValue[]): RowJudge =>
  (row) => {
    const parsed: JsonValue = JSON.parse(text(field(row, "policySpec")));
    const autogen = { podControllers: { controllers: controllersOf(row) } };
    const { specs } = autogenSpecs({ ...(isObject(parsed) ? parsed : {}), autogen });
    const wanted = Object.entries(fieldsOf(field(row, "generatedRule"))).map(([key, rule]) => [
      key.endsWith("Cronjobs") ? "cronjobs" : "defaults",
      comparable(structJson(member(rule, "Spec"))),
    ]);
    const actual = specs.map(({ template: name, spec: { autogen: _, ...spec } }) => [name, comparable(spec)]);
    return expectJson(actual, wanted);
  };

/** The rule for cron jobs that is generated from one about pods with this expression. */
const updatedFields: RowJudge = (row) => {
  const validate = { cel: { expressions: [{ expression: field(row, "pbyte") }] } };
  const rule = { name: "r", match: { any: [{ resources: { kinds: ["Pod"] } }] }, validate };
  const kind = text(field(row, "kind")).toLowerCase();
  const wanted = kind === "cronjob" ? "autogen-cronjob-r" : "autogen-r";
  const generated = computeRules([rule], undefined).find(({ rule: one }) => one["name"] === wanted);
  const cel = member(generated?.rule["validate"], "cel");
  const [expression] = listOf(member(cel, "expressions"));
  return expectEqual(String(member(expression, "expression")), field(row, "want"));
};

const accessor: RowJudge = () => skipped("an accessor of Kyverno's match criteria");
const httpSwitch: RowJudge = () => skipped("Kyverno's switch for http calls in namespaced policies");

/** Rows about the compiler, the matcher and the autogen of Kyverno's CEL policies. */
export const celPolicyRows: RowJudges = {
  "cel_matching/TestMatcher": (row) => (isObject(row) ? runMatchRow(row, false) : failure("no row")),
  "cel_matching/TestMatchCriteria_GetMatchResources": accessor,
  "cel_matching/TestMatchCriteria_GetParsedNamespaceSelector": accessor,
  "cel_matching/TestMatchCriteria_GetParsedObjectSelector": accessor,
  "cel_compiler/TestAllowHTTPInNamespacedPoliciesToggle": httpSwitch,
  "cel_compiler/TestAllowHTTPInNamespacedPoliciesToggledViaParse": httpSwitch,
  "cel_compiler/TestExpressionsUseHTTP": httpSwitch,
  "cel_compiler/TestCompileAuditAnnotation": one("auditAnnotation", "ValueExpression", []),
  "cel_compiler/TestCompileAuditAnnotations": compiledList("auditAnnotations", "ValueExpression", "wantProgs", []),
  "cel_compiler/TestCompileGenerations": compiledList(
    "generations",
    "Expression",
    "wantProgs",
    [boolType],
    env.extend({ libraries: [generatorLibrary("")] }),
  ),
  "cel_compiler/TestCompileMatchConditions": compiledList("matchConditions", "Expression", "wantProgs", [boolType]),
  "cel_compiler/TestCompileVariables": compiledList("variables", "Expression", "wantProgs", []),
  "cel_compiler/TestCompileValidation": one("rule", "Expression", [boolType]),
  "cel_compiler/TestCompileMatchImageReference": (row) => imageReferences([field(row, "match")], field(row, "wantErrs")),
  "cel_compiler/TestCompileMatchImageReferences": (row) =>
    imageReferences(listOf(field(row, "matches")), field(row, "wantAllErrs")),
  "cel_compiler/Test_Match": extracted,
  "cel_compiler/Test_matchCel_Match": imageFits("expression"),
  "cel_compiler/Test_matchGlob_Match": imageFits("glob"),
  "cel_policies_mpol_autogen/TestConvertPodToTemplateExpression": converted,
  "cel_policies_mpol_autogen/TestMutationConversionEdgeCases": converted,
  "cel_policies_mpol_autogen/TestGenerateRuleForControllers": mutatingRules,
  "cel_policies_vpol_autogen/TestGenerateCronJobRule": validatingRules(() => ["cronjobs"]),
  "cel_policies_vpol_autogen/TestGenerateRuleForControllers": validatingRules((row) => argumentsOf(field(row, "controllers"))),
  "autogen_v1/TestUpdateCELFields": updatedFields,
};
