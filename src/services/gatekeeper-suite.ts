import { dirname, join } from "node:path";
import type { Diagnostic } from "../core/diagnostic.ts";
import { noFacts } from "../core/facts.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { groupOf, gvkOf, isKubernetesObject, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../core/kubernetes.ts";
import { once } from "../core/once.ts";
import type { SourceDocument } from "../core/source.ts";
import { type Constraint, compileConstraint, judgeBy } from "../policies/gatekeeper/constraint.ts";
import { ExpansionFailure, type Expansions, expansionsOf } from "../policies/gatekeeper/expansion.ts";
import { inventoryOf } from "../policies/gatekeeper/inventory.ts";
import { judgedOf } from "../policies/gatekeeper/judged.ts";
import { askProviders } from "../policies/gatekeeper/providers.ts";
import { objectReview, type Review, type ReviewNamespace, requestReview } from "../policies/gatekeeper/review.ts";
import type { Template } from "../policies/gatekeeper/template.ts";
import { gatekeeperWorld } from "../policies/gatekeeper/world.ts";
import { DocumentReport, reportShape } from "../policies/kyverno/report.ts";
import { fields, list } from "../policies/kyverno/shape.ts";
import { assertionProblem } from "./gatekeeper-assertions.ts";
import type { TestDocuments } from "./test-documents.ts";
import type { TestOutcome, TestRequest } from "./test-run.ts";
import type { TestRow } from "./test-score.ts";

const suiteShape = fields({
  apiVersion: "string",
  kind: "string",
  metadata: "any",
  skip: "boolean",
  tests: list(
    fields({
      name: "string",
      template: "string",
      constraint: "string",
      expansion: "string",
      invalid: "boolean",
      skip: "boolean",
      cases: list(
        fields({
          name: "string",
          object: "string",
          inventory: list("string"),
          skip: "boolean",
          assertions: list(fields({ violations: "any", message: "string" })),
        }),
      ),
    }),
  ),
});

/** Whether a document is a suite of gator's. */
export function isSuiteDocument(value: JsonValue): boolean {
  return isKubernetesObject(value) && value.kind === "Suite" && groupOf(value) === "test.gatekeeper.sh";
}

interface SuiteContext {
  readonly document: SourceDocument;
  readonly documents: TestDocuments;
  readonly request: TestRequest;
}

type ObjectDocument = SourceDocument<KubernetesObject>;

/** Why a test cannot be run. */
class SuiteFailure extends Error {}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const textOf = (value: JsonValue | undefined): string => asString(value) ?? "";

function isObjectDocument(document: SourceDocument): document is ObjectDocument {
  return isKubernetesObject(document.value);
}

/** @throws SuiteFailure */
function objectsIn(path: string, { document, documents }: SuiteContext): readonly ObjectDocument[] {
  const parsed = documents.read(join(dirname(document.file), path));
  const [broken] = parsed.diagnostics.filter((d) => d.severity === "error");
  if (broken !== undefined) throw new SuiteFailure(`${path}: ${broken.message}`);
  const objects = parsed.documents.filter(isObjectDocument);
  if (objects.length === 0) throw new SuiteFailure(`${path} holds no object`);
  return objects;
}

/** The only object of a file. @throws SuiteFailure */
function objectIn(path: string, what: string, context: SuiteContext): ObjectDocument {
  if (path === "") throw new SuiteFailure(`the test names no ${what}`);
  const [only, second] = objectsIn(path, context);
  if (only === undefined || second !== undefined) throw new SuiteFailure(`${path} must hold one object`);
  return only;
}

interface Prepared {
  readonly template: Template | undefined;
  readonly constraint: Constraint;
  readonly expansions: Expansions;
}

function prepare(test: JsonObject, context: SuiteContext): Prepared {
  const [template] = objectsIn(textOf(test["template"]), context);
  const constraint = objectIn(textOf(test["constraint"]), "constraint", context);
  const expansion = textOf(test["expansion"]);
  const expansions = expansion === "" ? [] : objectsIn(expansion, context);
  const documents = [...(template === undefined ? [] : [template]), ...expansions];
  const world = gatekeeperWorld({ resources: context.request.resources, documents });
  const compiled = world.templates.get(constraint.value.kind.toLowerCase());
  return { template: compiled, constraint: compileConstraint(constraint, compiled), expansions: expansionsOf(world) };
}

function namespacesOf(inventory: readonly KubernetesObject[]): ReadonlyMap<string, ReviewNamespace> {
  const namespaces = inventory.filter((object) => object.kind === "Namespace" && object.apiVersion === "v1");
  return new Map(namespaces.map((object) => [nameOf(object), { name: nameOf(object), labels: labelsOf(object) }]));
}

const isAdmissionReview = (object: KubernetesObject): boolean =>
  object.kind === "AdmissionReview" && groupOf(object) === "admission.k8s.io";

function reviewsFor(
  object: KubernetesObject,
  namespaces: ReadonlyMap<string, ReviewNamespace>,
  expansions: Expansions,
): readonly { readonly review: Review; readonly impliedBy?: string }[] {
  if (isAdmissionReview(object)) {
    const request = object["request"];
    if (!isObject(request)) throw new SuiteFailure("the AdmissionReview has no request");
    const review = requestReview(request, namespaces.get(textOf(request["namespace"])));
    if (review === undefined) throw new SuiteFailure("the AdmissionReview has neither an object nor an oldObject that was there");
    return [{ review }];
  }
  const namespace = namespaces.get(namespaceOf(object));
  const own = { review: objectReview(object, gvkOf(object), "Original", namespace) };
  const implied = expansions.expand(object, undefined).map((made) => ({
    review: objectReview(made.object, made.gvk, "Generated", namespaces.get(namespaceOf(made.object))),
    impliedBy: made.template,
  }));
  return [own, ...implied];
}

