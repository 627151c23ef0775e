import type { JsonObject } from "../../../../../core/json.ts";
import type { FunctionDeclaration, Library, Overload } from "../../../declarations.ts";
import { memberOverload, overload } from "../../../declarations.ts";
import { boolType, type CelTypeOf, dynType, intType, mapOf, stringType, structType } from "../../../types.ts";
import { toJson } from "../../../values/json.ts";
import { CelError, type CelValue, type Int } from "../../../values/value.ts";
import { type MessageShape, Reply } from "./message.ts";

const socketAddress: MessageShape = {
  name: "envoy.config.core.v3.SocketAddress",
  fields: { address: "text", port_value: "int", named_port: "text", resolver_name: "text" },
};

const peer: MessageShape = {
  name: "envoy.service.auth.v3.AttributeContext.Peer",
  fields: {
    address: { name: "envoy.config.core.v3.Address", fields: { socket_address: socketAddress } },
    service: "text",
    labels: "texts",
    principal: "text",
    certificate: "text",
  },
};

const httpRequest: MessageShape = {
  name: "envoy.service.auth.v3.AttributeContext.HttpRequest",
  fields: {
    id: "text",
    method: "text",
    headers: "texts",
    path: "text",
    host: "text",
    scheme: "text",
    query: "text",
    fragment: "text",
    size: "int",
    protocol: "text",
    body: "text",
    raw_body: "bytes",
  },
};

/** What Envoy asks of an external authorizer. */
export const envoyRequest: MessageShape = {
  name: "envoy.service.auth.v3.CheckRequest",
  fields: {
    attributes: {
      name: "envoy.service.auth.v3.AttributeContext",
      fields: {
        source: peer,
        destination: peer,
        request: { name: "envoy.service.auth.v3.AttributeContext.Request", fields: { http: httpRequest } },
        context_extensions: "texts",
      },
    },
  },
};

const okType: CelTypeOf<Reply> = structType("envoy.service.auth.v3.OkHttpResponse");
const deniedType: CelTypeOf<Reply> = structType("envoy.service.auth.v3.DeniedHttpResponse");
const headerType: CelTypeOf<Reply> = structType("envoy.config.core.v3.HeaderValueOption");
const parameterType: CelTypeOf<Reply> = structType("envoy.config.core.v3.QueryParameter");
/** What a validation of mode Envoy gives. */
export const envoyResponseType: CelTypeOf<Reply> = structType("envoy.service.auth.v3.CheckResponse");

const int: CelTypeOf<Int> = intType;
const metadata: CelTypeOf<CelValue> = mapOf(stringType, dynType);
const header = (key: string, value: string) => ({ header: { key, value } });

function adds(
  id: string,
  on: CelTypeOf<Reply>,
  list: string,
  item: CelTypeOf<Reply>,
  make: (key: string, value: string) => JsonObject,
): readonly Overload[] {
  return [
    memberOverload(`${id}_1`, [on, item], on, (reply, one) => reply.adding(list, one.content)),
    memberOverload(`${id}_2`, [on, stringType, stringType], on, (reply, key, value) => reply.adding(list, make(key, value))),
  ];
}

const functions: readonly FunctionDeclaration[] = [
  { name: "envoy.Allowed", overloads: [overload("allowed", [], okType, () => new Reply(okType, {}))] },
  {
    name: "envoy.Denied",
    overloads: [overload("denied", [int], deniedType, (code) => new Reply(deniedType, { status: { code: Number(code) } }))],
  },
  {
    name: "envoy.Header",
    overloads: [
      overload("header_key_value", [stringType, stringType], headerType, (k, v) => new Reply(headerType, header(k, v))),
    ],
  },
  {
    name: "envoy.QueryParam",
    overloads: [
      overload(
        "queryparam_key_value",
        [stringType, stringType],
        parameterType,
        (key, value) => new Reply(parameterType, { key, value }),
      ),
    ],
  },
  {
    name: "WithBody",
    overloads: [
      memberOverload("denied_with_body", [deniedType, stringType], deniedType, (reply, body) => reply.with("body", body)),
    ],
  },
  {
    name: "WithHeader",
    overloads: [
      ...adds("ok_with_header", okType, "headers", headerType, header),
      ...adds("denied_with_header", deniedType, "headers", headerType, header),
    ],
  },
  {
    name: "WithoutHeader",
    overloads: [
      memberOverload("ok_without_header", [okType, stringType], okType, (reply, name) => reply.adding("headersToRemove", name)),
    ],
  },
  { name: "WithResponseHeader", overloads: adds("ok_with_response_header", okType, "responseHeadersToAdd", headerType, header) },
  {
    name: "WithQueryParam",
    overloads: adds("ok_with_queryparam", okType, "queryParametersToSet", parameterType, (key, value) => ({ key, value })),
  },
  {
    name: "WithoutQueryParam",
    overloads: [
      memberOverload("ok_without_queryparam_string", [okType, stringType], okType, (reply, name) =>
        reply.adding("queryParametersToRemove", name),
      ),
    ],
  },
  {
    name: "KeepEmptyValue",
    overloads: [
      memberOverload("header_keep_empty_value", [headerType], headerType, (one) => one.with("keepEmptyValue", true)),
      memberOverload("header_keep_empty_value_bool", [headerType, boolType], headerType, (one, keep) =>
        one.with("keepEmptyValue", keep),
      ),
    ],
  },
  {
    name: "Response",
    overloads: [
      memberOverload(
        "ok_response",
        [okType],
        envoyResponseType,
        ({ content }) => new Reply(envoyResponseType, { okResponse: content }),
      ),
      memberOverload(
        "denied_response",
        [deniedType],
        envoyResponseType,
        ({ content }) => new Reply(envoyResponseType, { deniedResponse: content }),
      ),
    ],
  },
  {
    name: "WithMessage",
    overloads: [
      memberOverload("response_ok_with_message", [envoyResponseType, stringType], envoyResponseType, (reply, message) =>
        reply.with("message", message),
      ),
    ],
  },
  {
    name: "WithMetadata",
    overloads: [
      memberOverload("response_ok_with_metadata", [envoyResponseType, metadata], envoyResponseType, (reply, data) => {
        const json = toJson(data);
        return json instanceof CelError ? json : reply.with("dynamicMetadata", json);
      }),
    ],
  },
];

/** `envoy.Allowed()` and what can be made of it. */
export const envoyLibrary: Library = { name: "kyverno.authz.envoy", functions };
