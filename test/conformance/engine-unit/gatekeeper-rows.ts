import { isArray, isObject, type JsonObject, type JsonValue, valueAt } from "../../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject, labelsOf, nameOf } from "../../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { fitsGeneratedName, fitsGlob } from "../../../src/policies/gatekeeper/glob.ts";
import { compileMatch, MatchFailure } from "../../../src/policies/gatekeeper/match.ts";
import {
  appliesToKind,
  appliesToOperation,
  mutatedOperations,
  operationsProblem,
} from "../../../src/policies/gatekeeper/mutation/apply-to.ts";
import { ChangeFailure } from "../../../src/policies/gatekeeper/mutation/change.ts";
import { imagePartsProblem, parseImage } from "../../../src/policies/gatekeeper/mutation/image-parts.ts";
import { compileMutator, mergedSet, prunedSet } from "../../../src/policies/gatekeeper/mutation/mutator.ts";
import { isPrefix, type MutationPath, parsePath } from "../../../src/policies/gatekeeper/mutation/path.ts";
import { scanPath } from "../../../src/policies/gatekeeper/mutation/path-scanner.ts";
import type { ReviewNamespace } from "../../../src/policies/gatekeeper/review.ts";
import { DocumentReport } from "../../../src/policies/kyverno/report.ts";
import { expectJson, failure, type Outcome, passed, skipped } from "../corpus.ts";
import { fieldsAsJson, gatekeeperPlain, matchFields } from "./gatekeeper-go.ts";
import { expectEqual, field, item, type RowJudge, type RowJudges, text } from "./row.ts";

