import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals, member } from "../../../src/core/json.ts";
import { formatSpan } from "../../../src/core/source.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import {
  compileRego,
  formatEvaluationError,
  fromJson,
  RegoObject,
  type RegoProgram,
  RegoSet,
  toJson,
} from "../../../src/languages/rego/index.ts";
import { type Case, type Corpus, failure, type Outcome, passed, skipped } from "../corpus.ts";

const host = { now: () => Date.now(), random: () => Math.random() };

const parseJson = (path: string): JsonValue => JSON.parse(readFileSync(path, "utf8"));

/** Kubescape's runner gives every object metadata, and leaves lists as they are. */
function asGiven(object: JsonValue): JsonValue {
  return isObject(object) && object["metadata"] === undefined ? { ...object, metadata: {} } : object;
}

/** Every object of the input, in the order of the names of their files. */
function inputOf(folder: string): readonly JsonValue[] {
  const objects = readdirSync(folder)
    .sort()
    .flatMap((file): readonly JsonValue[] => {
      const path = join(folder, file);
      if (!file.endsWith(".json")) return parseDocuments(readFileSync(path, "utf8"), file).documents.map((d) => d.value);
      const parsed = parseJson(path);
      return isArray(parsed) ? parsed : [parsed];
    });
  return objects.map(asGiven);
}

function dataOf(folder: string): RegoObject {
  const given = join(folder, "data.json");
  const data = existsSync(given) ? parseJson(given) : {};
  return isObject(data) ? RegoObject.fromJson(data) : RegoObject.empty;
}

/** Every pair of a binding and its role becomes one object for each subject, as Kubescape hands them to some rules. */
function bySubject(objects: readonly JsonValue[]): readonly JsonValue[] {
  const ofKind = (end: string) => objects.filter((object) => String(member(object, "kind")).endsWith(end));
  return ofKind("Binding").flatMap((binding) => {
    const ref = member(binding, "roleRef");
    const isRole = (role: JsonValue) =>
      member(role, "kind") === member(ref, "kind") && member(member(role, "metadata"), "name") === member(ref, "name");
    const subjects = member(binding, "subjects");
    return ofKind("Role")
      .filter(isRole)
      .flatMap((role) =>
        (isArray(subjects) ? subjects : []).map((subject) => ({
          ...(isObject(subject) ? subject : {}),
          relatedObjects: [binding, role],
        })),
      );
  });
}

function aggregated(ruleFolder: string, objects: readonly JsonValue[]): readonly JsonValue[] {
  const attributes = member(parseJson(join(ruleFolder, "rule.metadata.json")), "attributes");
  const aggregator = member(attributes, "resourcesAggregator");
  if (aggregator === "subject-role-rolebinding") return bySubject(objects);
  if (aggregator !== "apiserver-pod") return objects;
  const isApiServer = (object: JsonValue) =>
    member(object, "kind") === "Pod" && String(member(member(object, "metadata"), "name")).startsWith("kube-apiserver");
  return objects.filter((object) => member(object, "kind") !== "Pod" || isApiServer(object));
}

/** What Kubescape's own library holds that rules call. */
const library = `package cautils

import rego.v1

list_contains(list, element) if element in list

unix_permissions_allow(allowed, actual) if bits.and(allowed, actual) == actual
`;

const programs = new Map<string, RegoProgram | string>();

function compiled(ruleFolder: string): RegoProgram | string {
  const known = programs.get(ruleFolder);
  if (known !== undefined) return known;
  const source = readFileSync(join(ruleFolder, "raw.rego"), "utf8");
  const program = compileRego([
    { file: "raw.rego", source, version: /^import rego\.v1$/m.test(source) ? 1 : 0 },
    { file: "cautils.rego", source: library },
  ]);
  const result = program.ok
    ? program.value
    : program.diagnostics.map((d) => `${d.span === undefined ? "" : formatSpan(d.span)} ${d.message}`).join("; ");
  programs.set(ruleFolder, result);
  return result;
}

/** Only Kubescape's own engine has these, and calls by them into its own services. */
const foreign = ["cosign.", "image.parse_normalized_name", "image.dockerfile"];

/** What of an alert the rule itself says; the rest is added by Kubescape. */
function essence(alert: JsonValue): JsonObject {
  const { alertMessage, failedPaths, fixPaths, reviewPaths, deletePaths } = isObject(alert) ? alert : {};
  const list = (paths: JsonValue | undefined): readonly JsonValue[] => (isArray(paths) ? paths : []);
  return {
    alertMessage: alertMessage ?? "",
    failedPaths: list(failedPaths),
    fixPaths: list(fixPaths),
    reviewPaths: list(reviewPaths),
    deletePaths: list(deletePaths),
  };
}

function outcome(testFolder: string): Outcome {
  const ruleFolder = dirname(dirname(testFolder));
  const program = compiled(ruleFolder);
  if (typeof program === "string") {
    const missing = foreign.find(
      (name) => program.includes(name) || readFileSync(join(ruleFolder, "raw.rego"), "utf8").includes(name),
    );
    return missing === undefined ? failure(program) : skipped(`Kubescape's own builtin ${missing}`);
  }
  const source = readFileSync(join(ruleFolder, "raw.rego"), "utf8");
  if (!existsSync(join(testFolder, "input"))) return skipped("the corpus holds no input for it");
  if (source.includes("data.postureControlInputs") && !existsSync(join(testFolder, "data.json"))) {
    return skipped("the rule's settings are Kubescape's defaults, which the corpus does not hold");
  }
  const input = aggregated(ruleFolder, inputOf(join(testFolder, "input")));
  // Kubescape takes the alerts of all rules of the package, whatever their names.
  const evaluated = program.rule(["armo_builtins"]).evaluate({
    input: fromJson(input),
    data: dataOf(testFolder),
    host,
  });
  if (!evaluated.ok) return failure(formatEvaluationError(evaluated.error));
  const { value } = evaluated;
  const sets = (value instanceof RegoObject ? value.sorted() : []).map((rule) => rule.value);
  const alerts = sets
    .flatMap((set) => (set instanceof RegoSet ? set.sorted().map(toJson) : []))
    .filter((alert) => member(alert, "alertMessage") !== undefined)
    .map(essence);
  const expected = parseJson(join(testFolder, "expected.json"));
  const wanted = (isArray(expected) ? expected : []).map(essence);
  const rest = [...wanted];
  for (const alert of alerts) {
    const at = rest.findIndex((one) => jsonEquals(one, alert));
    if (at < 0)
      return failure(`unexpected ${JSON.stringify(alert).slice(0, 300)}; expected ${JSON.stringify(rest).slice(0, 300)}`);
    rest.splice(at, 1);
  }
  return rest.length === 0 ? passed : failure(`missing ${JSON.stringify(rest).slice(0, 400)}`);
}

/** Kubescape's rules: plain Rego whose `deny` holds alerts about the objects of the input. */
export const corpus: Corpus = {
  name: "kubescape-rego",
  async *cases(directory): AsyncIterable<Case> {
    const manifest = readFileSync(join(directory, "MANIFEST.tsv"), "utf8");
    for (const line of manifest.trim().split("\n").slice(1)) {
      const [id = "", path = ""] = line.split("\t");
      yield { id, run: () => outcome(join(directory, dirname(path))) };
    }
  },
};
