import { failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { parseDuration } from "../../core/duration.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject, nameOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { compileJmesPath, type JmesPathProgram } from "../../languages/jmespath/index.ts";
import { type ApiCallNeed, apiCallNeed } from "./api-call.ts";
import { DocumentReport } from "./report.ts";

export const globalContextKind = { group: "kyverno.io", kind: "GlobalContextEntry" } as const;

export const isGlobalContextEntry = (object: KubernetesObject): boolean =>
  groupOf(object) === globalContextKind.group && object.kind === globalContextKind.kind;

/** Objects that are followed; an empty namespace stands for all. */
export interface KeptObjects {
  readonly kind: "objects";
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace: string;
}

/** A call that is made again and again. */
export interface KeptAnswer {
  readonly kind: "answer";
  readonly need: ApiCallNeed;
  readonly refreshMilliseconds: number;
  /** How often a call that failed is made again at once. */
  readonly retries: number;
}

export interface GlobalContextEntry {
  readonly name: string;
  readonly source: KeptObjects | KeptAnswer;
  readonly projections: ReadonlyMap<string, JmesPathProgram>;
}

const refreshDefault = "10m";
/** As far as a timer reaches: 24 days. */
const longestRefresh = 2 ** 31 - 1;
/** As in the kind's schema. */
const mostRetries = 10;
const oneSecond = 1_000_000_000n;
const nanosecondsPerMillisecond = 1_000_000n;

/** Reads a `GlobalContextEntry` (kyverno.io) and refuses what Kyverno's own check refuses. */
export function readGlobalContextEntry(document: SourceDocument<KubernetesObject>): Loaded<GlobalContextEntry> {
  const report = new DocumentReport(document);
  const spec = document.value["spec"];
  const name = nameOf(document.value);
  const [resource, call] = [member(spec, "kubernetesResource"), member(spec, "apiCall")];
  const source =
    isObject(resource) && !isObject(call)
      ? keptObjects(resource, report)
      : isObject(call) && !isObject(resource)
        ? keptAnswer(call, report)
        : undefined;
  if (isObject(resource) === isObject(call)) problem(report, ["spec"], "needs one of kubernetesResource and apiCall");
  const projections = readProjections(member(spec, "projections"), name, report);
  return source === undefined || report.errorCount > 0
    ? failed(...report.diagnostics)
    : loaded({ name, source, projections }, report.diagnostics);
}

function problem(report: DocumentReport, path: JsonPath, message: string): undefined {
  report.error("KYV_GLOBAL_CONTEXT", path, message);
}

function keptObjects(spec: JsonObject, report: DocumentReport): KeptObjects {
  const text = (key: string) => asString(spec[key]) ?? "";
  const path = ["spec", "kubernetesResource"];
  const [group, version, resource] = [text("group"), text("version"), text("resource")];
  if (group === "" && version !== "v1") problem(report, [...path, "group"], "must be given for what is not of v1");
  if (version === "") problem(report, [...path, "version"], "must be given");
  if (resource === "") problem(report, [...path, "resource"], "must be given");
  return { kind: "objects", group, version, resource, namespace: text("namespace") };
}

function keptAnswer(spec: JsonObject, report: DocumentReport): KeptAnswer | undefined {
  const path = ["spec", "apiCall"];
  const method = spec["method"] ?? "GET";
  const hasData = isArray(spec["data"]) && spec["data"].length > 0;
  if (method !== "GET" && method !== "POST") problem(report, [...path, "method"], "must be GET or POST");
  if (hasData !== (method === "POST")) problem(report, [...path, "data"], "must be given with POST, and only then");
  const hasPath = (asString(spec["urlPath"]) ?? "") !== "";
  if (hasPath === isObject(spec["service"])) return problem(report, path, "needs one of urlPath and service");
  const written = asString(spec["refreshInterval"]) ?? refreshDefault;
  const refresh = parseDuration(written);
  if (refresh === undefined || refresh < oneSecond)
    return problem(report, [...path, "refreshInterval"], `must be a duration of one second at least, not ${written}`);
  const retries = spec["retryLimit"];
  return {
    kind: "answer",
    need: apiCallNeed(spec),
    refreshMilliseconds: Math.min(Number(refresh / nanosecondsPerMillisecond), longestRefresh),
    retries: typeof retries === "number" ? Math.min(retries, mostRetries) : 0,
  };
}

function readProjections(
  value: JsonValue | undefined,
  entry: string,
  report: DocumentReport,
): ReadonlyMap<string, JmesPathProgram> {
  const programs = new Map<string, JmesPathProgram>();
  for (const [i, projection] of (isArray(value) ? value : []).entries()) {
    const path = ["spec", "projections", i];
    const name = asString(member(projection, "name")) ?? "";
    const text = asString(member(projection, "jmesPath")) ?? "";
    if (name === "" || name === entry) problem(report, [...path, "name"], "must be given, and differ from the entry's name");
    const program = compileJmesPath(text);
    report.adopt(program.diagnostics, [...path, "jmesPath"]);
    if (text === "") problem(report, [...path, "jmesPath"], "must be given");
    if (program.ok) programs.set(name, program.value);
  }
  return programs;
}
