import type { Action, Subject } from "../core/action.ts";
import { type ApiResources, apiResources } from "../core/api-resources.ts";
import { crdResources } from "../core/crd.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Fact, Facts, GlobalContextNeed, Need } from "../core/facts.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { isKubernetesObject, type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { compileJmesPath, NotFound } from "../languages/jmespath/index.ts";
import { reportShape } from "../policies/kyverno/report.ts";
import { type CompiledPolicies, compilePolicies, type PolicyDocument } from "./policies.ts";
import { scannedFacts } from "./scanned-facts.ts";
import { type ObjectDocument, scannedObjects } from "./scanned-objects.ts";
import type { TestDocuments } from "./test-documents.ts";
import { readTestSpec, type TestSpec, valuesShape } from "./test-spec.ts";
import { readTestValues, readUserInfo, type TestValues } from "./test-values.ts";

/** A test with everything that it names, loaded. */
/** What a test judges in place of an object. */
export type Payload = Pick<Action, "payload" | "payloadKind">;

interface StandIn {
  readonly document: ObjectDocument;
  readonly payload: Payload;
}

export interface TestWorld {
  readonly spec: TestSpec;
  readonly policies: CompiledPolicies;
  /** What the policies judge; of several with the same name the first. */
  readonly objects: readonly ObjectDocument[];
  /** What some of the objects only stand for: documents that need not be Kubernetes objects. */
  readonly payloads: ReadonlyMap<KubernetesObject, Payload>;
  /** What mutate-existing rules may change. */
  readonly targets: readonly ObjectDocument[];
  readonly values: TestValues;
  readonly actor: Subject | undefined;
  readonly resources: ApiResources;
  /** Answers from what the test gives; `sources` are objects to clone from. */
  facts(sources: readonly KubernetesObject[]): Facts;
  readonly diagnostics: readonly Diagnostic[];
}

const mapFields = new Set(["annotations", "labels", "matchLabels", "nodeSelector", "data", "stringData"]);

/** Maps that are written without a value are empty maps. */
function withoutNullMaps(value: JsonValue): JsonValue {
  if (isArray(value)) return value.some((v) => typeof v === "object") ? value.map(withoutNullMaps) : value;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      item === null && mapFields.has(key) ? {} : item === undefined ? undefined : withoutNullMaps(item),
    ]),
  );
}