function documentOf(value: KubernetesObject): SourceDocument<KubernetesObject> {
  return { file: "row", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

const noDocument: SourceDocument = { file: "row", index: 0, value: null, locate: () => undefined, locateKey: () => undefined };

/** Judges the row after its Go literals were made plain. */
const onPlain =
  (judge: RowJudge): RowJudge =>
  (row) =>
    judge(gatekeeperPlain(row));

/** As {@link onPlain}, leaving out a member that only Go could run. */
const without =
  (name: string, judge: (row: JsonValue, left: JsonValue) => Outcome): RowJudge =>
  (row) => {
    const { [name]: left, ...rest } = isObject(row) ? row : {};
    return judge(gatekeeperPlain(rest), left ?? null);
  };

function pathOf(source: JsonValue): MutationPath {
  const parsed = parsePath(text(source));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.path;
}

function parser(row: JsonValue): Outcome {
  const parsed = parsePath(text(field(row, "input")));
  const wrong = field(row, "wantErr") !== null;
  if (!parsed.ok || wrong) return expectEqual(!parsed.ok, wrong);
  const steps = parsed.path.map((step) =>
    step.kind === "object"
      ? { Reference: step.name }
      : { KeyField: step.key, ...(step.all ? { Glob: true } : { KeyValue: step.value ?? null }) },
  );
  const expected = field(row, "expected");
  const wanted = (isArray(expected) ? expected : []).map((step) => {
    const { Glob: glob, ...rest } = isObject(step) ? step : {};
    return glob === true ? { ...rest, Glob: true } : rest;
  });
  return expectJson(steps, wanted);
}

const tokenTypes: { readonly [type: string]: string } = {
  name: "IDENT",
  integer: "INT",
  end: "EOF",
  error: "ERROR",
  "[": "LBRACKET",
  "]": "RBRACKET",
  ".": "SEPARATOR",
  "*": "GLOB",
  ":": "COLON",
};

function scanner(row: JsonValue): Outcome {
  const tokens = scanPath(text(field(row, "input"))).map(({ type, text: literal }) => [tokenTypes[type] ?? "", literal]);
  const expected = field(row, "expected");
  const wanted = (isArray(expected) ? expected : []).map((token) => {
    const type = field(token, "Type");
    return [isObject(type) ? text(field(type, "$go")) : text(type), text(field(token, "Literal"))];
  });
  return expectJson(tokens, wanted);
}

function setter(change: typeof mergedSet | typeof prunedSet): RowJudge {
  return (row) => {
    const vals = field(row, "vals");
    const existing = field(row, "existing");
    const wrong = field(row, "errExpected") === true;
    try {
      const actual = change(existing ?? undefined, isArray(vals) ? vals : []);
      return wrong ? failure("no error") : expectJson(actual ?? null, field(row, "expected"));
    } catch (error) {
      if (!(error instanceof ChangeFailure)) throw error;
      return wrong ? passed : failure(error.message);
    }
  };
}

function imageParts(row: JsonValue): Outcome {
  const part = (name: string) => (field(row, name) === null ? "" : text(field(row, name)));
  const problem = imagePartsProblem({ domain: part("domain"), path: part("path"), tag: part("tag") });
  return expectEqual(problem !== undefined, field(row, "errFn") !== null);
}

function namespaceOf(value: JsonValue): ReviewNamespace | undefined {
  if (!isObject(value)) return undefined;
  if (isKubernetesObject(value)) return { name: nameOf(value), labels: labelsOf(value) };
  const meta = field(value, "ObjectMeta");
  const labels = field(meta, "Labels");
  const name = field(meta, "Name");
  return {
    name: name === null ? "" : text(name),
    labels: isObject(labels)
      ? labelsOf({ apiVersion: "v1", kind: "Namespace", metadata: { labels: labels as { [key: string]: string } } })
      : {},
  };
}

/** Whether the block matches; an error is told by its absence. */
function matched(block: JsonValue, object: JsonValue, namespace: JsonValue, source: JsonValue): boolean | undefined {
  const report = new DocumentReport(noDocument);
  const match = compileMatch(fieldsAsJson(block, matchFields), [], report);
  if (!isKubernetesObject(object) || report.errorCount > 0) return undefined;
  try {
    return match.matches({
      object,
      namespace: namespaceOf(namespace),
      source: source === "Generated" ? "Generated" : "Original",
    });
  } catch (error) {
    if (error instanceof MatchFailure) return undefined;
    throw error;
  }
}

function matches(row: JsonValue): Outcome {
  const block = field(row, "matcher");
  const source = field(row, "source");
  const limited = isObject(block) && typeof block["Source"] === "string" && block["Source"] !== "All";
  // Here every object says whether it was sent or stands for what one will make.
  if (limited && source === null) return skipped("an object without a source, which there is none of here");
  const actual = matched(block, field(row, "object"), field(row, "namespace"), source);
  if (field(row, "wantErr") !== null) return actual === undefined ? passed : failure("no error");
  return expectEqual(actual, field(row, "wantMatch"));
}

function names(row: JsonValue): Outcome {
  const args = field(row, "args");
  const target = field(args, "target");
  const { Name: name } = (field(args, "match") ?? {}) as JsonObject;
  return expectEqual(
    matched({ Name: name ?? "" }, field(target, "Object"), field(target, "Namespace"), null),
    field(row, "want"),
  );
}

const listOf = (value: JsonValue): readonly JsonValue[] => (isArray(value) ? value : isObject(value) ? [value] : []);
const applyToOf = (value: JsonValue): readonly JsonValue[] => listOf(fieldsAsJson(value, matchFields));

function gvkOf(value: JsonValue) {
  const part = (name: string) => (field(value, name) === null ? "" : text(field(value, name)));
  return { group: part("Group"), version: part("Version"), kind: part("Kind") };
}

function applies(row: JsonValue): Outcome {
  const entries = applyToOf(field(row, "applyTo"));
  const operation = field(row, "operation");
  const gvk = isObject(field(row, "gvk"))
    ? gvkOf(field(row, "gvk"))
    : { group: text(field(row, "group")), version: text(field(row, "version")), kind: text(field(row, "kind")) };
  const isAbout = (entry: JsonValue) =>
    appliesToKind(entry, gvk) && (typeof operation !== "string" || appliesToOperation(entry, operation));
  const wanted = [field(row, "want"), field(row, "wantApply"), field(row, "matchExpected")].find((one) => one !== null);
  return expectEqual(entries.some(isAbout), wanted ?? false);
}

/** A mutator made of a row's configuration; undefined: it is refused. */
function mutatorOf(kind: string, spec: JsonObject) {
  return compileMutator(documentOf({ apiVersion: "mutations.gatekeeper.sh/v1", kind, metadata: { name: "row" }, spec })).mutator;
}

function mutated(kind: string, spec: JsonObject, object: KubernetesObject): JsonObject {
  const mutator = mutatorOf(kind, spec);
  if (mutator === undefined) throw new Error("the mutator was refused");
  return mutator.mutate({ object, namespace: undefined, source: "Original", user: "", operation: "" }) ?? object;
}

/** The Go literal of a test's expectation, as far as it is a literal of maps, lists and texts. */
function goLiteral(source: string): JsonValue {
  const json = source
    .replace(/\[\]interface\{\}\{/g, "[")
    .replace(/map\[string\]interface\{\}\{/g, "{")
    .replace(/[\t\n]/g, "");
  let depth: string[] = [];
  let out = "";
  let quoted = false;
  for (const [i, char] of [...json].entries()) {
    if (char === '"' && json[i - 1] !== "\\") quoted = !quoted;
    if (!quoted && (char === "[" || char === "{")) depth = [...depth, char];
    if (!quoted && char === "}") {
      out = `${out.replace(/,$/, "")}${depth.at(-1) === "[" ? "]" : "}"}`;
      depth = depth.slice(0, -1);
    } else out += char;
  }
  return JSON.parse(out.replace(/,$/, ""));
}

const foo = (spec: JsonValue): KubernetesObject => ({ apiVersion: "v1", kind: "Foo", metadata: { name: "my-foo" }, spec });

function pathTests(row: JsonValue, fn: JsonValue): Outcome {
  const source = text(field(fn, "$func"));
  const cfg = field(row, "cfg");
  const value = field(cfg, "value");
  const spec: JsonObject = {
    applyTo: applyToOf(field(cfg, "applyTo")),
    location: field(cfg, "path"),
    parameters: { assign: value, pathTests: fieldsAsJson(field(cfg, "pathTests"), matchFields) },
  };
  const after = mutated("Assign", spec, foo(field(row, "spec")));
  const missing = /ensureMissing\(u, (.*)\)/.exec(source)?.[1];
  if (missing !== undefined) return expectEqual(valueAt(after, JSON.parse(`[${missing}]`)) === undefined, true);
  const [, wanted = "", path = ""] = /ensureObj\(u, (.*?), ((?:"\w+"(?:, )?)+)\)/.exec(source) ?? [];
  const literal = wanted === "obj" ? (/obj := ([\s\S]*?)\n\treturn/.exec(source)?.[1] ?? "") : wanted;
  return expectJson(valueAt(after, JSON.parse(`[${path}]`)) ?? null, goLiteral(literal));
}

function imageSpec(cfg: JsonValue): JsonObject {
  const part = (name: string) => (field(cfg, name) === null ? "" : text(field(cfg, name)));
  return {
    applyTo: applyToOf(field(cfg, "applyTo")),
    location: part("location"),
    parameters: {
      assignDomain: part("domain"),
      assignPath: part("path"),
      assignTag: part("tag"),
      pathTests: fieldsAsJson(field(cfg, "pathTests"), matchFields),
    },
  };
}

function imageMutation(row: JsonValue): Outcome {
  const after = mutated("AssignImage", imageSpec(field(row, "cfg")), field(row, "obj") as KubernetesObject);
  return expectEqual(text(valueAt(after, ["spec", "containers", 0, "image"]) ?? ""), field(row, "fn"));
}

/** `newPod(image, name)`, which other tables use for a pod of their own. */
function withPod(judge: RowJudge): RowJudge {
  return (row) => {
    const call = field(row, "obj");
    if (field(call, "$call") !== "newPod") return judge(gatekeeperPlain(row));
    const [image, name] = [item(field(call, "args"), 0), item(field(call, "args"), 1)];
    const pod = { ...foo({ containers: [{ name: text(name), image: text(image) }] }) };
    return judge(gatekeeperPlain({ ...(row as JsonObject), obj: pod }));
  };
}

function validateConstraint(row: JsonValue): Outcome {
  const [document] = parseDocuments(text(field(row, "Constraint")), "row").documents;
  const report = new DocumentReport(document ?? noDocument);
  compileMatch(valueAt(document?.value, ["spec", "match"]), ["spec", "match"], report);
  return expectEqual(report.errorCount > 0, field(row, "ErrorExpected"));
}

const refusedMutator =
  (kind: string): RowJudge =>
  () =>
    expectEqual(mutatorOf(kind, {}) === undefined, true);

export const gatekeeperRows: RowJudges = {
  "wildcard/TestMatches": onPlain((row) =>
    expectEqual(fitsGlob(text(field(row, "w")), text(field(row, "candidate"))), field(row, "matches")),
  ),
  "wildcard/TestWildcard_MatchesGenerateName": onPlain((row) =>
    expectEqual(fitsGeneratedName(text(field(row, "w")), text(field(row, "candidate"))), field(row, "matches")),
  ),
  "mutation_path_parser/TestParser": onPlain(parser),
  "mutation_path_token/TestScanner": scanner,
  "mutation_path_tester/TestPrefix": onPlain((row) =>
    expectEqual(isPrefix(pathOf(field(row, "short")), pathOf(field(row, "long"))), field(row, "prefix")),
  ),
  "mutation_mutators_modifyset/TestSetterMerge": onPlain(setter(mergedSet)),
  "mutation_mutators_modifyset/TestSetterPrune": onPlain(setter(prunedSet)),
  "mutation_mutators_assignimage/TestNewImage": onPlain((row) =>
    expectJson(parseImage(text(field(row, "imageRef"))), field(row, "want")),
  ),
  "mutation_mutators_assignimage/TestValidateImageParts": imageParts,
  "mutation_mutators_assignimage/TestMutate": withPod(imageMutation),
  "mutation_mutators_assignimage/TestMutatorForAssignImage": without("errFn", (row, errFn) =>
    expectEqual(mutatorOf("AssignImage", imageSpec(field(row, "cfg"))) === undefined, errFn !== null),
  ),
  "mutation_match/TestMatch": onPlain(matches),
  "mutation_match/Test_namesMatch": onPlain(names),
  "mutation_match/TestAppliesGVKAndOperation": onPlain(applies),
  "mutation_match/TestApplyTo": onPlain(applies),
  "mutation_match/TestApplyTo_Matches_WithOperations": onPlain((row) => {
    const [entry] = applyToOf(field(row, "applyTo"));
    return expectEqual(entry !== undefined && appliesToKind(entry, gvkOf(field(row, "gvk"))), field(row, "want"));
  }),
  "mutation_match/TestApplyTo_MatchesOperation": onPlain((row) => {
    const [entry = {}] = applyToOf(field(row, "applyTo"));
    return expectEqual(appliesToOperation(entry, text(field(row, "operation"))), field(row, "want"));
  }),
  "mutation_match/TestApplyTo_EffectiveOperations": onPlain((row) => {
    const [entry = {}] = applyToOf(field(row, "applyTo"));
    return expectJson(
      mutatedOperations.filter((operation) => appliesToOperation(entry, operation)),
      field(row, "want"),
    );
  }),
  "mutation_match/TestValidateOperations": onPlain((row) =>
    expectEqual(operationsProblem(applyToOf(field(row, "applyTo"))) !== undefined, field(row, "wantErr")),
  ),
  "mutation_mutators_assign/TestApplyTo": onPlain(applies),
  "mutation_mutators_assign/TestPathTests": without("fn", pathTests),
  "mutation_mutators_assign/Test_Assign_errors": refusedMutator("Assign"),
  "mutation_mutators_assignimage/Test_AssignImage_errors": refusedMutator("AssignImage"),
  "mutation_mutators_assignmeta/Test_AssignMetadata_errors": refusedMutator("AssignMetadata"),
  "mutation_mutators_modifyset/Test_ModifySet_errors": refusedMutator("ModifySet"),
  "target/TestValidateConstraint": onPlain(validateConstraint),
};
