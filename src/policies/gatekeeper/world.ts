import { asString, isArray, type JsonValue, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { templateGroup } from "../formats.ts";
import type { CompileEnv } from "../policy.ts";
import { compileTemplate, type Template } from "./template.ts";

type ObjectDocument = SourceDocument<KubernetesObject>;

/** A kind whose objects Gatekeeper keeps in `data.inventory`. */
export interface SyncedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Namespaces that Gatekeeper leaves alone, and in which of its processes; `*` stands for all. */
export interface Exemption {
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
}

/** What constraints and mutators share: everything of Gatekeeper that is compiled together. */
export interface GatekeeperWorld {
  /** By the kind of their constraints, in lower case. */
  readonly templates: ReadonlyMap<string, Template>;
  readonly synced: readonly SyncedKind[];
  readonly exemptions: readonly Exemption[];
  readonly documents: readonly ObjectDocument[];
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const textsOf = (value: JsonValue | undefined): readonly string[] => listOf(value).filter((item) => typeof item === "string");

function syncedKind(entry: JsonValue): SyncedKind {
  const text = (name: string) => asString(member(entry, name)) ?? "";
  return { group: text("group"), version: text("version"), kind: text("kind") };
}

const isConfig = (object: KubernetesObject): boolean => groupOf(object) === "config.gatekeeper.sh" && object.kind === "Config";
const isSyncSet = (object: KubernetesObject): boolean => groupOf(object) === "syncset.gatekeeper.sh" && object.kind === "SyncSet";

function syncedBy(object: KubernetesObject): readonly SyncedKind[] {
  const spec = object["spec"];
  if (isConfig(object)) return listOf(member(member(spec, "sync"), "syncOnly")).map(syncedKind);
  return isSyncSet(object) ? listOf(member(spec, "gvks")).map(syncedKind) : [];
}

function exemptionsOf(object: KubernetesObject): readonly Exemption[] {
  if (!isConfig(object)) return [];
  return listOf(member(object["spec"], "match")).map((entry) => ({
    processes: textsOf(member(entry, "processes")),
    namespaces: textsOf(member(entry, "excludedNamespaces")),
  }));
}

const worlds = new WeakMap<CompileEnv, GatekeeperWorld>();

/** Reads what the documents of one compilation say together; once for all of them. */
export function gatekeeperWorld(env: CompileEnv): GatekeeperWorld {
  const known = worlds.get(env);
  if (known !== undefined) return known;
  const documents = env.documents ?? [];
  const templates = documents
    .filter(({ value }) => groupOf(value) === templateGroup && value.kind === "ConstraintTemplate")
    .map(compileTemplate);
  const world: GatekeeperWorld = {
    templates: new Map(templates.map((template) => [template.kind.toLowerCase(), template])),
    synced: documents.flatMap(({ value }) => syncedBy(value)),
    exemptions: documents.flatMap(({ value }) => exemptionsOf(value)),
    documents,
  };
  worlds.set(env, world);
  return world;
}
