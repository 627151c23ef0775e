import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { isArray, isObject } from "../../../src/core/json.ts";
import type { SizeEstimator } from "../../../src/languages/cel/cost/size.ts";
import { Env, variable } from "../../../src/languages/cel/env.ts";
import {
  Authorizer,
  authorizerLibrary,
  authorizerSelectorsLibrary,
  authorizerType,
} from "../../../src/languages/cel/libraries/kubernetes/authorizer.ts";
import { kubernetesCosts } from "../../../src/languages/cel/libraries/kubernetes/cost.ts";
import { formatLibrary } from "../../../src/languages/cel/libraries/kubernetes/format.ts";
import { jsonPatchLibrary } from "../../../src/languages/cel/libraries/kubernetes/json-patch.ts";
import { kubernetesListsLibrary } from "../../../src/languages/cel/libraries/kubernetes/lists.ts";
import { quantityLibrary } from "../../../src/languages/cel/libraries/kubernetes/quantity.ts";
import { kubernetesRegexLibrary } from "../../../src/languages/cel/libraries/kubernetes/regex.ts";
import { semverLibrary } from "../../../src/languages/cel/libraries/kubernetes/semver.ts";
import { urlLibrary } from "../../../src/languages/cel/libraries/kubernetes/url.ts";
import { cidrLibrary, ipLibrary } from "../../../src/languages/cel/libraries/network.ts";
import { optionalLibrary } from "../../../src/languages/cel/libraries/optional.ts";
import { setsLibrary } from "../../../src/languages/cel/libraries/sets.ts";
import { standardLibrary } from "../../../src/languages/cel/libraries/standard.ts";
import { stringsLibrary } from "../../../src/languages/cel/libraries/strings.ts";
import { twoVariableLibrary } from "../../../src/languages/cel/libraries/two-variable.ts";
import { displayValue } from "../../../src/languages/cel/values/format.ts";
import { toJson } from "../../../src/languages/cel/values/json.ts";
import { isInt } from "../../../src/languages/cel/values/numbers.ts";
import { CelError, CelObject, type CelValue, Failure, Optional } from "../../../src/languages/cel/values/value.ts";
import { expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { type Ran, runExpression } from "./k8s-run.ts";

/** The environment of the API server's cost tests: every library, no optimisation. */
const env = new Env({
  libraries: [
    standardLibrary,
    stringsLibrary(2),
    urlLibrary,
    kubernetesRegexLibrary,
    kubernetesListsLibrary(1),
    authorizerLibrary,
    authorizerSelectorsLibrary,
    quantityLibrary,
    setsLibrary,
    ipLibrary("kubernetes"),
    cidrLibrary("kubernetes"),
    formatLibrary,
    jsonPatchLibrary,
    optionalLibrary(2),
    twoVariableLibrary,
    semverLibrary(1),
  ],
  variables: [variable("authorizer", authorizerType)],
  options: { foldConstants: false, costModel: kubernetesCosts },
});

const variables = {
  authorizer: new Authorizer(() => ({ allowed: true, reason: "" }), { name: "", groups: [] }),
};

/** Strings and bytes of unknown length are taken to have up to 12 characters. */
const sizes: SizeEstimator = {
  sizeOf: ({ type }) => (type.kind === "string" || type.kind === "bytes" ? { min: 0n, max: 12n } : undefined),
};

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}

/** An expression in the environment of the cost tests. */
export function runLibraryExpression(source: string): Ran {
  return runExpression(source, env, variables, sizes);
}

/** A row of the library tests: a value, an error at run time, or errors at compile time. */
export function runLibraryRow(row: JsonObject): Outcome {
  const ran = runLibraryExpression(String(row["expr"]));
  const compileErrors = list(row["compileErrors"]);
  if (compileErrors.length > 0) {
    if (ran.ok) return failure("compiles");
    const missing = compileErrors.find((pattern) => !new RegExp(String(pattern)).test(ran.message));
    return missing === undefined ? passed : failure(`${ran.message} does not say ${String(missing)}`);
  }
  if (!ran.ok) return failure(ran.message);
  const { value } = ran.evaluation;
  // No test expects null: such rows lost the error they expect.
  const runtimeError = row["value"] === null ? "" : row["runtimeError"];
  if (runtimeError !== undefined) {
    if (!(value instanceof CelError)) return failure(`got ${displayValue(value)}, expected an error`);
    return value.message.includes(String(runtimeError)) ? passed : failure(value.message);
  }
  if (value instanceof Failure) return failure(displayValue(value));
  return expectJson(described(value), row["value"]);
}

/** Values that JSON does not have are wrapped in an object that says what they are. */
function described(value: CelValue): JsonValue {
  if (isInt(value)) return { int: value };
  if (value instanceof Optional) return { optional: value.value === undefined ? "none" : plain(value.value) };
  if (value instanceof CelObject) return { [(value.type.name.split(".").at(-1) ?? "").toLowerCase()]: plain(value) };
  return plain(value);
}

function plain(value: CelValue): JsonValue {
  const json = toJson(value);
  return json instanceof CelError ? `error: ${json.message}` : json;
}

/** A row of the cost tests, whose expression is written out or made of a literal, a call and its argument. */
export function runCostRow(row: JsonObject): Outcome {
  const go = row["go"];
  const parts = isObject(go) ? go : {};
  const argument = typeof parts["param"] === "string" ? parts["param"] : "";
  const made = `${String(parts["comparableLiteral"])}${String(row["opt"]).replace("%s", () => argument)}`;
  const ran = runLibraryExpression(typeof row["expr"] === "string" ? row["expr"] : made);
  if (!ran.ok) return failure(ran.message);
  const [actual, expected] = [
    JSON.stringify([ran.estimate, ran.evaluation.cost]),
    JSON.stringify([row["estimated"], row["runtime"]]),
  ];
  return actual === expected ? passed : failure(`costs ${actual}, expected ${expected}`);
}
