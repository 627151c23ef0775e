import type { JsonValue } from "../../../src/core/json.ts";
import { containsWildcard, matchWildcard } from "../../../src/core/wildcard.ts";
import { comesFirst, hasNestedAnchor, parseAnchor, removeAnchors } from "../../../src/policies/kyverno/anchor.ts";
import { parsePath, pathToJmesPath } from "../../../src/policies/kyverno/json-pointer.ts";
import { compilePattern } from "../../../src/policies/kyverno/pattern.ts";
import { SeenAnchors } from "../../../src/policies/kyverno/seen-anchors.ts";
import { numberText, operatorOf, splitRange } from "../../../src/policies/kyverno/string-pattern.ts";
import { compileValuePattern } from "../../../src/policies/kyverno/value-pattern.ts";
import { isVariable } from "../../../src/policies/kyverno/variables.ts";
import { expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { expectEqual, field, item, objectOf, type RowJudge, type RowJudges, text, texts } from "./row.ts";

const value: RowJudge = (row) => {
  const args = field(row, "args");
  return expectEqual(compileValuePattern(field(args, "pattern"))(field(args, "value")), field(row, "want"));
};

const json = (source: JsonValue): JsonValue => JSON.parse(text(source));

/** Kyverno's own test asserts nothing where a failure is expected; there an execution error counts as a failure. */
function status(row: JsonValue): Outcome {
  const result = compilePattern(json(field(row, "pattern")))(json(field(row, "resource")));
  const wanted = field(row, "status");
  const same = result.status === wanted || (wanted === "fail" && result.status === "error");
  return same ? passed : failure(`got ${JSON.stringify(result)}, expected ${String(wanted)}`);
}

function anchor(row: JsonValue): Outcome {
  const found = parseAnchor(text(item(field(row, "args"), 0)));
  const wanted = field(row, "want");
  return expectJson(found === undefined ? null : [found.kind, found.key], wanted);
}

function split(row: JsonValue): Outcome {
  const args = field(row, "args");
  const operator = field(args, "r") === "!-" ? "!-" : "-";
  const range = splitRange(text(field(args, "pattern")), operator);
  return expectJson(
    [range?.[0] ?? "", range?.[1] ?? "", range !== undefined],
    [field(row, "want"), field(row, "want1"), field(row, "want2")],
  );
}

function anchorsOfMap(row: JsonValue): Outcome {
  const entries = Object.entries(objectOf(field(row, "patternMap")));
  const isAnchor = ([key]: [string, JsonValue | undefined]): boolean => comesFirst(parseAnchor(key));
  const anchors = Object.fromEntries(entries.filter(isAnchor));
  const resources = Object.fromEntries(entries.filter((entry) => !isAnchor(entry)));
  return expectJson({ anchors, resources }, { anchors: field(row, "wantAnchors"), resources: field(row, "wantResources") });
}

function keysAreMissing(row: JsonValue): Outcome {
  const entries = Object.entries(objectOf(field(field(row, "fields"), "anchorMap")));
  const seen = new SeenAnchors(entries.map(([key, found]) => [key, found === true] as const));
  return expectEqual(seen.keysAreMissing(), field(row, "want"));
}

function firstMatch(row: JsonValue): Outcome {
  const patterns = texts(field(row, "inputPatterns"));
  const found = texts(field(row, "inputNs"))
    .flatMap((name) => patterns.map((pattern) => ({ pattern, name })))
    .find(({ pattern, name }) => matchWildcard(pattern, name));
  const wanted = [field(row, "expString1"), field(row, "expString2"), field(row, "expBool")];
  return expectJson([found?.pattern ?? "", found?.name ?? "", found !== undefined], wanted);
}

function separate(row: JsonValue): Outcome {
  const all = texts(field(row, "inputList"));
  const lists = [all.filter(containsWildcard), all.filter((text) => !containsWildcard(text))];
  return expectJson(lists, [texts(field(row, "expList1")), texts(field(row, "expList2"))]);
}

export const patternRows: RowJudges = {
  "engine_pattern/TestValidate": value,
  "engine_pattern/Test_validateStringPatterns": value,
  "engine_pattern/Test_validateNilPattern": (row) =>
    expectEqual(compileValuePattern(null)(field(field(row, "args"), "value")), field(row, "want")),
  "engine_pattern/Test_validateMapPattern": (row) =>
    expectEqual(compileValuePattern({})(field(field(row, "args"), "value")), field(row, "want")),
  "engine_pattern/Test_compareString": (row) => {
    const args = field(row, "args");
    const pattern = text(field(args, "operatorVariable")) + text(field(args, "pattern"));
    return expectEqual(compileValuePattern(pattern)(field(args, "value")), field(row, "want"));
  },
  "engine_pattern/Test_split": split,
  "engine_pattern/Test_convertNumberToString": (row) =>
    expectEqual(numberText(field(field(row, "args"), "value")) ?? "", field(row, "want") ?? ""),
  "engine_validate/TestConditionalAnchorWithMultiplePatterns": status,
  "engine_validate/Test_global_anchor": status,
  "engine_validate/TestHasNestedAnchors_PrimitiveTypes": (row) => expectEqual(hasNestedAnchor(item(row, 1)), false),
  "engine_anchor/TestParse": anchor,
  "engine_anchor/TestGetAnchorsResourcesFromMap": anchorsOfMap,
  "engine_anchor/TestAnchorMap_KeysAreMissing": keysAreMissing,
  "engine_anchor/TestRemoveAnchorsFromPath": (row) => expectEqual(removeAnchors(text(field(row, "str"))), field(row, "want")),
  "engine_wildcards/TestExpandInMetadata_NilSafety": (row) => {
    compilePattern(field(row, "patternMap"))(field(row, "resourceMap"));
    return passed;
  },
  "wildcard/TestMatch": (row) =>
    expectEqual(matchWildcard(text(field(row, "pattern")), text(field(row, "text"))), field(row, "matched")),
  "wildcard/TestContainsWildcard": (row) =>
    expectEqual(containsWildcard(text(field(field(row, "args"), "v"))), field(row, "want")),
  "wildcard/Test_MatchPatterns": firstMatch,
  "wildcard/Test_SeperateWildcards": separate,
  "engine_operator/TestGetOperatorFromStringPattern": (row) => expectEqual(operatorOf(text(item(row, 0))), item(row, 1)),
  "engine_variables_regex/TestIsVariable": (row) =>
    expectEqual(isVariable(text(item(row, 0) ?? field(row, "value"))), item(row, 1) ?? field(row, "want")),
  "utils_jsonpointer/TestParsePath": (row) =>
    expectJson(parsePath(text(field(field(row, "args"), "rawPath"))), field(row, "want")),
  "utils_jsonpointer/TestPointer_JMESPath": (row) => expectEqual(pathToJmesPath(texts(field(row, "p"))), field(row, "want")),
};
