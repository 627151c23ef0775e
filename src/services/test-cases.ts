import type { Action, Operation, Subject } from "../core/action.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Instant } from "../core/host.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import {
  formatRef,
  gvkOf,
  isKubernetesObject,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  resourceRef,
} from "../core/kubernetes.ts";
import { formatSpan, type SourceDocument } from "../core/source.ts";
import { type Decision, evaluate, type PolicySet } from "../engine/index.ts";
import { DocumentReport, reportShape } from "../policies/kyverno/report.ts";
import { fields, list, map, type Shape } from "../policies/kyverno/shape.ts";
import type { CompiledPolicy } from "../policies/policy.ts";
import { compilePolicies, type PolicyDocument } from "./policies.ts";
import { scannedFacts } from "./scanned-facts.ts";
import { scannedObjects } from "./scanned-objects.ts";
import { expectationProblems } from "./test-case-expect.ts";
import type { TestDocuments } from "./test-documents.ts";
import { testImagesShape, withTestImages } from "./test-images.ts";
import type { TestOutcome, TestRequest } from "./test-run.ts";
import type { TestRow } from "./test-score.ts";
import { nested } from "./test-values.ts";

const strings = list("string");
const oneOrMore = (shape: Shape): Shape => ({ oneOf: [shape, list(shape)] });

/** One case of our own format; `docs/guide/policy-tests.md` describes it for users. */
const caseShape = fields({
  name: "string",
  policy: "string",
  policies: strings,
  exceptions: strings,
  resource: { oneOf: ["string", map("any")] },
  oldResource: { oneOf: ["string", map("any")] },
  operation: "string",
  subresource: "string",
  at: "string",
  user: fields({ name: "string", groups: strings, roles: strings, clusterRoles: strings }),
  namespaceLabels: map("string"),
  objects: oneOrMore({ oneOf: ["string", map("any")] }),
  variables: map("any"),
  images: testImagesShape,
  expect: fields({
    allowed: "boolean",
    rule: "string",
    status: "string",
    message: "string",
    object: map("any"),
    generated: list(map("any")),
  }),
});

/** Whether a document is a list of cases. */
export function isCaseDocument(value: JsonValue): boolean {
  return isArray(value) && value.length > 0 && value.every((item) => isObject(item) && isObject(item["expect"]));
}

interface CaseContext {
  readonly document: SourceDocument;
  readonly documents: TestDocuments;
  readonly request: TestRequest;
  readonly diagnostics: Diagnostic[];
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  value === undefined || value === null ? [] : isArray(value) ? value : [value];
const stringsOf = (value: JsonValue | undefined): readonly string[] => listOf(value).filter((v) => typeof v === "string");

/** An object as it stands in the case, or the first of the file that the case names. */
function objectsOf(value: JsonValue | undefined, { document, documents, request, diagnostics }: CaseContext) {
  const inline = (item: JsonObject): SourceDocument => ({
    file: document.file,
    index: document.index,
    value: item,
    locate: () => document.locate([]),
    locateKey: () => undefined,
  });
  const found = listOf(value).flatMap((item) => {
    if (typeof item === "string") return documents.beside(document.file, [item], diagnostics);
    return isObject(item) ? [inline(item)] : [];
  });
  const scanned = scannedObjects(found, "default", request.resources);
  diagnostics.push(...scanned.diagnostics.filter((d) => d.severity === "error"));
  return scanned.objects.map((d) => d.value);
}

function readActor(value: JsonValue | undefined): Subject | undefined {
  if (!isObject(value)) return undefined;
  return {
    user: asString(value["name"]) ?? "",
    groups: stringsOf(value["groups"]),
    roles: stringsOf(value["roles"]),
    clusterRoles: stringsOf(value["clusterRoles"]),
  };
}

const operations: readonly Operation[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** `group/resource/subresource`, without the group where it is the core's; undefined: the case is about the object itself. */
function subresourceOf(value: JsonValue | undefined) {
  const [subresource, resource, ...group] = (asString(value) ?? "").split("/").reverse();
  return resource === undefined || subresource === undefined
    ? undefined
    : { resource, subresource, resourceGroup: group.reverse().join("/") };
}

/** The time that a case is at; now where it says none. */
function timeOf(value: JsonValue | undefined, now: Instant): Instant {
  const text = asString(value);
  return text === undefined ? now : Date.parse(text);
}

function actionOf(spec: JsonObject, object: KubernetesObject, old: KubernetesObject | undefined, context: CaseContext): Action {
  const { request } = context;
  const operation = operations.find((o) => o === spec["operation"]) ?? (old === undefined ? "CREATE" : "UPDATE");
  const labels = spec["namespaceLabels"];
  const gvk = gvkOf(object);
  const removed = operation === "DELETE";
  return {
    channel: "scan",
    actor: readActor(spec["user"]),
    operation,
    dryRun: false,
    target: {
      type: "kubernetes",
      ...gvk,
      resource: request.resources.byKind(gvk.group, gvk.kind)?.resource ?? "",
      subresource: "",
      ...subresourceOf(spec["subresource"]),
      namespace: namespaceOf(object),
      name: nameOf(object),
    },
    object: removed ? undefined : object,
    oldObject: removed ? object : (old ?? (operation === "UPDATE" ? object : undefined)),
    namespaceLabels: isObject(labels) ? Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, String(v)])) : {},
    at: timeOf(spec["at"], request.host.now()),
  };
}

