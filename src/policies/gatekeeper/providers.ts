import { type Facts, type Need, requireFact } from "../../core/facts.ts";
import { asString, isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject, nameOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { decodeBase64, decodeUtf8 } from "../../core/utf8.ts";
import { fromJson, toJson, type Value } from "../../languages/rego/index.ts";

const apiVersion = "externaldata.gatekeeper.sh/v1beta1";

const isProvider = (object: KubernetesObject): boolean =>
  groupOf(object) === "externaldata.gatekeeper.sh" && object.kind === "Provider";

/** What a provider is asked, as Gatekeeper asks it. */
function needFor(provider: KubernetesObject, keys: readonly JsonValue[]): Need {
  const body = { apiVersion, kind: "ProviderRequest", request: { keys } };
  const url = asString(member(provider["spec"], "url")) ?? "";
  const bundle = decodeBase64(asString(member(provider["spec"], "caBundle")) ?? "");
  const caBundle = bundle === undefined || bundle.length === 0 ? {} : { caBundle: decodeUtf8(bundle) };
  return { kind: "http-call", method: "POST", url, headers: { "content-type": "application/json" }, body, ...caBundle };
}

/** The answer as templates see it. */
function asRegoResponse(answer: JsonValue): JsonObject {
  const response = member(answer, "response");
  const items = member(response, "items");
  const list = isArray(items) ? items : [];
  const failed = (item: JsonValue) => (asString(member(item, "error")) ?? "") !== "";
  const pair = (name: string) => (item: JsonValue) => [member(item, "key") ?? "", member(item, name) ?? null];
  return {
    responses: list.filter((item) => !failed(item)).map(pair("value")),
    errors: list.filter(failed).map(pair("error")),
    status_code: 200,
    system_error: asString(member(response, "systemError")) ?? "",
  };
}

/**
 * Answers `external_data` from what was asked for the evaluation; who does not ask the network for policies refuses
 * the need, and the constraint could not be checked.
 */
export function askProviders(documents: readonly SourceDocument<KubernetesObject>[], facts: Facts): (request: Value) => Value {
  return (request) => {
    const asked = toJson(request);
    const name = asString(member(asked, "provider")) ?? "";
    const keys = member(asked, "keys");
    const provider = documents.find(({ value }) => isProvider(value) && nameOf(value) === name)?.value;
    if (provider === undefined)
      throw new Error(`there is no Provider ${JSON.stringify(name)} of external data among the policies`);
    return fromJson(asRegoResponse(requireFact(facts, needFor(provider, isArray(keys) ? keys : []))));
  };
}
