import type { JsonValue } from "../../../src/core/json.ts";
import { compileJmesPath, JmesPathError, NotFound } from "../../../src/languages/jmespath/index.ts";
import { expectJson, failure, type Outcome, passed, skipped } from "../corpus.ts";
import { field, item, type RowJudge, type RowJudges, text } from "./row.ts";

const host = { now: () => 0, random: () => 0 };

type Answer = { readonly value: JsonValue } | { readonly error: string };

function evaluate(expression: string, data: JsonValue): Answer {
  const program = compileJmesPath(expression);
  if (!program.ok) return { error: program.diagnostics.map((d) => d.message).join("; ") };
  try {
    const value = program.value(data, host);
    return value instanceof NotFound ? { error: value.message } : { value };
  } catch (error) {
    if (error instanceof JmesPathError) return { error: error.message };
    throw error;
  }
}

function expect(answer: Answer, wanted: JsonValue, wantsError: boolean): Outcome {
  if (wantsError) return "error" in answer ? passed : failure(`expected an error, got ${JSON.stringify(answer.value)}`);
  return "error" in answer ? failure(answer.error) : expectJson(answer.value, wanted);
}

const isTrue = (row: JsonValue, key: string): boolean => field(row, key) === true;

/** Rows with the expression itself, on no data. */
const expression: RowJudge = (row) => {
  const source = field(row, "test") ?? field(row, "jmesPath");
  return expect(evaluate(text(source), ""), field(row, "expectedResult"), isTrue(row, "err") || isTrue(row, "wantErr"));
};

/** Half of these rows run on Windows only, whose paths are none of Kubernetes' concern. */
const path: RowJudge = (row) => (text(field(row, "jmesPath")).includes("C:\\") ? skipped("paths of Windows") : expression(row));

/** Rows with the arguments of one function. */
function call(name: string, arity: number): RowJudge {
  const source = `${name}(${Array.from({ length: arity }, (_, i) => `[${i}]`).join(", ")})`;
  return (row) => expect(evaluate(source, field(field(row, "args"), "arguments")), field(row, "want"), isTrue(row, "wantErr"));
}

/** Rows that read one argument of a kind; `source` is a function that takes it as `[i]` and gives it back. */
function argument(source: (index: number) => string): RowJudge {
  return (row) => {
    const args = field(row, "args");
    const answer = evaluate(source(Number(field(args, "index"))), field(args, "arguments"));
    return expect(answer, field(row, "want"), isTrue(row, "wantErr"));
  };
}

const json = (value: JsonValue): JsonValue => JSON.parse(text(value));

const lookup: RowJudge = (row) => {
  const answer = evaluate("lookup(c, k)", { c: json(field(row, "collection")), k: json(field(row, "key")) });
  const wanted = field(row, "expectedMsg");
  if (typeof wanted !== "string") return expect(answer, json(field(row, "expectedResult")), false);
  const message = "error" in answer ? answer.error : "";
  return message.includes(wanted) ? passed : failure(`expected an error with ${wanted}, got ${JSON.stringify(answer)}`);
};

const judges: RowJudges = {
  ...Object.fromEntries(
    "Add Sum Subtract Multiply Divide Modulo Round Compare EqualFold Replace ToUpper ToLower Truncate SemverCompare TimeToCron TimeAdd TimeParse TimeUtc TimeDiff TimeSince ImageNormalize IsExternalURL x509Decode"
      .split(" ")
      .map((name) => [`Test_${name}`, expression]),
  ),
  Test_PathCanonicalize: path,
  Test_jpfCompare: call("compare", 2),
  Test_jpfEqualFold: call("equal_fold", 2),
  Test_jpfReplace: call("replace", 4),
  Test_jpfReplaceAll: call("replace_all", 3),
  Test_jpfToUpper: call("to_upper", 1),
  Test_jpfToLower: call("to_lower", 1),
  Test_jpTimeBefore: call("time_before", 2),
  Test_jpTimeAfter: call("time_after", 2),
  Test_jpTimeBetween: call("time_between", 3),
  Test_TrimPrefix: call("trim_prefix", 2),
  TestParseArithemticOperands: call("add", 2),
  Test_getTimeArg: argument((i) => `time_add([${i}], '0s')`),
  Test_getDurationArg: argument((i) => `time_add('2021-01-02T15:04:05Z', [${i}])`),
  Test_Lookup: lookup,
  Test_Lookup_InvalidArgs: lookup,
  Test_Items: (row) =>
    expect(
      evaluate("items(o, k, v)", {
        o: json(field(row, "object")),
        k: json(field(row, "keyName")),
        v: json(field(row, "valName")),
      }),
      json(field(row, "expectedResult")),
      false,
    ),
  Test_ObjectFromLists: (row) =>
    expect(
      evaluate("object_from_lists(k, v)", { k: json(field(row, "keys")), v: json(field(row, "values")) }),
      field(row, "expectedResult"),
      false,
    ),
  Test_LabelMatch: (row) =>
    expect(
      evaluate(`label_match(\`${text(field(row, "test"))}\`, metadata.labels)`, json(field(row, "resource"))),
      field(row, "expectedResult"),
      false,
    ),
  Test_JpToBoolean: (row) => expect(evaluate("to_boolean(@)", item(row, 0)), item(row, 1), item(row, 2) === true),
  Test_ParseYAML: (row) => expect(evaluate("parse_yaml(@)", field(row, "input")), field(row, "output"), false),
  Test_ParseJsonComplex: (row) => expect(evaluate(text(field(row, "input")), ""), field(row, "expectedResult"), false),
  Test_ParseJsonSerde: (row) => expect(evaluate(`to_string(parse_json('${text(row)}'))`, ""), row, false),
  TestScalar_Multiply: (row) =>
    expect(
      evaluate("multiply([0], [1])", [field(field(row, "fields"), "float64"), field(field(row, "args"), "op2")]),
      field(row, "want"),
      field(row, "wantErr") === true,
    ),
};

const evaluateList: RowJudge = (row) => {
  const answer = evaluate(text(field(row, "jmesPath")), { test_object: json(field(row, "rawData")) });
  return expect(answer, field(row, "expected"), false);
};

export const jmespathRows: RowJudges = {
  ...Object.fromEntries(Object.entries(judges).map(([name, judge]) => [`engine_jmespath/${name}`, judge])),
  "engine_utils/Test_EvaluateList": evaluateList,
};
