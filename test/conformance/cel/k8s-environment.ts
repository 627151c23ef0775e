import { isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { type Library, overload } from "../../../src/languages/cel/declarations.ts";
import type { EnvParts } from "../../../src/languages/cel/env.ts";
import { Authorizer, authorizerType } from "../../../src/languages/cel/libraries/kubernetes/authorizer.ts";
import {
  extendEnvironments,
  kubernetesEnvironments,
  newestMinor,
  type Versioned,
} from "../../../src/languages/cel/libraries/kubernetes/environment.ts";
import { boolType, type CelType, stringType, structType } from "../../../src/languages/cel/types.ts";
import type { CelValue } from "../../../src/languages/cel/values/value.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { callOf, fieldsOf, goName, listOf } from "./go-literal.ts";
import { runExpression } from "./k8s-run.ts";

/** The library that only exists to test versions of libraries. */
function testLibrary(version: number): Library {
  const names = version >= 1 ? ["test", "testV1"] : ["test"];
  return {
    name: `k8s.test.${version}`,
    functions: names.map((name) => ({ name, overloads: [overload(name, [], boolType, () => true)] })),
  };
}

function minorOf(value: JsonValue | undefined): number {
  if (callOf(value)?.name === "DefaultCompatibilityVersion") return newestMinor - 1;
  return Number(callOf(value)?.args[1]);
}

function typeOf(value: JsonValue | undefined): CelType {
  const call = callOf(value);
  if (call?.name === "cel.ObjectType") return structType(String(call.args[0]));
  if (call?.name === "widgetsType.CelType") return structType("Widget");
  if (goName(value)?.endsWith("StringType") === true) return stringType;
  if (goName(value)?.endsWith("AuthorizerType") === true) return authorizerType;
  if (call?.name === "gadgetsType.CelType") return structType("Gadget");
  throw new Error(`unknown type ${JSON.stringify(value)}`);
}

function optionParts(option: JsonValue): EnvParts {
  const call = callOf(option);
  switch (call?.name) {
    case "cel.Variable":
      return { variables: [{ name: String(call.args[0]), type: typeOf(call.args[1]) }] };
    case "library.Test": {
      const version = callOf(call.args[0]);
      return { libraries: [testLibrary(Number(version?.args[0]))] };
    }
    default:
      throw new Error(`unknown option ${JSON.stringify(option)}`);
  }
}

function declaredType(declared: JsonValue, keywords: boolean): EnvParts {
  const call = callOf(declared);
  const name = String(call?.args[0]);
  const fields = fieldsOf(call?.args[1]);
  const typed = (wanted: string) => (Object.hasOwn(fields, wanted) ? typeOf(fieldsOf(fields[wanted])["Type"]) : undefined);
  const field = (wanted: string) => typed(wanted) ?? (keywords ? typed(`__${wanted}__`) : undefined);
  return { structs: [{ type: structType(name), field }] };
}

function versioned(option: JsonValue): readonly Versioned[] {
  const fields = fieldsOf(option);
  const introduced = minorOf(fields["IntroducedVersion"]);
  const until = fields["RemovedVersion"] === undefined ? {} : { removed: minorOf(fields["RemovedVersion"]) };
  const inForce = (parts: EnvParts) => ({ introduced, ...until, parts });
  return [
    ...listOf(fields["EnvOptions"]).map((part) => inForce(optionParts(part))),
    // Fields named like keywords go without escapes from 1.31 on.
    ...listOf(fields["DeclTypes"]).flatMap((declared) => [
      { introduced, removed: Math.min(31, until.removed ?? 31), parts: declaredType(declared, false) },
      { introduced: Math.max(31, introduced), ...until, parts: declaredType(declared, true) },
    ]),
  ];
}

function variableValue(value: JsonValue | undefined): CelValue {
  const call = callOf(value);
  if (call?.name.endsWith("NewAuthorizerVal") === true) {
    return new Authorizer(() => ({ allowed: true, reason: "" }), { name: "", groups: [] });
  }
  return isObject(value) ? fieldsOf(value) : (value ?? null);
}

function activation(value: JsonValue | undefined): { readonly [name: string]: CelValue } {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([name, member]) => [name, variableValue(member)]));
}

/** Expressions that an environment of a version accepts, and ones it refuses. */
export function runEnvironmentRow(row: JsonObject): Outcome {
  const variables = activation(row["activation"]);
  for (const combination of listOf(row["typeVersionCombinations"])) {
    const { version, envType } = fieldsOf(combination);
    const [first = version, use = envType] = listOf(combination);
    const all = extendEnvironments(kubernetesEnvironments(minorOf(first)), listOf(row["opts"]).flatMap(versioned));
    const env = goName(use) === "NewExpressions" ? all.newExpressions : all.storedExpressions;
    const where = `${JSON.stringify(combination)}: `;
    // The test asks for the one or the other by what the default version is.
    const isEither = callOf(first)?.name === "DefaultCompatibilityVersion" && row["invalidExpressions"] !== undefined;
    for (const expression of isEither ? [] : listOf(row["validExpressions"])) {
      const ran = runExpression(String(expression), env, variables);
      if (!ran.ok) return failure(where + ran.message);
      if (ran.evaluation.value !== true) return failure(`${where}${String(expression)} is not true`);
    }
    for (const expression of listOf(row["invalidExpressions"])) {
      if (runExpression(String(expression), env, variables).ok) return failure(`${where}${String(expression)} compiles`);
    }
  }
  return passed;
}
