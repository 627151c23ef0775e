import { formatUrl, type GoUrl, hostOf, parseRequestUri, parseUrl, queryValues, splitHost } from "../../../../core/go-url.ts";
import { type FunctionDeclaration, type Library, memberOverload, overload } from "../../declarations.ts";
import { boolType, type CelType, type CelTypeOf, listOf, mapOf, stringType, structType } from "../../types.ts";
import { CelError, CelObject, type CelValue, noSuchOverload, type Value } from "../../values/value.ts";

const urlType: CelTypeOf<Url> = structType("kubernetes.URL");

class Url extends CelObject {
  readonly url: GoUrl;

  constructor(url: GoUrl) {
    super();
    this.url = url;
  }

  get type(): CelType {
    return urlType;
  }

  equals(other: CelValue): boolean | CelError {
    return other instanceof Url ? formatUrl(this.url) === formatUrl(other.url) : noSuchOverload();
  }

  override toJson(): string {
    return formatUrl(this.url);
  }
}

/** Only absolute URLs and paths are taken, but a fragment is told from the path. */
function toUrl(text: string): Value {
  const strict = parseRequestUri(text);
  const parsed = strict.ok ? parseUrl(text) : strict;
  return parsed.ok ? new Url(parsed.value) : new CelError(`URL parse error during conversion from string: ${parsed.message}`);
}

function getter(name: string, id: string, read: (url: GoUrl) => string): FunctionDeclaration {
  return { name, overloads: [memberOverload(id, [urlType], stringType, ({ url }) => read(url))] };
}

export const urlLibrary: Library = {
  name: "kubernetes.urls",
  functions: [
    { name: "url", overloads: [overload("string_to_url", [stringType], urlType, toUrl)] },
    { name: "isURL", overloads: [overload("is_url_string", [stringType], boolType, (text) => parseRequestUri(text).ok)] },
    getter("getScheme", "url_get_scheme", (url) => url.scheme),
    getter("getHost", "url_get_host", hostOf),
    getter("getHostname", "url_get_hostname", (url) => splitHost(url).name),
    getter("getPort", "url_get_port", (url) => splitHost(url).port),
    getter("getEscapedPath", "url_get_escaped_path", (url) => url.escapedPath),
    {
      name: "getQuery",
      overloads: [
        memberOverload("url_get_query", [urlType], mapOf(stringType, listOf(stringType)), ({ url }) =>
          Object.fromEntries(queryValues(url)),
        ),
      ],
    },
  ],
};
