import type { RuleStatus } from "../core/finding.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../core/json.ts";
import type { SourceDocument } from "../core/source.ts";
import { DocumentReport, reportShape } from "../policies/kyverno/report.ts";
import { fields, list, map, type Shape } from "../policies/kyverno/shape.ts";

/** One expectation of a test: what a rule says about some resources. */
export interface TestEntry {
  /** `name` or `namespace/name` */
  readonly policy: string;
  /** Empty: every rule of the policy. */
  readonly rule: string;
  readonly result: RuleStatus;
  /** Empty: any. */
  readonly kind: string;
  /** `name` or `namespace/name`; empty: all of the test's resources (of that kind). */
  readonly resources: readonly string[];
  readonly operation: TestOperation | undefined;
  /** Files, relative to the test. */
  readonly patchedResources: string | undefined;
  readonly generatedResources: readonly string[];
  readonly cloneSourceResource: string | undefined;
  readonly failOnMissingResources: boolean;
  /** Where it stands in the test. */
  readonly path: JsonPath;
}

export type TestOperation = "CREATE" | "UPDATE" | "DELETE";

/** A `Test` of the Kyverno command line (cli.kyverno.io/v1alpha1), old forms included. Paths are relative to its file. */
export interface TestSpec {
  readonly document: SourceDocument;
  readonly name: string;
  readonly policies: readonly string[];
  readonly resources: readonly string[];
  readonly targetResources: readonly string[];
  readonly exceptions: readonly string[];
  readonly clusterResources: readonly string[];
  /** What the parameters of admission policies are looked for in. */
  readonly paramResources: readonly string[];
  /** The file with values, or the values themselves. */
  readonly variables: string | undefined;
  readonly values: JsonObject | undefined;
  readonly userInfo: string | undefined;
  readonly context: string | undefined;
  readonly apiCallResponses: readonly JsonValue[];
  readonly globalContextEntries: readonly JsonValue[];
  /** Documents that need not be Kubernetes objects: only policies of JSON mode judge those. */
  readonly jsonPayloads: readonly string[];
  /** Requests that an authorizer would be asked about. */
  readonly httpPayloads: readonly string[];
  readonly envoyPayloads: readonly string[];
  readonly results: readonly TestEntry[];
}

const strings = list("string");

const entryShape = fields({
  policy: "string",
  rule: "string",
  result: "string",
  status: "string",
  kind: "string",
  resource: "string",
  namespace: "string",
  resources: strings,
  resourceSpecs: list(map("string")),
  operation: "string",
  patchedResource: "string",
  patchedResources: "string",
  generatedResource: "string",
  generatedResources: strings,
  cloneSourceResource: "string",
  failOnMissingResources: "boolean",
  isValidatingAdmissionPolicy: "boolean",
  isMutatingAdmissionPolicy: "boolean",
  isValidatingPolicy: "boolean",
  isDeletingPolicy: "boolean",
  isImageValidatingPolicy: "boolean",
  isGeneratingPolicy: "boolean",
  isMutatingPolicy: "boolean",
});

/** Values of variables: inline under `values`, or a file of their own. */
export const valuesShape: Shape = fields({
  apiVersion: "string",
  kind: "string",
  metadata: "any",
  globalValues: map("any"),
  policies: list(
    fields({
      name: "string",
      resources: list(fields({ name: "string", values: map("any") })),
      rules: list(fields({ name: "string", values: map("any"), foreachValues: map(list("any")) })),
    }),
  ),
  namespaceSelector: list(fields({ name: "string", labels: map("string") })),
  namespaces: list("any"),
  subresources: list(fields({ subresource: map("any"), parentResource: map("any") })),
});

const testShape = fields({
  apiVersion: "string",
  kind: "string",
  metadata: "any",
  name: "string",
  policies: strings,
  resources: strings,
  jsonPayload: "string",
  jsonPayloads: strings,
  httpPayloads: strings,
  envoyPayloads: strings,
  targetResources: strings,
  variables: "string",
  paramResources: strings,
  userinfo: "string",
  results: list(entryShape),
  values: valuesShape,
  exceptions: strings,
  context: "string",
  clusterResources: strings,
  apiCallResponses: list("any"),
  globalContextEntries: list("any"),
});

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const stringsOf = (value: JsonValue | undefined): readonly string[] => [
  ...new Set(listOf(value).filter((v) => typeof v === "string")),
];
const textOf = (value: JsonValue | undefined): string | undefined => asString(value) || undefined;