function loadObjects(
  documents: readonly SourceDocument[],
  resources: ApiResources,
  diagnostics: Diagnostic[],
): readonly ObjectDocument[] {
  const scanned = scannedObjects(documents, "default", resources);
  diagnostics.push(...scanned.diagnostics.filter((d) => d.severity === "error"));
  const unique = new Map<string, ObjectDocument>();
  for (const document of scanned.objects) {
    const { group, kind, namespace, name } = resourceRef(document.value);
    const key = `${group}|${kind}|${namespace}|${name}`;
    const value = withoutNullMaps(document.value);
    if (!unique.has(key) && isKubernetesObject(value)) {
      const { file, index } = document;
      const locate: SourceDocument["locate"] = (path) => document.locate(path);
      unique.set(key, { file, index, value, locate, locateKey: (path) => document.locateKey(path) });
    }
  }
  return [...unique.values()];
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

/** Objects, images and custom resource definitions that `ClusterResource` and `Context` files give. */
interface Cluster {
  readonly given: boolean;
  readonly objects: readonly KubernetesObject[];
  /** What registries say, by reference. */
  readonly images: ReadonlyMap<string, JsonValue>;
  readonly definitions: readonly KubernetesObject[];
}

function loadCluster(spec: TestSpec, documents: TestDocuments, diagnostics: Diagnostic[]): Cluster {
  const { file } = spec.document;
  const contexts = spec.context === undefined ? [] : [spec.context];
  const paths = [...spec.clusterResources, ...contexts];
  const specs = documents.beside(file, paths, diagnostics).map((d) => member(d.value, "spec"));
  const images = specs.flatMap((s) => listOf(member(s, "images")));
  const crds = specs.flatMap((s) => listOf(member(s, "crds"))).filter((path) => typeof path === "string");
  const definitions = documents.beside(file, crds, diagnostics).map((d) => d.value);
  return {
    given: paths.length > 0,
    images: new Map(images.map((image) => [asString(member(image, "image")) ?? "", image])),
    objects: specs.flatMap((s) => listOf(member(s, "resources"))).filter(isKubernetesObject),
    definitions: definitions.filter(isKubernetesObject),
  };
}

function mockedCall(spec: TestSpec, need: Need): Fact | undefined {
  if (need.kind !== "api-call" && need.kind !== "http-call") return undefined;
  const address = need.kind === "api-call" ? need.path : need.url;
  const entry = spec.apiCallResponses.find((mock) => {
    const url = (asString(member(mock, "url")) || asString(member(mock, "urlPath")) || "").trim();
    const method = (asString(member(mock, "method")) ?? "").trim().toUpperCase();
    return url === address && (method === "" || method === need.method);
  });
  if (entry === undefined) return undefined;
  const response = member(entry, "response");
  const status = member(response, "statusCode") ?? 200;
  if (typeof status === "number" && status >= 200 && status < 300) {
    return { ok: true, value: member(response, "body") ?? null };
  }
  return { ok: false, message: `HTTP ${String(status)} from the test's apiCallResponses` };
}

function search(expression: string, data: JsonValue): JsonValue {
  const program = compileJmesPath(expression);
  if (!program.ok) throw new Error(program.diagnostics.map((d) => d.message).join("; "));
  const value = program.value(data, { now: () => 0, random: () => 0 });
  return value instanceof NotFound ? null : value;
}

function globalContext(spec: TestSpec, { name, projection }: GlobalContextNeed, documents: TestDocuments): Fact {
  const entry = spec.globalContextEntries.find((e) => member(e, "name") === name);
  if (entry === undefined) return { ok: false, message: `the test gives no global context entry ${name}` };
  const files = listOf(member(entry, "resourceFiles")).filter((path) => typeof path === "string");
  const fromFiles = documents.beside(spec.document.file, files, []).map((d) => d.value);
  const data = member(entry, "data") ?? member(entry, "resources") ?? fromFiles;
  const fieldPath = asString(member(entry, "fieldPath")) ?? "";
  const projections = listOf(member(entry, "projections"));
  try {
    const root = fieldPath === "" ? data : search(fieldPath, data);
    const projected = projections.map((p) => [
      asString(member(p, "name")) ?? "",
      search(asString(member(p, "path")) ?? "", root),
    ]);
    const value: JsonValue = projections.length === 0 ? root : Object.fromEntries(projected);
    const wanted = projection === undefined ? value : member(value, projection);
    return wanted === undefined
      ? { ok: false, message: `global context entry ${name} has no projection ${projection}` }
      : { ok: true, value: wanted };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Answers from the test alone; without `clusterResources` or a `context` there is no cluster to ask. */
function testFacts(spec: TestSpec, documents: TestDocuments, cluster: Cluster, values: TestValues, known: Facts): Facts {
  return {
    get(need) {
      const mocked = mockedCall(spec, need);
      if (mocked !== undefined) return mocked;
      if (need.kind === "global-context") return globalContext(spec, need, documents);
      const image = need.kind === "image" ? cluster.images.get(need.reference) : undefined;
      const namespace = need.kind === "namespace" ? values.namespaces.get(need.name) : undefined;
      if (namespace !== undefined) return { ok: true, value: namespace };
      if (image !== undefined) return { ok: true, value: image };
      if (need.kind === "objects" || need.kind === "signed-message" || cluster.given) return known.get(need);
      if (need.kind === "image" || need.kind === "image-verification") {
        return { ok: false, message: `the test says nothing about the image ${need.reference}` };
      }
      const what = need.kind === "api-call" || need.kind === "http-call" ? "apiCallResponses" : "values";
      return { ok: false, message: `the test gives no clusterResources and no ${what} that would answer this` };
    },
  };
}

function loadValues(spec: TestSpec, documents: TestDocuments, diagnostics: Diagnostic[]): JsonObject {
  if (spec.values !== undefined || spec.variables === undefined) return spec.values ?? {};
  const [document] = documents.beside(spec.document.file, [spec.variables], diagnostics);
  if (document === undefined || !isObject(document.value)) return {};
  const { report } = readTestSpec({ ...document, value: {} });
  reportShape(document.value, valuesShape, [], report);
  diagnostics.push(...report.diagnostics);
  return document.value;
}

/** An object with the name of a payload's file, by which tests speak of it. */
function standIn(document: SourceDocument, payloadKind?: Action["payloadKind"]): StandIn {
  const name = document.file.slice(document.file.lastIndexOf("/") + 1);
  const value = { apiVersion: "", kind: "", metadata: { name } };
  const { file, index } = document;
  const locate: SourceDocument["locate"] = (path) => document.locate(path);
  return {
    document: { file, index, value, locate, locateKey: (path) => document.locateKey(path) },
    payload: { payload: document.value, payloadKind },
  };
}

/** Loads everything a test names. `builtIn` are the resources that every cluster has. */
export function loadTestWorld(spec: TestSpec, documents: TestDocuments, builtIn: ApiResources): TestWorld {
  const diagnostics: Diagnostic[] = [];
  const { file } = spec.document;
  const cluster = loadCluster(spec, documents, diagnostics);
  const resources =
    cluster.definitions.length === 0
      ? builtIn
      : (builtIn.schemas?.withCustomResources(cluster.definitions).resources() ??
        apiResources([...builtIn.all(), ...cluster.definitions.flatMap(crdResources)]));
  const load = (paths: readonly string[]) => loadObjects(documents.beside(file, paths, diagnostics), resources, diagnostics);
  const payloadsAt = (paths: readonly string[], kind?: Action["payloadKind"]) =>
    documents.beside(file, paths, diagnostics).map((document) => standIn(document, kind));
  const payloads = [
    ...payloadsAt(spec.jsonPayloads),
    ...payloadsAt(spec.httpPayloads, "http"),
    ...payloadsAt(spec.envoyPayloads, "envoy"),
  ];
  const objects = [...load(spec.resources), ...payloads.map(({ document }) => document)];
  const targets = load(spec.targetResources);
  const params = load(spec.paramResources);
  const exceptions = documents
    .beside(file, spec.exceptions, diagnostics)
    .filter((d): d is PolicyDocument => isKubernetesObject(d.value));
  const policies = compilePolicies(documents.beside(file, spec.policies, diagnostics), resources, exceptions);
  const users = spec.userInfo === undefined ? [] : documents.beside(file, [spec.userInfo], diagnostics);
  const all = [...objects, ...targets, ...params].map((d) => d.value);
  const values = readTestValues(loadValues(spec, documents, diagnostics));
  return {
    spec,
    policies,
    objects,
    payloads: new Map(payloads.map(({ document, payload }) => [document.value, payload])),
    targets,
    values,
    actor: users[0] === undefined ? undefined : readUserInfo(users[0].value),
    resources,
    facts: (sources) => {
      const world = { objects: [...sources, ...cluster.objects, ...all], resources, complete: true };
      return testFacts(spec, documents, cluster, values, scannedFacts(world));
    },
    diagnostics: [...diagnostics, ...policies.diagnostics],
  };
}
