import { failed, type Loaded, loaded } from "../../../core/diagnostic.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, toDotted } from "../../../core/json.ts";
import { isLabelKey, isLabelValue } from "../../../core/label-selector.ts";
import type { SourceDocument } from "../../../core/source.ts";
import {
  type Component,
  type ComponentCatalogue,
  type ComponentPeer,
  type ComponentPort,
  type Entity,
  entities,
  type LabelNeed,
  type PortProtocol,
  type Talk,
} from "./component.ts";

/** Thrown inside this file only; becomes a diagnostic. */
class Malformed extends Error {
  readonly at: JsonPath;

  constructor(at: JsonPath, message: string) {
    super(message);
    this.at = at;
  }
}

const protocols: readonly PortProtocol[] = ["TCP", "UDP", "SCTP"];

/**
 * Reads catalogues of components: the built-in one and those that a user adds; the head of `catalog/components.yaml`
 * explains the format. A component replaces one of the same name. Unknown fields, roles and ports are errors that name
 * their place (`CATALOGUE_INVALID`).
 */
export function parseComponents(documents: readonly SourceDocument[]): Loaded<ComponentCatalogue> {
  const roles = new Map<string, string>();
  const domains = new Map<string, readonly string[]>();
  const components = new Map<string, Component>();
  for (const document of documents) {
    try {
      const root = objectOf(document.value, [], ["roles", "components", "domains"]);
      for (const [name, about] of members(root, "roles")) roles.set(name, textOf(about, ["roles", name]));
      for (const [name, value] of members(root, "domains")) domains.set(name, domainNames(value, ["domains", name]));
      for (const [i, value] of listOf(root["components"], ["components"]).entries()) {
        const component = readComponent(value, ["components", i], roles);
        components.set(component.name, component);
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      const { at, message } = error;
      const span = document.locate(at);
      return failed({ code: "CATALOGUE_INVALID", severity: "error", message: `${toDotted(at)}: ${message}`, span });
    }
  }
  return loaded({ roles, components: [...components.values()], domains });
}

const fields = ["name", "title", "role", "labels", "images", "ports", "random", "from", "to", "source", "checked"];

function readComponent(value: JsonValue, at: JsonPath, roles: ReadonlyMap<string, string>): Component {
  const entry = objectOf(value, at, fields);
  const name = textOf(entry["name"], [...at, "name"]);
  const role = textOf(entry["role"], [...at, "role"]);
  if (!roles.has(role)) throw new Malformed([...at, "role"], `${role} is not one of ${[...roles.keys()].join(", ")}`);
  const ports = listOf(entry["ports"], [...at, "ports"]).map((port, i) => readPort(port, [...at, "ports", i]));
  const own = new Set(ports.map((port) => port.name));
  const talks = (key: "from" | "to") =>
    listOf(entry[key], [...at, key]).map((talk, i) => readTalk(talk, [...at, key, i], roles, key === "from" ? own : undefined));
  return {
    name,
    title: entry["title"] === undefined ? name : textOf(entry["title"], [...at, "title"]),
    role,
    labels: listOf(entry["labels"], [...at, "labels"]).map((needs, i) => readNeeds(needs, [...at, "labels", i])),
    images: texts(entry["images"], [...at, "images"]),
    ports,
    random: entry["random"] === true,
    from: talks("from"),
    to: talks("to"),
    source: entry["source"] === undefined ? "" : textOf(entry["source"], [...at, "source"]),
    checked: entry["checked"] !== false,
  };
}

function readPort(value: JsonValue, at: JsonPath): ComponentPort {
  const entry = objectOf(value, at, ["port", "endPort", "protocol", "name"]);
  const port = portOf(entry["port"], [...at, "port"]);
  const endPort = entry["endPort"] === undefined ? port : portOf(entry["endPort"], [...at, "endPort"]);
  const protocol = protocols.find((p) => p === (entry["protocol"] ?? "TCP"));
  if (protocol === undefined) throw new Malformed([...at, "protocol"], `must be one of ${protocols.join(", ")}`);
  return { port, endPort, protocol, name: entry["name"] === undefined ? "" : textOf(entry["name"], [...at, "name"]) };
}

function portOf(value: JsonValue | undefined, at: JsonPath): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 65535) {
    throw new Malformed(at, "must be a port, 1 to 65535");
  }
  return value;
}

