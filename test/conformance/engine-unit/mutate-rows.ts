import { isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { applyJsonPatch, parseJsonPatch } from "../../../src/core/json-patch.ts";
import { fromMergeMap, toSortedMergeMap } from "../../../src/core/strategic-merge-node.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { ConditionPrograms, resolveConditions } from "../../../src/policies/kyverno/mutate/patch-conditions.ts";
import { compileStrategicMergePatch } from "../../../src/policies/kyverno/mutate/strategic-merge-patch.ts";
import { expectJson, failure, type Outcome } from "../corpus.ts";
import { field, objectOf, type RowJudges, text } from "./row.ts";

function parse(source: JsonValue): JsonValue {
  return parseDocuments(text(source), "row").documents[0]?.value ?? null;
}

function parseObject(source: JsonValue): JsonObject {
  return objectOf(parse(source));
}

/** The document that the rows of TestJsonPatch change. */
const deployment: JsonObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "myDeploy" },
  spec: {
    replica: 2,
    template: {
      metadata: { labels: { "old-label": "old-value" } },
      spec: { containers: [{ image: "nginx", name: "nginx" }] },
    },
  },
};

function patched(document: JsonValue, operations: JsonValue): JsonValue | string {
  const patch = parseJsonPatch(operations);
  if (!patch.ok) return patch.message;
  const result = applyJsonPatch(document, patch.patch, { lenient: true });
  return result.ok ? result.value : result.message;
}

/** Both ways lead to the same document: the lenient patch of the rule, and the exact one that Kyverno makes of it. */
function missingPaths(row: JsonValue): Outcome {
  const resource = parse(field(row, "resource"));
  const exact = Object.keys(objectOf(field(row, "expectedPatches"))).map((operation): JsonValue => JSON.parse(operation));
  return expectJson(patched(resource, parse(field(row, "patches"))), patched(resource, exact));
}

function merged(row: JsonValue): Outcome {
  const result = compileStrategicMergePatch(parseObject(field(row, "rawPolicy")))(parseObject(field(row, "rawResource")));
  return result.ok ? expectJson(result.value, parse(field(row, "expected"))) : failure(result.message);
}

function preprocessed(row: JsonValue): Outcome {
  const patch = toSortedMergeMap(parseObject(field(row, "rawPolicy")));
  const applies = resolveConditions(patch, parseObject(field(row, "rawResource")), new ConditionPrograms());
  const expected = parse(field(row, "expectedPatch"));
  return expectJson(applies ? fromMergeMap(patch) : {}, isObject(expected) ? expected : {});
}

export const mutateRows: RowJudges = {
  "engine_mutate_patch/TestJsonPatch": (row) =>
    expectJson(patched(deployment, parse(field(row, "patches"))), parse(field(row, "expected"))),
  "engine_mutate_patch/Test_MissingPaths": missingPaths,
  "engine_mutate_patch/TestMergePatch": merged,
  "engine_mutate_patch/Test_preProcessStrategicMergePatch_multipleAnchors": preprocessed,
};