const statuses: readonly RuleStatus[] = ["pass", "fail", "warn", "error", "skip"];
const operations: readonly TestOperation[] = ["CREATE", "UPDATE", "DELETE"];

/** Resources by name; the old singular form carries its namespace beside it. */
function entryResources(entry: JsonObject): readonly string[] {
  const named = stringsOf(entry["resources"]);
  const specs = listOf(entry["resourceSpecs"]).map((spec) => {
    const namespace = asString(member(spec, "namespace")) ?? "";
    const name = asString(member(spec, "name")) ?? "";
    return namespace === "" ? name : `${namespace}/${name}`;
  });
  const single = textOf(entry["resource"]);
  if (single === undefined) return [...named, ...specs];
  const namespace = textOf(entry["namespace"]);
  return [namespace === undefined ? single : `${namespace}/${single}`, ...named, ...specs];
}

function readEntry(value: JsonValue, path: JsonPath, report: DocumentReport): TestEntry | undefined {
  if (!isObject(value)) return undefined;
  const policy = textOf(value["policy"]);
  const wanted = value["result"] ?? value["status"];
  const result = statuses.find((s) => s === wanted);
  const operation = textOf(value["operation"]);
  if (policy === undefined) report.error("TEST_INVALID", path, "a result needs the policy that it is about");
  if (result === undefined) {
    report.error("TEST_INVALID", path, `${JSON.stringify(wanted ?? null)} is no result: one of ${statuses.join(", ")}`);
  }
  if (operation !== undefined && !operations.some((o) => o === operation)) {
    report.error("TEST_INVALID", [...path, "operation"], `must be one of ${operations.join(", ")}`);
  }
  if (policy === undefined || result === undefined) return undefined;
  const generated = stringsOf(value["generatedResources"]);
  const single = textOf(value["generatedResource"]);
  return {
    policy,
    rule: textOf(value["rule"]) ?? "",
    result,
    kind: textOf(value["kind"]) ?? "",
    resources: entryResources(value),
    operation: operations.find((o) => o === operation),
    patchedResources: textOf(value["patchedResources"]) ?? textOf(value["patchedResource"]),
    generatedResources: generated.length > 0 || single === undefined ? generated : [single],
    cloneSourceResource: textOf(value["cloneSourceResource"]),
    failOnMissingResources: value["failOnMissingResources"] === true,
    path,
  };
}

/** Whether a document is a test: by its kind, or by what the old form without a kind has. */
export function isTestDocument(value: JsonValue): boolean {
  const kind = member(value, "kind");
  if (kind !== undefined) return kind === "Test";
  return isArray(member(value, "results")) && isArray(member(value, "policies"));
}

/** Reads a test; its problems are diagnostics, and make it fail. */
export function readTestSpec(document: SourceDocument): { readonly spec: TestSpec; readonly report: DocumentReport } {
  const report = new DocumentReport(document);
  const value = isObject(document.value) ? document.value : {};
  reportShape(value, testShape, [], report);
  const results = listOf(value["results"]).map((entry, i) => readEntry(entry, ["results", i], report));
  const metadataName = textOf(member(value["metadata"], "name"));
  const payload = textOf(value["jsonPayload"]);
  const values = value["values"];
  const spec: TestSpec = {
    document,
    name: metadataName ?? textOf(value["name"]) ?? document.file,
    policies: stringsOf(value["policies"]),
    resources: stringsOf(value["resources"]),
    targetResources: stringsOf(value["targetResources"]),
    exceptions: stringsOf(value["exceptions"]),
    clusterResources: stringsOf(value["clusterResources"]),
    paramResources: stringsOf(value["paramResources"]),
    variables: textOf(value["variables"]),
    values: isObject(values) ? values : undefined,
    userInfo: textOf(value["userinfo"]),
    context: textOf(value["context"]),
    apiCallResponses: listOf(value["apiCallResponses"]),
    globalContextEntries: listOf(value["globalContextEntries"]),
    jsonPayloads: [...(payload === undefined ? [] : [payload]), ...stringsOf(value["jsonPayloads"])],
    httpPayloads: stringsOf(value["httpPayloads"]),
    envoyPayloads: stringsOf(value["envoyPayloads"]),
    results: results.filter((entry) => entry !== undefined),
  };
  return { spec, report };
}