/** `own`: names of ports that may be used; undefined where the other side listens, and only numbers say anything. */
function readTalk(value: JsonValue, at: JsonPath, roles: ReadonlyMap<string, string>, own: Set<string> | undefined): Talk {
  const entry = objectOf(value, at, ["role", "component", "same", "labels", "namespaces", "entity", "ports", "scope"]);
  const scope = entry["scope"] ?? "namespace";
  if (scope !== "namespace" && scope !== "cluster") throw new Malformed([...at, "scope"], "must be namespace or cluster");
  const ports = entry["ports"] === undefined ? undefined : listOf(entry["ports"], [...at, "ports"]);
  return {
    peer: readPeer(entry, at, roles),
    ports: ports?.map((port, i) => {
      const place = [...at, "ports", i];
      if (typeof port !== "string") return portOf(port, place);
      if (own?.has(port) !== true) throw new Malformed(place, `${port} is not the name of a port above`);
      return port;
    }),
    scope,
  };
}

function readPeer(entry: JsonObject, at: JsonPath, roles: ReadonlyMap<string, string>): ComponentPeer {
  if (entry["role"] !== undefined) {
    const names = texts(entry["role"], [...at, "role"]);
    const unknown = names.find((name) => !roles.has(name));
    if (unknown !== undefined) throw new Malformed([...at, "role"], `${unknown} is not a role`);
    return { kind: "role", roles: names };
  }
  if (entry["component"] !== undefined) return { kind: "component", names: texts(entry["component"], [...at, "component"]) };
  if (entry["same"] !== undefined) return { kind: "same", label: textOf(entry["same"], [...at, "same"]) };
  if (entry["labels"] !== undefined) return { kind: "labels", needs: readNeeds(entry["labels"], [...at, "labels"]) };
  if (entry["namespaces"] !== undefined)
    return { kind: "namespaces", needs: readNeeds(entry["namespaces"], [...at, "namespaces"]) };
  const entity = entities.find((e): e is Entity => e === entry["entity"]);
  if (entity === undefined) throw new Malformed(at, "needs one of role, component, same, labels, namespaces, entity");
  return { kind: "entity", entity };
}

function readNeeds(value: JsonValue | undefined, at: JsonPath): readonly LabelNeed[] {
  return Object.entries(objectOf(value, at)).map(([key, wanted]) => {
    if (!isLabelKey(key)) throw new Malformed([...at, key], "is not a label key");
    if (wanted === "*") return { key, values: undefined };
    const values = isArray(wanted) ? texts(wanted, [...at, key]) : [textOf(wanted, [...at, key])];
    const wrong = values.find((v) => !isLabelValue(v));
    if (wrong !== undefined) throw new Malformed([...at, key], `${JSON.stringify(wrong)} is not a label value`);
    return { key, values };
  });
}

function domainNames(value: JsonValue | undefined, at: JsonPath): readonly string[] {
  return texts(objectOf(value, at, ["names", "source"])["names"], [...at, "names"]);
}

function members(root: JsonObject, key: string): readonly (readonly [string, JsonValue | undefined])[] {
  return root[key] === undefined ? [] : Object.entries(objectOf(root[key], [key]));
}

function objectOf(value: JsonValue | undefined, at: JsonPath, known?: readonly string[]): JsonObject {
  if (!isObject(value)) throw new Malformed(at, "must be an object");
  const unknown = known === undefined ? undefined : Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Malformed([...at, unknown], "unknown field");
  return value;
}

function listOf(value: JsonValue | undefined, at: JsonPath): readonly JsonValue[] {
  if (value === undefined) return [];
  if (!isArray(value)) throw new Malformed(at, "must be a list");
  return value;
}

function texts(value: JsonValue | undefined, at: JsonPath): readonly string[] {
  return listOf(value, at).map((item, i) => textOf(item, [...at, i]));
}

function textOf(value: JsonValue | undefined, at: JsonPath): string {
  if (typeof value !== "string" || value === "") throw new Malformed(at, "must be a text");
  return value;
}
