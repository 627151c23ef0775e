import { isArray, isObject, type JsonValue } from "../../../../../core/json.ts";
import { type Library, memberOverload, overload } from "../../../declarations.ts";
import { type CelTypeOf, listOf, stringType, structType } from "../../../types.ts";
import type { CelValue } from "../../../values/value.ts";
import { type Message, type MessageShape, Reply } from "./message.ts";

const attributes: MessageShape = {
  name: "http.CheckRequestAttributes",
  fields: {
    method: "text",
    header: "text-lists",
    host: "text",
    protocol: "text",
    contentLength: "int",
    body: "bytes",
    scheme: "text",
    path: "text",
    query: "text-lists",
    fragment: "text",
  },
};

/** What a plain HTTP authorizer is asked. */
export const httpRequest: MessageShape = { name: "http.CheckRequest", fields: { attributes } };

const attributesType: CelTypeOf<Message> = structType(attributes.name);
const okType: CelTypeOf<Reply> = structType("http.CheckResponseOk");
const deniedType: CelTypeOf<Reply> = structType("http.CheckResponseDenied");
/** What a validation of mode HTTP gives. */
export const httpResponseType: CelTypeOf<Reply> = structType("http.CheckResponse");
const texts: CelTypeOf<CelValue> = listOf(stringType);

function listAt(value: JsonValue | undefined, isKey: (name: string) => boolean): readonly JsonValue[] {
  const [, found] = Object.entries(isObject(value) ? value : {}).find(([name]) => isKey(name)) ?? [];
  return isArray(found) ? found : [];
}

/** Go's canonical form of a header's name: `X-Request-Id`. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (part) => part.toUpperCase());
}

/** `http.Allowed()`, `http.Denied(reason)`, and what they are decided by. */
export const httpAuthorizationLibrary: Library = {
  name: "kyverno.authz.http",
  functions: [
    { name: "http.Allowed", overloads: [overload("http_allowed", [], okType, () => new Reply(okType, {}))] },
    {
      name: "http.Denied",
      overloads: [overload("http_denied_string", [stringType], deniedType, (reason) => new Reply(deniedType, { reason }))],
    },
    {
      name: "Header",
      overloads: [
        memberOverload("http_get_header_string", [attributesType, stringType], texts, ({ json }, key) =>
          listAt(json["header"], (name) => name === canonical(key)),
        ),
      ],
    },
    {
      name: "QueryParam",
      overloads: [
        memberOverload("http_get_queryparam_string", [attributesType, stringType], texts, ({ json }, key) =>
          listAt(json["query"], (name) => name === key),
        ),
      ],
    },
    {
      name: "Response",
      overloads: [
        memberOverload(
          "http_response_ok",
          [okType],
          httpResponseType,
          ({ content }) => new Reply(httpResponseType, { ok: content }),
        ),
        memberOverload(
          "http_response_denied",
          [deniedType],
          httpResponseType,
          ({ content }) => new Reply(httpResponseType, { denied: content }),
        ),
      ],
    },
  ],
};