function policiesOf(spec: JsonObject, { document, documents, request, diagnostics }: CaseContext): PolicySet {
  const load = (paths: readonly string[]) => documents.beside(document.file, paths, diagnostics);
  const isPolicy = (d: SourceDocument): d is PolicyDocument => isKubernetesObject(d.value);
  const exceptions = load(stringsOf(spec["exceptions"])).filter(isPolicy);
  const policies = compilePolicies(
    load([...stringsOf(spec["policy"]), ...stringsOf(spec["policies"])]),
    request.resources,
    exceptions,
  );
  diagnostics.push(...policies.diagnostics);
  return policies.set;
}

function decide(spec: JsonObject, policies: PolicySet, object: KubernetesObject, context: CaseContext): Decision {
  const { request } = context;
  const [old] = objectsOf(spec["oldResource"], context);
  const objects = [...objectsOf(spec["objects"], context), object];
  const scanned = scannedFacts({ objects, resources: request.resources, complete: true });
  const facts = withTestImages(spec["images"], scanned);
  const variables = spec["variables"];
  const supplied = isObject(variables) ? nested(new Map(Object.entries(variables).map(([k, v]) => [k, v ?? null]))) : undefined;
  const options = { resources: request.resources, passes: true, supplied: supplied === undefined ? undefined : () => supplied };
  const evaluation = evaluate(policies, actionOf(spec, object, old, context), facts, request.host, options);
  if (evaluation.kind === "pending") throw new Error("a case's facts answer every need");
  return evaluation.decision;
}

/** `allowed`: no rule failed or could not be evaluated, whether or not the policy enforces. */
function isAllowed({ counts }: Decision): boolean {
  return counts.fail + counts.error === 0;
}

/** Undefined: the case is not selected. */
function runCase(spec: JsonObject, index: number, context: CaseContext): TestRow | undefined {
  const { document } = context;
  const name = asString(spec["name"]) ?? `case ${index + 1}`;
  const expect = member(spec, "expect");
  const wanted = member(expect, "allowed");
  const row: TestRow = {
    file: document.file,
    test: name,
    policy: [...stringsOf(spec["policy"]), ...stringsOf(spec["policies"])].join(", "),
    rule: asString(member(expect, "rule")) ?? "",
    resource: "",
    expected: wanted === undefined ? (asString(member(expect, "status")) ?? "") : wanted === true ? "allowed" : "denied",
    actual: undefined,
    outcome: "fail",
    reason: "",
    message: "",
    location: document.locate([index]),
  };
  const [object] = objectsOf(spec["resource"], context);
  if (object === undefined) return { ...row, reason: "the case has no resource" };
  if (Number.isNaN(timeOf(spec["at"], 0)))
    return { ...row, reason: `at: ${String(spec["at"])} is no time, as 2026-11-23T09:00:00+01:00` };
  const policies = policiesOf(spec, context);
  const isSelected = ({ id }: CompiledPolicy): boolean =>
    context.request.selection({ policy: id.name, rule: row.rule, resources: [nameOf(object)] }) !== undefined;
  if (policies.policies.length > 0 && !policies.policies.some(isSelected)) return undefined;
  const decision = decide(spec, policies, object, context);
  const [spoken] = decision.results.filter(({ result }) => result.status !== "pass" && result.status !== "skip");
  const problems = expectationProblems(expect, decision);
  return {
    ...row,
    resource: formatRef(resourceRef(object)),
    rule: row.rule || (spoken?.rule.name ?? ""),
    actual: isAllowed(decision) ? "allowed" : "denied",
    outcome: problems.length === 0 ? "pass" : "fail",
    reason: problems.length === 0 ? "ok" : problems.join("; "),
    message: spoken?.result.message ?? "",
  };
}

/** Runs the cases of one document; undefined: none of them is selected. */
export function runCases(document: SourceDocument, request: TestRequest, documents: TestDocuments): TestOutcome | undefined {
  const report = new DocumentReport(document);
  reportShape(document.value, list(caseShape), [], report);
  const diagnostics: Diagnostic[] = [...report.diagnostics];
  const context: CaseContext = { document, documents, request, diagnostics };
  const rows = listOf(document.value)
    .filter(isObject)
    .map((spec, i) => runCase(spec, i, context))
    .filter((row) => row !== undefined);
  return rows.length === 0 ? undefined : { file: document.file, name: document.file, rows, diagnostics: distinct(diagnostics) };
}

/** The cases of a file share policies, and what is wrong with those. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const place = ({ span }: Diagnostic) => (span === undefined ? "" : formatSpan(span));
  return [...new Map(diagnostics.map((d) => [`${d.code} ${place(d)} ${d.message}`, d])).values()];
}
