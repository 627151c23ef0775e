import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadKubernetesSchemas } from "../../../src/adapters/files/catalog.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { expansionsOf } from "../../../src/policies/gatekeeper/expansion.ts";
import { isMutator, mutatorsOf } from "../../../src/policies/gatekeeper/mutation/system.ts";
import { gatekeeperWorld } from "../../../src/policies/gatekeeper/world.ts";
import { compilePolicies, isPolicyObject } from "../../../src/services/policies.ts";
import { scanObjects } from "../../../src/services/scan-objects.ts";
import { scannedFacts } from "../../../src/services/scanned-facts.ts";
import { type Case, type Corpus, expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { suiteCases } from "../gatekeeper-suites.ts";

type ObjectDocument = SourceDocument<KubernetesObject>;

const host = { now: () => Date.now(), random: () => Math.random() };
const resources = loadKubernetesSchemas().resources();

const isObjectDocument = (document: SourceDocument): document is ObjectDocument => isKubernetesObject(document.value);

/** The objects of files and of the YAML and JSON files of folders; undefined: one cannot be read. */
function objectsIn(paths: readonly string[]): readonly ObjectDocument[] | undefined {
  const all: ObjectDocument[] = [];
  for (const path of paths) {
    const files = /\.(?:ya?ml|json)$/.test(path)
      ? [path]
      : readdirSync(path)
          .sort()
          .map((name) => join(path, name));
    for (const file of files.filter((name) => /\.(?:ya?ml|json)$/.test(name))) {
      const { documents, diagnostics } = parseDocuments(readFileSync(file, "utf8"), file);
      if (diagnostics.some((d) => d.severity === "error")) return undefined;
      all.push(...documents.filter(isObjectDocument));
    }
  }
  return all;
}

interface Judged {
  readonly messages: readonly string[];
  readonly denied: boolean;
}

/** Judges everything by everything, as `gator test` does; undefined: something cannot be read or compiled. */
function judge(paths: readonly string[]): Judged | undefined {
  const documents = objectsIn(paths);
  if (documents === undefined) return undefined;
  const policies = compilePolicies(
    documents.filter(({ value }) => isPolicyObject(value)),
    resources,
  );
  if (policies.diagnostics.some((d) => d.severity === "error")) return undefined;
  const facts = scannedFacts({ objects: documents.map((d) => d.value), resources, complete: false });
  const { findings } = scanObjects({
    objects: documents,
    policies: policies.set,
    resources,
    facts,
    host,
    passes: false,
    workloads: undefined,
  });
  const enforced = policies.set.policies.filter((policy) => policy.rules.some((rule) => rule.enforcement("", {}) === "enforce"));
  const names = new Set(enforced.map(({ id }) => `${id.group}/${id.kind}/${id.name}`));
  return { messages: findings.map((f) => f.message), denied: findings.some((f) => names.has(f.check.policy)) };
}

interface GatorTest {
  readonly name: string;
  readonly paths: readonly string[];
  /** Undefined: it must be refused. */
  readonly messages: readonly string[] | undefined;
  readonly denied?: boolean;
}

const probe = "Container <tomcat> in your <Pod> <test-pod1> has no <readinessProbe>";

/** What test/gator/test/test.bats of Gatekeeper asks of `gator test`, but for its input from OCI images. */
const gatorTests: readonly GatorTest[] = [
  { name: "no violations", paths: ["manifests/with-policies/no-violations.yaml"], messages: [], denied: false },
  { name: "no violations, 2", paths: ["manifests/with-policies/no-violations-2.yaml"], messages: [], denied: false },
  { name: "violations", paths: ["manifests/with-policies/with-violations.yaml"], messages: [probe] },
  { name: "Rego v1", paths: ["manifests/with-policies/with-violations-rego-v1.yaml"], messages: [""] },
  { name: "several paths", paths: ["manifests/no-policies/with-violations.yaml", "policies/default"], messages: [probe] },
  {
    name: "several paths, none",
    paths: ["policies/default", "manifests/no-policies/no-violations.yaml"],
    messages: [],
    denied: false,
  },
  { name: "invalid template", paths: ["manifests/invalid-resources/template.yaml"], messages: undefined },
  { name: "invalid constraint", paths: ["manifests/invalid-resources/constraint.yaml"], messages: undefined },
  { name: "extensions", paths: ["manifests/different-extensions"], messages: [probe] },
  {
    name: "enforcementAction deny",
    paths: [
      "policies/default/template_k8srequiredprobes.yaml",
      "policies/enforcement_action/k8srequiredprobes/deny.yaml",
      "manifests/no-policies/with-violations.yaml",
    ],
    messages: [probe],
    denied: true,
  },
  {
    name: "enforcementAction of no meaning",
    paths: [
      "policies/default/template_k8srequiredprobes.yaml",
      "policies/enforcement_action/k8srequiredprobes/foo.yaml",
      "manifests/no-policies/with-violations.yaml",
    ],
    messages: [probe],
    denied: false,
  },
  {
    name: "referential data",
    paths: ["policies/default", "manifests/referential-data"],
    messages: ["ingress host conflicts with an existing ingress <example-host.example.com>"],
  },
  { name: "defaults", paths: ["manifests/with-policies/with-violations-and-defaults.yaml"], messages: ["aRequiredMessage"] },
  {
    name: "expansion, namespace not known",
    paths: ["manifests/expansion/expansion-w-ns-selector.yaml"],
    messages: ["[Implied by expand-deployments] "],
  },
  {
    name: "expansion, namespace known",
    paths: ["manifests/expansion/expansion-w-ns-selector.yaml", "manifests/expansion/ns.yaml"],
    messages: ["[Implied by expand-deployments] All pods must have an `owner` label that points to your company username"],
  },
];

function runGatorTest({ paths, messages, denied }: GatorTest, directory: string): Outcome {
  const judged = judge(paths.map((path) => join(directory, "test/gator/test/fixtures", path)));
  if (judged === undefined || messages === undefined) {
    return (judged === undefined) === (messages === undefined)
      ? passed
      : failure(judged === undefined ? "refused" : "not refused");
  }
  const missing = messages.filter((wanted) => !judged.messages.some((message) => message.includes(wanted)));
  if (missing.length > 0) return failure(`nobody says ${JSON.stringify(missing)}, but ${JSON.stringify(judged.messages)}`);
  if (messages.length === 0 && judged.messages.length > 0) return failure(`said ${JSON.stringify(judged.messages)}`);
  return judged.denied === (denied ?? true) ? passed : failure(`denied: ${judged.denied}`);
}

function worldOf(documents: readonly ObjectDocument[]) {
  return gatekeeperWorld({ resources, documents });
}

const namespaced = (object: KubernetesObject, documents: readonly ObjectDocument[]) => {
  const name = namespaceOf(object);
  const found = documents.find(({ value }) => value.kind === "Namespace" && nameOf(value) === name);
  // As gator has it: an object without a namespace is in one without a name, which a scope of Namespaced matches.
  if (name === "") return { name, labels: {} };
  return found === undefined ? { name, labels: {} } : { name, labels: labelsOf(found.value) };
};

/** Go writes the empty uid of an owner; the order of results is that of Go's maps. */
function canonical(objects: readonly JsonValue[]): readonly JsonObject[] {
  const plain = objects.filter(isObject);
  return plain.toSorted((a, b) => (`${a["kind"]}` < `${b["kind"]}` ? -1 : 1));
}

function runExpand(folder: string): Outcome {
  const documents = objectsIn([join(folder, "input")]) ?? [];
  const world = worldOf(documents);
  const mutators = mutatorsOf(world);
  const made = documents.flatMap(({ value }) => {
    const namespace = namespaced(value, documents);
    const isPolicy = isPolicyObject(value);
    if (isPolicy) return [];
    const mutated = mutators.mutate({ object: value, namespace, source: "Original", user: "", operation: "" });
    if (mutated.kind === "failed") throw new Error(mutated.message);
    return expansionsOf(world)
      .expand(mutated.object, namespace)
      .map(({ object }) => object);
  });
  const expected = (objectsIn([join(folder, "output")]) ?? []).map((d) => d.value);
  // The file of one fixture is empty: it says only that nothing fails.
  if (expected.length === 0) return passed;
  return expectJson(canonical(made), canonical(expected));
}

/** A sample of mutation: every mutator is used, and a second run changes nothing. */
function runMutation(paths: readonly string[]): Outcome {
  const documents = objectsIn(paths) ?? [];
  const compiled = compilePolicies(
    documents.filter(({ value }) => isMutator(value)),
    resources,
  );
  const problems = compiled.diagnostics.filter((d) => d.severity === "error").map((d) => d.message);
  if (problems.length > 0) return failure(problems.join("; "));
  const mutators = mutatorsOf(worldOf(documents));
  for (const { value } of documents.filter((d) => !isMutator(d.value))) {
    const mutable = {
      object: value,
      namespace: namespaced(value, documents),
      source: "Original",
      user: "",
      operation: "",
    } as const;
    const first = mutators.mutate(mutable);
    if (first.kind === "failed") return failure(first.message);
    const second = mutators.mutate({ ...mutable, object: first.object });
    if (second.kind === "failed" || second.applied.size > 0) return failure("a second run changes the object again");
  }
  return passed;
}

function* mutationSamples(directory: string): Iterable<Case> {
  const root = join(directory, "mutation/pod-security-policy");
  for (const name of existsSync(root) ? readdirSync(root).sort() : []) {
    const samples = join(root, name, "samples");
    const mutators = readdirSync(samples).filter((file) => file.endsWith(".yaml"));
    const folders = readdirSync(samples).filter((file) => !file.endsWith(".yaml"));
    for (const mutator of mutators) {
      const paths = [join(samples, mutator), ...folders.map((folder) => join(samples, folder))];
      yield { id: `mutation/${name}/${mutator}`, run: () => runMutation(paths) };
    }
  }
}

/** Mutators of external data: one is right, the others must be refused. */
function runExternal(folder: string, file: string): Outcome {
  const paths = file === "schema_conflict.yaml" ? ["valid.yaml", file] : [file];
  const documents = (objectsIn(paths.map((path) => join(folder, path))) ?? []).filter(({ value }) => isMutator(value));
  const { diagnostics } = compilePolicies(documents, resources);
  const refused = diagnostics.some((d) => d.severity === "error");
  return refused === (file !== "valid.yaml") ? passed : failure(diagnostics.map((d) => d.message).join("; ") || "not refused");
}

/** Templates in Rego, in CEL, and in both. */
function runBench(folder: string): Outcome {
  const judged = judge(["template.yaml", "constraint.yaml", "resources.yaml"].map((name) => join(folder, name)));
  if (judged === undefined) return failure("refused");
  return isArray(judged.messages) ? passed : failure("nothing judged");
}

/** Gatekeeper's own fixtures of its command line, of mutation and of expansion. */
export const corpus: Corpus = {
  name: "gatekeeper-gator",
  async *cases(directory): AsyncIterable<Case> {
    yield* suiteCases(join(directory, "test/gator/verify/suite.yaml"), directory);
    for (const test of gatorTests) yield { id: `test/${test.name}`, run: () => runGatorTest(test, directory) };
    const expand = join(directory, "test/gator/expand/fixtures");
    for (const name of readdirSync(expand).sort()) yield { id: `expand/${name}`, run: () => runExpand(join(expand, name)) };
    yield* mutationSamples(directory);
    const external = join(directory, "test/externaldata/dummy-provider/mutation");
    for (const file of readdirSync(external).sort()) yield { id: `externaldata/${file}`, run: () => runExternal(external, file) };
    const bench = join(directory, "test/gator/bench");
    for (const name of readdirSync(bench).sort()) yield { id: `bench/${name}`, run: () => runBench(join(bench, name)) };
  },
};