/** The messages of all violations. @throws SuiteFailure */
function violationsOf(spec: JsonObject, { constraint, expansions }: Prepared, context: SuiteContext): readonly string[] {
  if (constraint.enforcements("gator.gatekeeper.sh") === undefined) return [];
  const { value: object } = objectIn(textOf(spec["object"]), "object", context);
  const inventory = listOf(spec["inventory"]).flatMap((path) => objectsIn(textOf(path), context).map((d) => d.value));
  const facts = noFacts("tests have no cluster");
  const around = {
    facts,
    host: context.request.host,
    inventory: once(() => inventoryOf(inventory)),
    external: askProviders([], facts),
  };
  return reviewsFor(object, namespacesOf(inventory), expansions).flatMap(({ review, impliedBy }) =>
    (judgeBy(constraint, judgedOf(review, around)) ?? []).map(({ message }) =>
      impliedBy === undefined ? message : `[Implied by ${impliedBy}] ${message}`,
    ),
  );
}

type Verdict = Pick<TestRow, "outcome" | "reason" | "expected" | "actual" | "message">;

const verdict = (outcome: TestRow["outcome"], reason: string, more: Partial<Verdict> = {}): Verdict => ({
  outcome,
  reason,
  expected: "",
  actual: undefined,
  message: "",
  ...more,
});

function runCase(spec: JsonObject, prepared: Prepared, context: SuiteContext): Verdict {
  const messages = violationsOf(spec, prepared, context);
  const assertions = listOf(spec["assertions"]);
  // Without assertions there must be no violation.
  const wanted = assertions.length === 0 ? [{ violations: "no" }] : assertions;
  const problems = wanted.map((assertion) => assertionProblem(assertion, messages)).filter((p) => p !== undefined);
  const expected = wanted.map((assertion) => String(member(assertion, "violations") ?? "yes")).join(", ");
  const shown = { expected: `violations: ${expected}`, actual: `violations: ${messages.length}`, message: messages.join("; ") };
  return problems.length === 0 ? verdict("pass", "ok", shown) : verdict("fail", problems.join("; "), shown);
}

function isRefusedBySchema({ diagnostics }: Constraint): boolean {
  return diagnostics.some((d: Diagnostic) => d.code === "GATEKEEPER_SCHEMA");
}

function invalidVerdict({ template, constraint }: Prepared): Verdict {
  const shown = { expected: "invalid", actual: isRefusedBySchema(constraint) ? "invalid" : "valid" };
  if (template?.problem !== undefined) return verdict("fail", template.problem, shown);
  if (isRefusedBySchema(constraint)) return verdict("pass", "ok", shown);
  return verdict("fail", constraint.problem ?? "the schema of the template accepts the constraint", shown);
}

function attempt(work: () => Verdict): Verdict {
  try {
    return work();
  } catch (failure) {
    if (failure instanceof SuiteFailure || failure instanceof ExpansionFailure) return verdict("fail", failure.message);
    throw failure;
  }
}

function rowsOf(test: JsonObject, index: number, context: SuiteContext): readonly TestRow[] {
  const { document } = context;
  const name = textOf(test["name"]);
  const row = (test: string, resource: string, path: readonly (string | number)[], judged: Verdict): TestRow => ({
    file: document.file,
    test,
    policy: name,
    rule: "",
    resource,
    ...judged,
    location: document.locate(path),
  });
  const path = ["tests", index];
  if (test["skip"] === true) return [row(name, "", path, verdict("skip", "the test is skipped"))];
  let prepared: Prepared | undefined;
  const ready = attempt(() => {
    prepared = prepare(test, context);
    if (test["invalid"] === true) return invalidVerdict(prepared);
    const { problem } = prepared.constraint;
    return problem === undefined ? verdict("pass", "ok") : verdict("fail", problem);
  });
  const usable = prepared;
  const cases = listOf(test["cases"]).filter(isObject);
  if (usable === undefined || test["invalid"] === true || cases.length === 0) return [row(name, "", path, ready)];
  return cases.map((spec, i) => {
    const title = `${name}/${textOf(spec["name"])}`;
    const place = [...path, "cases", i];
    const object = textOf(spec["object"]);
    if (spec["skip"] === true) return row(title, object, place, verdict("skip", "the case is skipped"));
    return row(title, object, place, ready.outcome === "fail" ? ready : attempt(() => runCase(spec, usable, context)));
  });
}

/** Runs a suite; undefined: none of its tests is selected. */
export function runSuite(document: SourceDocument, request: TestRequest, documents: TestDocuments): TestOutcome | undefined {
  const report = new DocumentReport(document);
  reportShape(document.value, suiteShape, [], report);
  const context: SuiteContext = { document, documents, request };
  const tests = listOf(member(document.value, "tests")).filter(isObject);
  const skipped = member(document.value, "skip") === true;
  const rows = tests
    .flatMap((test, i) => rowsOf(skipped ? { ...test, skip: true } : test, i, context))
    .filter(
      (row) =>
        request.selection({ policy: row.policy, rule: "", resources: row.resource === "" ? [] : [row.resource] }) !== undefined,
    );
  const name = isKubernetesObject(document.value) ? nameOf(document.value) : "";
  if (rows.length === 0 && tests.length > 0) return undefined;
  return { file: document.file, name: name || document.file, rows, diagnostics: report.diagnostics };
}
