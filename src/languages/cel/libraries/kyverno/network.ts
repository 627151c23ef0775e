import { globalContextNeed } from "../../../../core/facts.ts";
import type { Library, Outside, Overload } from "../../declarations.ts";
import { anyType, type CelType, dynType, mapOf, opaqueType, stringType } from "../../types.ts";
import { CelError, type CelValue, type Value } from "../../values/value.ts";
import { ask, bodyOf, bothNames, ContextValue, outsideOverload, textOf, textsOf } from "./context-value.ts";

const httpType = opaqueType("http.Context");
const globalContextType = opaqueType("globalcontext.Context");
const imageDataType = opaqueType("imagedata.Context");
const headersType: CelType = mapOf(stringType, stringType);

/** `http`, or what `http.Client(caBundle)` gives. */
class HttpClient extends ContextValue {
  readonly caBundle: string;

  constructor(caBundle: string) {
    super(httpType);
    this.caBundle = caBundle;
  }
}

function request(
  method: "GET" | "POST",
  [client, url]: readonly CelValue[],
  headers: CelValue | undefined,
  body: CelValue | undefined,
  outside: Outside,
): Value {
  const json = bodyOf(body);
  if (json instanceof CelError) return json;
  const caBundle = client instanceof HttpClient ? client.caBundle : "";
  const need = {
    kind: "http-call",
    method,
    url: textOf(url),
    headers: textsOf(headers),
    ...(body === undefined ? {} : { body: json }),
    ...(caBundle === "" ? {} : { caBundle }),
  } as const;
  return ask(outside, need, (fact) => new CelError(`request failed: ${fact.message}`));
}

/** The library as policies of one namespace have it: its calls, which would reach what their authors cannot, fail. */
function confined(library: Library, message: string): Library {
  const call = () => new CelError(message);
  const refusing = (overload: Overload): Overload =>
    overload.id.startsWith("http_client") ? overload : { ...overload, implementation: { arity: "variadic", call } };
  const functions = (library.functions ?? []).map((one) => ({ ...one, overloads: one.overloads.map(refusing) }));
  return { ...library, functions };
}

/** `http`: calls that somebody outside has to answer. */
const httpCalls: Library = {
  name: "kyverno.http",
  variables: [{ name: "http", type: httpType, value: new HttpClient("") }],
  functions: [
    ...bothNames(["Get", "get"], (suffix) => [
      outsideOverload(`http_get_string_${suffix}`, [httpType, stringType], anyType, (args, outside) =>
        request("GET", args, undefined, undefined, outside),
      ),
      outsideOverload(`http_get_string_headers_${suffix}`, [httpType, stringType, headersType], anyType, (args, outside) =>
        request("GET", args, args[2], undefined, outside),
      ),
    ]),
    ...bothNames(["Post", "post"], (suffix) => [
      outsideOverload(`http_post_string_any_${suffix}`, [httpType, stringType, anyType], anyType, (args, outside) =>
        request("POST", args, undefined, args[2], outside),
      ),
      outsideOverload(
        `http_post_string_any_headers_${suffix}`,
        [httpType, stringType, anyType, headersType],
        anyType,
        (args, outside) => request("POST", args, args[3], args[2], outside),
      ),
    ]),
    ...bothNames(["Client", "client"], (suffix) => [
      outsideOverload(
        `http_client_string_${suffix}`,
        [httpType, stringType],
        httpType,
        ([, bundle]) => new HttpClient(textOf(bundle)),
      ),
    ]),
  ],
};

function globalReference([, name, projection]: readonly CelValue[], outside: Outside): Value {
  return ask(outside, globalContextNeed(textOf(name), textOf(projection)), (fact) =>
    fact.notFound === true ? null : new CelError(`failed to get global reference: ${fact.message}`),
  );
}

/** `globalContext`: entries that a cluster keeps. */
const globalContextEntries: Library = {
  name: "kyverno.globalcontext",
  variables: [{ name: "globalContext", type: globalContextType, value: new ContextValue(globalContextType) }],
  functions: bothNames(["Get", "get"], (suffix) => [
    outsideOverload(`globalcontext_get_string_${suffix}`, [globalContextType, stringType], dynType, globalReference),
    outsideOverload(
      `globalcontext_get_string_string_${suffix}`,
      [globalContextType, stringType, stringType],
      dynType,
      globalReference,
    ),
  ]),
};

/** `image.getMetadata`: what a registry says about an image. */
export const imageDataLibrary: Library = {
  name: "kyverno.imagedata",
  variables: [{ name: "image", type: imageDataType, value: new ContextValue(imageDataType) }],
  functions: bothNames(["GetMetadata", "getMetadata"], (suffix) => [
    outsideOverload(`imagedata_get_string_${suffix}`, [imageDataType, stringType], dynType, ([, reference], outside) =>
      ask(
        outside,
        { kind: "image", reference: textOf(reference) },
        (fact) => new CelError(`failed to get image data: ${fact.message}`),
      ),
    ),
  ]),
};

/** @param namespace of a namespaced policy; empty for policies of the cluster */
export function httpLibrary(namespace: string): Library {
  return namespace === "" ? httpCalls : confined(httpCalls, "http calls are not allowed in namespaced policies");
}

/** @param namespace of a namespaced policy; empty for policies of the cluster */
export function globalContextLibrary(namespace: string): Library {
  return namespace === ""
    ? globalContextEntries
    : confined(globalContextEntries, "globalContext.* is not allowed in namespaced policies");
}
