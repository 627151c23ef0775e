import { parseFieldSelector, parseLabelSelector } from "../../../src/access/classify/selector-text.ts";
import { noFacts } from "../../../src/core/facts.ts";
import { isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import type { Activation } from "../../../src/languages/cel/compile/frame.ts";
import {
  type AuthorizationCheck,
  type AuthorizationDecision,
  Authorizer,
  requestResourceCheck,
} from "../../../src/languages/cel/libraries/kubernetes/authorizer.ts";
import { displayValue } from "../../../src/languages/cel/values/format.ts";
import { CelError, type Value } from "../../../src/languages/cel/values/value.ts";
import { admissionEnv } from "../../../src/policies/cel/environment.ts";
import { CelSession, compileExpression, OutOfCost, validationLimits } from "../../../src/policies/cel/expression.ts";
import { compileVariables } from "../../../src/policies/cel/variables.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { callOf, fieldsOf, goName, listOf } from "./go-literal.ts";
import { NotData } from "./go-schema.ts";
import { structJson } from "./go-struct.ts";

const outside = { facts: noFacts("the tests ask nobody"), host: { now: () => 0, random: () => 0 } };

/** Expressions that compile for admission policies, and ones that do not. */
export function runCompileRow(row: JsonObject): Outcome {
  const env = admissionEnv({ params: row["hasParams"] === true, authorizer: row["hasAuthorizer"] === true });
  for (const expression of listOf(row["expressions"])) {
    const compiled = compileExpression(String(expression), env);
    if (!compiled.ok) return failure(compiled.message);
  }
  for (const [expression, message] of Object.entries(fieldsOf(row["errorExpressions"]))) {
    const compiled = compileExpression(expression, env);
    if (compiled.ok) return failure(`${expression} compiles`);
    if (!compiled.message.includes(String(message))) return failure(`${expression}: ${compiled.message}`);
  }
  return passed;
}

const subsets = [{ addresses: [{ ip: "127.0.0.0" }] }];
const endpoints = { metadata: { name: "endpoints1" }, subsets };

interface Attributes {
  readonly object: JsonValue;
  readonly oldObject: JsonValue;
  readonly request: JsonObject;
}

function requestOf(name: string, resource: string, kind: string, subResource: string, operation: string): JsonObject {
  const version = kind === "" ? "" : "v1";
  return {
    kind: { group: "", version, kind },
    resource: { group: "", version, resource },
    subResource,
    requestKind: { group: "", version, kind },
    requestResource: { group: "", version, resource },
    requestSubResource: subResource,
    name,
    namespace: "default",
    operation,
    userInfo: {},
    dryRun: false,
  };
}

/** The requests that the Go tests make. */
function attributesOf(value: JsonValue | undefined): Attributes {
  const call = callOf(value);
  switch (call?.name) {
    case "newValidAttribute": {
      const [object, isDelete] = call.args;
      const request = requestOf("foo", "", "", "", "CREATE");
      if (isDelete === true) return { object: null, oldObject: { metadata: {}, subsets }, request };
      return { object: object === null || object === undefined ? endpoints : structJson(object), oldObject: null, request };
    }
    case "endpointCreateAttributes":
      return { object: endpoints, oldObject: null, request: requestOf("endpoints1", "endpoints", "Endpoints", "", "CREATE") };
    case "endpointStatusUpdateAttributes":
      return {
        object: endpoints,
        oldObject: endpoints,
        request: requestOf("endpoints1", "endpoints", "Endpoints", "status", "UPDATE"),
      };
    default:
      throw new NotData(`${call?.name} is not known`);
  }
}

type Decide = (check: AuthorizationCheck) => AuthorizationDecision;

/** Allows only what a record of attributes says. */
function allowing(record: JsonValue | undefined): Decide {
  const wanted = fieldsOf(record);
  const user = fieldsOf(wanted["User"]);
  const texts: readonly (readonly [string, keyof AuthorizationCheck])[] = [
    ["Verb", "verb"],
    ["Path", "path"],
    ["Namespace", "namespace"],
    ["APIGroup", "apiGroup"],
    ["Resource", "resource"],
    ["Subresource", "subresource"],
    ["Name", "name"],
  ];
  const selected = (what: "Field" | "Label", parsed: ReturnType<typeof parseFieldSelector>) => {
    if (wanted[`${what}SelectorParsingErr`] !== undefined) return !parsed.ok;
    return parsed.ok && parsed.requirements.length === listOf(wanted[`${what}SelectorRequirements`]).length;
  };
  return (check) => {
    const allowed =
      texts.every(([field, key]) => check[key] === String(wanted[field] ?? "")) &&
      check.isResourceRequest === (wanted["ResourceRequest"] === true) &&
      (wanted["User"] === undefined || check.user === user["Name"]) &&
      selected("Field", parseFieldSelector(check.fieldSelector)) &&
      selected("Label", parseLabelSelector(check.labelSelector));
    return { allowed, reason: "" };
  };
}

function decideOf(value: JsonValue | undefined): Decide {
  const call = callOf(value);
  if (call?.name === "newAuthzAllowMatch") return allowing(call.args[0]);
  const fields = fieldsOf(value);
  const { decision, reason, err } = fieldsOf(fields["defaultResult"]);
  if (call !== undefined || fields["defaultResult"] === undefined) throw new NotData("the authorizer is not known");
  const error = err === null || err === undefined ? {} : { error: String(callOf(err)?.args[0]) };
  return () => ({ allowed: goName(decision) === "authorizer.DecisionAllow", reason: String(reason ?? ""), ...error });
}

function variablesOf(row: JsonObject): Activation {
  const { object, oldObject, request } = attributesOf(row["attributes"]);
  const base = {
    object,
    oldObject,
    request,
    namespaceObject: structJson(row["namespaceObject"]),
    params: structJson(row["params"]),
  };
  if (row["authorizer"] === undefined) return base;
  const authorizer = new Authorizer(decideOf(row["authorizer"]), { name: "", groups: [] });
  const { name = "", requestResource, subResource = "" } = request;
  const resource = isObject(requestResource) ? String(requestResource["resource"]) : "";
  const requested = { apiGroup: "", resource, subresource: String(subResource), namespace: "default", name: String(name) };
  return { ...base, authorizer, "authorizer.requestResource": requestResourceCheck(authorizer, requested) };
}

interface Conditions {
  readonly results: readonly Value[];
  readonly exceeded: boolean;
  readonly remaining: number;
}

/** Evaluates the conditions of a row one after the other on one budget. */
function evaluateConditions(row: JsonObject, budget: number, hasAuthorizer: boolean): Conditions {
  const env = admissionEnv({ params: row["hasParamKind"] === true, authorizer: hasAuthorizer });
  const variables = variablesOf(row);
  const results: Value[] = [];
  let remaining = budget;
  for (const condition of listOf(row["validations"])) {
    const compiled = compileExpression(String(fieldsOf(condition)["Expression"]), env);
    if (!compiled.ok) {
      results.push(new CelError(compiled.message));
      continue;
    }
    const { value, cost } = compiled.value.program.evaluate(variables, outside, validationLimits.perCall);
    if (cost > remaining) return { results, exceeded: true, remaining: -1 };
    remaining -= cost;
    results.push(value);
  }
  return { results, exceeded: false, remaining };
}

function errorText(value: JsonValue | undefined): string {
  const call = callOf(value);
  return call === undefined ? "" : String(call.args[0]).replace(/%[vwq].*$/, "");
}

export function runConditionRow(row: JsonObject): Outcome {
  if (row["testPerCallLimit"] !== undefined || row["envType"] !== undefined) throw new NotData("limits of environments");
  const { results } = evaluateConditions(row, validationLimits.total, row["authorizer"] !== undefined);
  for (const [i, expected] of listOf(row["results"]).entries()) {
    const { EvalResult, Error: error } = fieldsOf(expected);
    const actual = results[i] ?? null;
    if (error !== undefined && error !== null) {
      if (!(actual instanceof CelError)) return failure(`${i}: ${displayValue(actual)}, expected an error`);
      if (!actual.message.includes(errorText(error))) return failure(`${i}: ${actual.message}`);
    } else if (actual !== (goName(EvalResult) === "celtypes.True")) return failure(`${i}: ${displayValue(actual)}`);
  }
  return passed;
}

export function runBudgetRow(row: JsonObject): Outcome {
  const given = Number(structJson(row["testRuntimeCELCostBudget"]));
  const budget = given < 0 ? validationLimits.total : given;
  const { results, exceeded, remaining } = evaluateConditions(row, budget, true);
  if (exceeded !== (row["exceedBudget"] === true)) return failure(`budget exceeded: ${exceeded}`);
  const limited = results.some((result) => result instanceof CelError && result.message.includes("actual cost limit exceeded"));
  if (row["exceedPerCallLimit"] === true && !limited) return failure("no call exceeds the limit");
  const expected = row["expectRemainingBudget"];
  return expected === undefined || Number(structJson(expected)) === remaining ? passed : failure(`${remaining} is left`);
}

/** An expression over `variables`, each of which is an expression of its own. */
export function runCompositionRow(row: JsonObject): Outcome {
  const specs = listOf(row["variables"]).map((one) => {
    const { name, expression } = fieldsOf(one);
    return { name: String(name), expression: String(expression) };
  });
  const env = admissionEnv({ params: false, authorizer: false });
  const compiled = compileVariables(specs, env, { asApiServer: true });
  const total = row["runtimeCostBudget"] === undefined ? validationLimits.total : Number(structJson(row["runtimeCostBudget"]));
  const session = new CelSession(outside, { ...validationLimits, total });
  const expectsError = row["expectErr"] === true;
  const judge = (message: string) => {
    const wanted = row["expectedErrorMessage"];
    return expectsError && (wanted === undefined || message.includes(String(wanted))) ? passed : failure(message);
  };
  const [problem] = compiled.problems;
  if (problem !== undefined) return judge(problem.message);
  const expression = compileExpression(String(row["expression"]), compiled.env);
  if (!expression.ok) return judge(expression.message);
  try {
    const value = session.run(expression.value, compiled.bind(session, variablesOf(row)));
    if (value instanceof CelError) return judge(value.message);
    return value === row["expectedResult"] && !expectsError ? passed : failure(displayValue(value));
  } catch (error) {
    if (error instanceof OutOfCost) return judge(error.message);
    throw error;
  }
}
