import { apiResources } from "../../../src/core/api-resources.ts";
import { type Facts, noFacts } from "../../../src/core/facts.ts";
import { isObject, type JsonValue, member } from "../../../src/core/json.ts";
import type { Env } from "../../../src/languages/cel/env.ts";
import { variable } from "../../../src/languages/cel/env.ts";
import { dynType } from "../../../src/languages/cel/types.ts";
import { toJson } from "../../../src/languages/cel/values/json.ts";
import { CelError, Failure, type Value } from "../../../src/languages/cel/values/value.ts";
import { CelSession, compileExpression } from "../../../src/policies/cel/expression.ts";
import { kyvernoEnv, kyvernoLimits } from "../../../src/policies/kyverno-cel/environment.ts";
import { Generator, generatorLibrary } from "../../../src/policies/kyverno-cel/generator.ts";
import { callOf, listOf } from "../cel/go-literal.ts";
import { expectJson, failure, type Outcome, passed, skipped } from "../corpus.ts";
import { plain } from "./go-data.ts";
import { expectEqual, field, type RowJudge, type RowJudges, text } from "./row.ts";

const resources = apiResources([]);
const host = { now: () => 0, random: () => 0 };
const env: Env = kyvernoEnv("", resources, [generatorLibrary("")]).extend({ variables: [variable("given", dynType)] });

/** What an expression of Kyverno's CEL policies gives. */
function evaluate(source: string, facts: Facts = noFacts("the tests ask nobody"), given: JsonValue = null): Value {
  const compiled = compileExpression(source, env);
  if (!compiled.ok) return new CelError(compiled.message);
  return new CelSession({ facts, host }, kyvernoLimits).run(compiled.value, {
    given,
    generator: new Generator(resources, ""),
  });
}

function expectValue(value: Value, expected: JsonValue): Outcome {
  if (value instanceof Failure) return failure(value instanceof CelError ? value.message : "waits for facts");
  const json = toJson(value);
  return json instanceof CelError ? failure(json.message) : expectJson(json, expected);
}

function expectError(value: Value, expected?: string): Outcome {
  if (!(value instanceof CelError)) return failure("no error");
  return expected === undefined || value.message.includes(expected) ? passed : failure(value.message);
}

/** A constant of cel-go, a call that wraps one, or data. */
function constant(value: JsonValue): JsonValue {
  const source = isObject(value) ? value["$go"] : undefined;
  if (source === "types.True" || source === "types.False") return source === "types.True";
  if (source === "types.NullValue") return null;
  const call = callOf(value);
  if (call?.name === "types.DefaultTypeAdapter.NativeToValue") return plain(call.args[0]);
  if (call?.name === "structpb.NullValue") return null;
  return plain(value);
}

/** One argument of a call that has a wrong type, or a wrong number of them; `dyn` leaves it to the evaluation to see. */
const wrongArguments =
  (receiver: string, method: string): RowJudge =>
  (row) => {
    const [first = "", ...rest] = listOf(field(row, "args")).map((arg) => argument(arg, receiver));
    return expectNoOverload(`${first || receiver}.${method}(${rest.join(", ")})`);
  };

function argument(arg: JsonValue, receiver: string): string {
  const call = callOf(arg);
  if (call === undefined) return `dyn(${JSON.stringify(arg)})`;
  if (call.name === "env.CELTypeAdapter().NativeToValue") return callOf(call.args[0]) === undefined ? receiver : "{}";
  return call.name === "types.NewListType" ? "[]" : "{}";
}

const wrongUser: RowJudge = (row) => expectNoOverload(`parseServiceAccount(dyn(${JSON.stringify(field(row, "user"))}))`);

function expectNoOverload(source: string): Outcome {
  return expectError(evaluate(source), "overload");
}

const goConversion: RowJudge = () => skipped("a conversion between Go types");

const expressionRow: RowJudge = (row) => expectValue(evaluate(text(field(row, "expr"))), constant(field(row, "expectValue")));

const isMock = (value: JsonValue): boolean =>
  JSON.stringify(value).includes('"marshalErr"') || JSON.stringify(value).includes("unmarshalErr");

const marshal: RowJudge = (row) =>
  isMock(field(row, "jsonVal"))
    ? skipped("an error of a stand-in for Kyverno's JSON library")
    : expectValue(evaluate("json.marshal(given)", undefined, plain(field(row, "inputVal"))), plain(field(row, "expectResult")));

const unmarshal: RowJudge = (row) => {
  const given = plain(field(row, "valueVal"));
  const library = field(row, "jsonVal");
  if (!isObject(library)) return skipped("Kyverno's function without its library");
  if (given === "") return skipped("a stand-in for Kyverno's JSON library reads the empty text");
  const value = evaluate("json.unmarshal(given)", undefined, given);
  return field(row, "expectErr") === true ? expectError(value) : expectValue(value, plain(field(row, "expectResult")));
};

