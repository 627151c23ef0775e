import { Buffer } from "node:buffer";
import { parseResourceArgument } from "../analysis/rbac/resource-argument.ts";
import type { ApiResource, ApiResources } from "../core/api-resources.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../core/json.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf } from "../core/kubernetes.ts";
import { UsageError } from "./command.ts";

/** A call as kubectl sends it, byte for byte: an approval is bound to these bytes. */
export interface PlannedCall {
  readonly method: string;
  readonly target: string;
  readonly contentType: string;
  readonly body: string;
}

/** What `kubectl ARGUMENTS -n NAMESPACE` sends for the commands whose call can be known before. Throws `UsageError`. */
export function kubectlCall(words: readonly string[], namespace: string, resources: ApiResources): PlannedCall {
  const [command = "", ...rest] = words[0] === "kubectl" ? words.slice(1) : words;
  const options = rest.filter((word) => word.startsWith("-"));
  const [type = "", name] = namesOf(rest.filter((word) => !word.startsWith("-")));
  const allow = (...known: readonly RegExp[]) => {
    const unknown = options.find((option) => !known.some((one) => one.test(option)));
    if (unknown !== undefined)
      throw new UsageError(
        `what ${unknown} of kubectl ${command} sends is not known before: send the command, and its refusal asks`,
      );
  };
  const path = () => pathOf(type, name, namespace, resources);
  switch (command) {
    case "delete": {
      allow(/^--cascade=(background|foreground|orphan)$/, /^--wait=(true|false)$/, /^--now$/);
      if (name === undefined) throw new UsageError("name what to delete: delete TYPE NAME");
      const cascade = options.find((option) => option.startsWith("--cascade="))?.slice("--cascade=".length) ?? "background";
      const policy = `${cascade.charAt(0).toUpperCase()}${cascade.slice(1)}`;
      const grace = options.includes("--now") ? '"gracePeriodSeconds":1,' : "";
      const body = `{${grace}"propagationPolicy":"${policy}"}\n`;
      return { method: "DELETE", target: path(), contentType: "application/json", body };
    }
    case "scale": {
      allow(/^--replicas=\d+$/);
      const replicas = options.find((option) => option.startsWith("--replicas="))?.slice("--replicas=".length);
      if (replicas === undefined || name === undefined)
        throw new UsageError("say what and how far: scale TYPE NAME --replicas=N");
      const body = `{"spec":{"replicas":${Number(replicas)}}}`;
      return { method: "PATCH", target: `${path()}/scale`, contentType: "application/merge-patch+json", body };
    }
    case "get": {
      allow(/^-o$|^--output=|^-o=?\w+$/);
      return { method: "GET", target: name === undefined ? `${path()}?limit=500` : path(), contentType: "", body: "" };
    }
    default:
      throw new UsageError(
        `what kubectl ${command} sends is not known before: send the command, and its refusal asks; or name --method and --target`,
      );
  }
}

/** What `kubectl apply --server-side -f` sends for one object. */
export function applyCall(object: KubernetesObject, namespace: string, resources: ApiResources): PlannedCall {
  const resource = resources.byKind(groupOf(object), object.kind);
  if (resource === undefined)
    throw new UsageError(`${object.apiVersion} ${object.kind} is not known here: name --method, --target and --body`);
  const own = namespaceOf(object) || namespace;
  const placed: KubernetesObject = resource.namespaced ? { ...object, metadata: { ...object.metadata, namespace: own } } : object;
  const version = object.apiVersion.split("/").at(-1) ?? "";
  const path = collection({ ...resource, version }, resource.namespaced ? own : "");
  return {
    method: "PATCH",
    target: `${path}/${encodeURIComponent(nameOf(object))}?fieldManager=kubectl&fieldValidation=Strict&force=false`,
    contentType: "application/apply-patch+yaml",
    body: `${goJson(placed)}\n`,
  };
}

/** `TYPE NAME` or `TYPE/NAME`, one object. */
function namesOf(words: readonly string[]): readonly [string | undefined, string | undefined] {
  const [first, second, third] = words;
  const [type, name] = first?.includes("/") === true ? [...first.split("/")] : [first, second];
  const more = first?.includes("/") === true ? second : third;
  if (more !== undefined) throw new UsageError("one request is for one object");
  return [type, name];
}

function pathOf(type: string, name: string | undefined, namespace: string, resources: ApiResources): string {
  const { apiGroup, resource } = parseResourceArgument(type, resources);
  const known = resources.byResource(apiGroup, resource);
  if (known === undefined)
    throw new UsageError(`${type === "" ? "the type" : type} is not known here: name --method and --target`);
  const path = collection(known, known.namespaced ? namespace : "");
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

function collection(
  { group, version, resource }: Pick<ApiResource, "group" | "version" | "resource">,
  namespace: string,
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespace === "" ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${resource}`;
}

/** As Go's encoding/json writes a map: keys in the order of their UTF-8 bytes, and what HTML would read escaped. */
function goJson(value: JsonValue | undefined): string {
  if (isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (isObject(value)) return `{${members(value).join(",")}}`;
  if (typeof value === "string") return goString(value);
  return typeof value === "bigint" ? String(value) : JSON.stringify(value ?? null);
}

function members(object: JsonObject): readonly string[] {
  const keys = Object.keys(object).filter((key) => object[key] !== undefined);
  keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return keys.map((key) => `${goString(key)}:${goJson(object[key])}`);
}

function goString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
