import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member, valueAt } from "../../../src/core/json.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { readYaml } from "../../../src/core/yaml/read-yaml.ts";
import { formatIssue } from "../../../src/languages/rego/issue.ts";
import { compileSources, formatEvaluationError } from "../../../src/languages/rego/program.ts";
import { toJson } from "../../../src/languages/rego/values/json.ts";
import { fromJson, RegoObject } from "../../../src/languages/rego/values/value.ts";
import { exists } from "../corpora.ts";
import { type Corpus, expectJson, failure, type Outcome, skipped } from "../corpus.ts";

const host = { now: () => Date.now(), random: () => 0 };

async function json(path: string): Promise<JsonValue> {
  const loaded = readYaml(await readFile(path, "utf8"));
  if (!loaded.ok) throw new Error(`${path}: ${loaded.diagnostics[0]?.message}`);
  return loaded.value;
}

/** All objects of a test, as one list; what a node reports about itself is given the metadata that Kubescape adds. */
async function inputOf(folder: string): Promise<readonly JsonValue[]> {
  const objects: JsonValue[] = [];
  if (!(await exists(folder))) return objects;
  for (const file of (await readdir(folder)).sort()) {
    // Lists in JSON files stay lists.
    const values = file.endsWith(".json")
      ? [await json(join(folder, file))]
      : parseDocuments(await readFile(join(folder, file), "utf8"), file).documents.map(({ value }) => value);
    for (const value of values) {
      if (isArray(value)) objects.push(...value);
      else if (value !== null) objects.push(value);
    }
  }
  return objects.map((object) =>
    isObject(object) && member(object, "metadata") === undefined ? { ...object, metadata: {} } : object,
  );
}

/** What rules call of Kubescape's own library. */
const library = `package cautils

import rego.v1

list_contains(list, element) if element in list

unix_permissions_allow(allowed, actual) if bits.and(allowed, actual) == actual
`;

/** Every pair of a binding and its role becomes one object for each subject, as Kubescape hands them to some rules. */
function bySubject(objects: readonly JsonValue[]): readonly JsonValue[] {
  const ofKind = (end: string) => objects.filter((object) => asString(member(object, "kind"))?.endsWith(end) === true);
  return ofKind("Binding").flatMap((binding) => {
    const ref = member(binding, "roleRef");
    const isRole = (role: JsonValue) =>
      member(role, "kind") === member(ref, "kind") && valueAt(role, ["metadata", "name"]) === member(ref, "name");
    return ofKind("Role")
      .filter(isRole)
      .flatMap((role) =>
        list(binding, "subjects").map((subject) => ({ ...(isObject(subject) ? subject : {}), relatedObjects: [binding, role] })),
      );
  });
}

function aggregated(aggregator: string | undefined, objects: readonly JsonValue[]): readonly JsonValue[] {
  if (aggregator === "subject-role-rolebinding") return bySubject(objects);
  if (aggregator !== "apiserver-pod") return objects;
  const isApiServer = (object: JsonValue) =>
    asString(valueAt(object, ["metadata", "name"]))?.startsWith("kube-apiserver") === true;
  return objects.filter((object) => member(object, "kind") !== "Pod" || isApiServer(object));
}

function list(alert: JsonValue, name: string): readonly JsonValue[] {
  const value = member(alert, name);
  return isArray(value) ? value : [];
}

/** What Kubescape keeps of an alert; the names of its fields are read without regard to case. */
function alertOf(alert: JsonValue): JsonObject {
  const about = member(alert, "alertObject");
  const entries = isObject(about) ? Object.entries(about) : [];
  const objects = entries.find(([name]) => name.toLowerCase() === "k8sapiobjects")?.[1];
  const external = member(about, "externalObjects");
  const named = (object: JsonValue): JsonValue => [
    asString(member(object, "kind")) ?? "",
    asString(valueAt(object, ["metadata", "name"])) ?? asString(member(object, "name")) ?? "",
  ];
  const fixes = list(alert, "fixPaths").map((fix) => [member(fix, "path") ?? "", member(fix, "value") ?? ""]);
  return {
    message: member(alert, "alertMessage") ?? "",
    failed: list(alert, "failedPaths"),
    review: list(alert, "reviewPaths"),
    remove: list(alert, "deletePaths"),
    fixes,
    objects: [...(isArray(objects) ? objects : []).map(named), ...(external === undefined ? [] : [named(external)])],
  };
}

function sorted(alerts: readonly JsonValue[]): readonly JsonValue[] {
  const text = (alert: JsonValue): string => JSON.stringify(alert);
  return alerts.map(alertOf).sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

async function judge(rule: string, test: string): Promise<Outcome> {
  const source = await readFile(join(rule, "raw.rego"), "utf8");
  const program = compileSources([
    { file: "raw.rego", source },
    { file: "cautils.rego", source: library },
  ]);
  if (!program.ok) {
    const missing = program.issues.every(({ message }) => /^undefined function data\.(cautils|kubernetes)\./.test(message));
    if (missing) return skipped("it uses a library of Kubescape that is not part of the corpus");
    return failure(program.issues.map(formatIssue).join("; "));
  }
  const metadata = await json(join(rule, "rule.metadata.json"));
  const aggregator = asString(valueAt(metadata, ["attributes", "resourcesAggregator"]));
  const dataFile = join(test, "data.json");
  if (source.includes("data.postureControlInputs") && !(await exists(dataFile))) {
    return skipped("it uses Kubescape's default configuration, which is not part of the corpus");
  }
  const data = (await exists(dataFile)) ? await json(dataFile) : {};
  const input = aggregated(aggregator, await inputOf(join(test, "input")));
  const expected = await json(join(test, "expected.json"));
  const evaluated = program.value.rule(["armo_builtins"]).evaluate({
    input: fromJson(input),
    data: RegoObject.fromJson(isObject(data) ? data : {}),
    host,
  });
  if (!evaluated.ok) return failure(formatEvaluationError(evaluated.error));
  const documents = evaluated.value === undefined ? {} : toJson(evaluated.value);
  // Every list of alerts in the package counts, whatever its rule is called.
  const alerts = isObject(documents) ? Object.values(documents).flatMap((own) => (isArray(own) ? own : [])) : [];
  const found = alerts.filter((alert) => member(alert, "alertMessage") !== undefined);
  return expectJson(sorted(found), sorted(isArray(expected) ? expected : []));
}

/** Kubescape's rules: plain Rego of its own convention, with objects and the alerts that they give. */
export const corpus: Corpus = {
  name: "kubescape-rego",
  async *cases(directory) {
    const rules = join(directory, "rules");
    for (const rule of (await readdir(rules)).sort()) {
      const tests = join(rules, rule, "test");
      if (!(await exists(tests))) continue;
      for (const test of (await readdir(tests)).sort()) {
        const folder = join(tests, test);
        if (!(await exists(join(folder, "expected.json")))) continue;
        yield { id: `${rule}/${test}`, run: () => judge(join(rules, rule), folder) };
      }
    }
  },
};