const yaml: RowJudge = (row) => {
  if (field(row, "yamlVal") === null) return skipped("Kyverno's function without its library");
  const value = evaluate("yaml.parse(given)", undefined, plain(field(row, "valueVal")));
  return field(row, "expectErr") === true ? expectError(value) : expectValue(value, plain(field(row, "expectResult")));
};

const marshalled: RowJudge = (row) => expectValue(evaluate(text(field(row, "expr"))), field(row, "expectJSON"));

/** The tests' cluster holds one deployment, which is what they want. */
const getResource: RowJudge = (row) => {
  const wanted = constant(field(row, "want"));
  const facts: Facts = {
    get: () => (isObject(wanted) ? { ok: true, value: wanted } : { ok: false, message: "not found", notFound: true }),
  };
  return expectValue(evaluate(text(field(row, "expr")), facts), wanted);
};

const globalContext =
  (source: string): RowJudge =>
  (row) => {
    const [entry] = Object.values(isObject(field(row, "gctxStoreData")) ? { ...Object(field(row, "gctxStoreData")) } : {});
    const error = callOf(member(isJson(entry) ? entry : null, "Err"));
    const facts: Facts = {
      get: () =>
        error === undefined ? { ok: false, message: "not found", notFound: true } : { ok: false, message: String(error.args[0]) },
    };
    const value = evaluate(source, facts);
    const expected = field(row, "expectedError");
    return typeof expected === "string"
      ? expectError(value, expected)
      : expectValue(value, constant(field(row, "expectedValue")));
  };

const isJson = (value: unknown): value is JsonValue => typeof value === "object";

const serviceAccount: RowJudge = (row) => {
  const value = evaluate(`parseServiceAccount(${JSON.stringify(field(row, "user"))})`);
  const want = field(row, "want");
  return expectValue(value, { Name: field(want, "Name"), Namespace: field(want, "Namespace") });
};

const tagOf: RowJudge = (row) =>
  expectValue(evaluate(`parseImageReference(${JSON.stringify(field(row, "ref"))}).tag()`), field(row, "want"));

const noFetching: RowJudge = () => skipped("Kyverno's guard of the addresses that http calls may reach: nothing here calls them");

const replaced: RowJudge = (row) => expectEqual(String(evaluate(text(field(row, "expression")))), field(row, "want"));

/** Rows about the functions of Kyverno's CEL policies; they hold Go code, which the judges read themselves. */
export const celRows: RowJudges = {
  "cel_libs_image/TestImage": expressionRow,
  "cel_libs_image/TestImage_ConvertToNative": goConversion,
  "cel_libs_image/TestImage_ConvertToType": goConversion,
  "cel_libs_image/TestTagFromTaggedDigestReference": tagOf,
  "cel_libs_imagedata/Test_impl_get_imagedata_string_error": wrongArguments("image", "GetMetadata"),
  "cel_libs_json/TestImplMarshal": marshal,
  "cel_libs_json/TestImplUnmarshal": unmarshal,
  "cel_libs_json/TestMarshalCELIntegration": marshalled,
  "cel_libs_yaml/TestImplParse": yaml,
  "cel_libs_resource/Test_impl_get_resource_string_string_string_string": getResource,
  "cel_libs_resource/Test_impl_get_resource_string_string_string_string_error": wrongArguments("resource", "Get"),
  "cel_libs_resource/Test_impl_list_resources_string_string_string_error": wrongArguments("resource", "List"),
  "cel_libs_resource/Test_impl_post_resource_string_string_string_map_error": wrongArguments("resource", "Post"),
  "cel_libs_resource/Test_namespaced_impl_get_resource_string_string_string_error": wrongArguments("resource", "Get"),
  "cel_libs_resource/Test_namespaced_impl_list_resources_string_string_error": wrongArguments("resource", "List"),
  "cel_libs_resource/Test_namespaced_impl_post_resource_string_string_map_error": wrongArguments("resource", "Post"),
  "cel_libs_globalcontext/Test_impl_get_string": globalContext('globalContext.get("foo")'),
  "cel_libs_globalcontext/Test_impl_get_string_string": globalContext('globalContext.get("foo", "bar")'),
  "cel_libs_globalcontext/Test_impl_get_string_string_error": wrongArguments("globalContext", "Get"),
  "cel_libs_generator/Test_apply_generator_string_list_error": wrongArguments("generator", "Apply"),
  "cel_libs_http/Test_embeddedIPv4": noFetching,
  "cel_libs_http/Test_matchesAllowlist_canonicalizes_paths": noFetching,
  "cel_libs_http/Test_validateURL_blocks_ipv6_encoded_ipv4_metadata_ip": noFetching,
  "cel_libs_http/Test_impl_get_request_with_client_string_error": wrongArguments("http", "Get"),
  "cel_libs_http/Test_impl_http_client_string_error": wrongArguments("http", "Client"),
  "cel_libs_http/Test_impl_post_request_string_with_client_error": wrongArguments("http", "Post"),
  "cel_libs_user/Test_impl_parse_service_account_string": serviceAccount,
  "cel_libs_user/Test_impl_parse_service_account_string_error": wrongUser,
  "cel_compiler/TestRegexReplace": replaced,
};
