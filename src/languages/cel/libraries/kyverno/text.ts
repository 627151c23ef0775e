import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { isArray, isObject, type JsonValue } from "../../../../core/json.ts";
import { decodeX509 } from "../../../../core/x509/certificate.ts";
import { readYaml } from "../../../../core/yaml/read-yaml.ts";
import { generateText } from "../../../jmespath/functions/random.ts";
import { type FunctionDeclaration, type Library, memberOverload, overload } from "../../declarations.ts";
import { bytesType, type CelTypeOf, dynType, opaqueType, stringType } from "../../types.ts";
import { MapBuilder } from "../../values/containers.ts";
import { toJson } from "../../values/json.ts";
import { CelError, type CelValue, Double, type Value } from "../../values/value.ts";
import { ContextValue, outsideOverload, textOf } from "./context-value.ts";

const jsonType: CelTypeOf<ContextValue> = opaqueType("json.Json");
const yamlType: CelTypeOf<ContextValue> = opaqueType("yaml.Yaml");
const anyValue: CelTypeOf<CelValue> = dynType;

/** All numbers are doubles, as Go's JSON has them. */
function decoded(value: JsonValue): CelValue {
  if (typeof value === "number" || typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? new Double(number) : number;
  }
  if (isArray(value)) return value.map(decoded);
  if (!isObject(value)) return value;
  const map = new MapBuilder();
  for (const [key, member] of Object.entries(value)) if (member !== undefined) map.set(key, decoded(member));
  return map.build();
}

/** What throws is an error with its message. */
function attempt(compute: () => Value): Value {
  try {
    return compute();
  } catch (error) {
    return new CelError(error instanceof Error ? error.message : String(error));
  }
}

const escapes: { readonly [char: string]: string } = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026" };

/** As Go's encoder writes: keys in order, and characters of HTML escaped. */
function goJson(value: JsonValue): string {
  if (typeof value === "bigint") return value.toString();
  if (isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (isObject(value)) {
    const members = Object.keys(value).toSorted();
    return `{${members.map((key) => `${goJson(key)}:${goJson(value[key] ?? null)}`).join(",")}}`;
  }
  return JSON.stringify(value).replace(/[<>&]/g, (char) => escapes[char] ?? char);
}

function marshal(value: CelValue): Value {
  const json = toJson(value);
  return json instanceof CelError ? json : goJson(json);
}

function unmarshal(text: CelValue): Value {
  if (typeof text !== "string") return new CelError("no such overload");
  return attempt(() => decoded(JSON.parse(text)));
}

function parseYaml(text: string): Value {
  const read = readYaml(text);
  return read.ok ? decoded(read.value) : new CelError(read.diagnostics.map((d) => d.message).join("; "));
}

/** A function under its plain name and with its library's in front. */
function alsoPrefixed(prefix: string, declaration: FunctionDeclaration): readonly FunctionDeclaration[] {
  const overloads = declaration.overloads.map((o) => ({ ...o, id: `${o.id}_prefixed` }));
  return [declaration, { ...declaration, name: `${prefix}.${declaration.name}`, overloads }];
}

function hash(name: string, digest: (data: Uint8Array) => Uint8Array): readonly FunctionDeclaration[] {
  const compute = (text: string) => bytesToHex(digest(utf8ToBytes(text)));
  return alsoPrefixed("hash", { name, overloads: [overload(`${name}_string`, [stringType], stringType, compute)] });
}

const randomFunctions = alsoPrefixed("random", {
  name: "random",
  overloads: [
    outsideOverload(
      "random_string",
      [stringType],
      stringType,
      ([pattern], { host }) => attempt(() => generateText(textOf(pattern), host)),
      false,
    ),
    outsideOverload("random_default", [], stringType, (_, { host }) => generateText("[0-9a-z]{8}", host), false),
  ],
});

const gzipRefused = () => new CelError("gzip is not supported here");

/** Functions on texts: hashes, JSON, YAML, certificates, random texts. */
export const textLibrary: Library = {
  name: "kyverno.text",
  variables: [
    { name: "json", type: jsonType, value: new ContextValue(jsonType) },
    { name: "yaml", type: yamlType, value: new ContextValue(yamlType) },
  ],
  functions: [
    ...hash("md5", md5),
    ...hash("sha1", sha1),
    ...hash("sha256", sha256),
    ...randomFunctions,
    {
      name: "marshal",
      overloads: [memberOverload("marshal_dyn_string", [jsonType, anyValue], stringType, (_, value) => marshal(value))],
    },
    {
      name: "unmarshal",
      overloads: [memberOverload("unmarshal_string_dyn", [jsonType, anyValue], dynType, (_, text) => unmarshal(text))],
    },
    {
      name: "parse",
      overloads: [memberOverload("parse_string_dyn", [yamlType, stringType], dynType, (_, text) => parseYaml(text))],
    },
    {
      name: "x509.decode",
      overloads: [overload("x509_decode_string", [stringType], dynType, (pem) => attempt(() => decoded(decodeX509(pem))))],
    },
    {
      name: "gzip.decompress",
      overloads: [overload("decompress_bytes_string", [bytesType], stringType, gzipRefused)],
    },
    { name: "gzip.compress", overloads: [overload("compress_any_bytes", [dynType], bytesType, gzipRefused)] },
  ],
};
