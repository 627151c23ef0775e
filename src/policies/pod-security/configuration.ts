import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonPath, type JsonValue, member, toDotted, valueAt } from "../../core/json.ts";
import { parseApiVersion } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type NamespacePolicy, privilegedPolicy } from "./namespace-labels.ts";
import { type LevelVersion, levels, parseLevel, parseVersion } from "./versions.ts";

/** What is not judged. */
export interface Exemptions {
  readonly usernames: readonly string[];
  readonly namespaces: readonly string[];
  readonly runtimeClasses: readonly string[];
}

/** The admission plugin's configuration. */
export interface PodSecurityConfiguration {
  readonly defaults: NamespacePolicy;
  readonly exemptions: Exemptions;
}

export const defaultConfiguration: PodSecurityConfiguration = {
  defaults: privilegedPolicy,
  exemptions: { usernames: [], namespaces: [], runtimeClasses: [] },
};

const configurationGroup = "pod-security.admission.config.k8s.io";

/**
 * Reads a PodSecurityConfiguration, or an AdmissionConfiguration that holds one for the plugin `PodSecurity`.
 * Levels and versions that the API server would refuse are errors (`POD_SECURITY_CONFIGURATION`), and so are unknown fields.
 */
export function parseConfiguration(document: SourceDocument): Loaded<PodSecurityConfiguration> {
  const problems: Diagnostic[] = [];
  const path = pathOfConfiguration(document.value);
  const report = (at: JsonPath, message: string): void => {
    const text = at.length === 0 ? message : `${toDotted(at)}: ${message}`;
    problems.push({ code: "POD_SECURITY_CONFIGURATION", severity: "error", message: text, span: document.locate(at) });
  };
  if (path === undefined) {
    report([], "neither a PodSecurityConfiguration nor an AdmissionConfiguration of the plugin PodSecurity");
    return failed(...problems);
  }
  const root = valueAt(document.value, path);
  noOthers(root, path, ["apiVersion", "kind", "defaults", "exemptions"], report);
  const configuration = {
    defaults: readDefaults(member(root, "defaults"), [...path, "defaults"], report),
    exemptions: readExemptions(member(root, "exemptions"), [...path, "exemptions"], report),
  };
  return problems.length === 0 ? loaded(configuration) : failed(...problems);
}

type Reporter = (at: JsonPath, message: string) => void;

function pathOfConfiguration(value: JsonValue): JsonPath | undefined {
  const { group } = parseApiVersion(asString(member(value, "apiVersion")) ?? "");
  const kind = member(value, "kind");
  if (group === configurationGroup && kind === "PodSecurityConfiguration") return [];
  const plugins = group === "apiserver.config.k8s.io" && kind === "AdmissionConfiguration" ? member(value, "plugins") : undefined;
  if (!isArray(plugins)) return undefined;
  const index = plugins.findIndex((p) => member(p, "name") === "PodSecurity" && isObject(member(p, "configuration")));
  return index < 0 ? undefined : ["plugins", index, "configuration"];
}

function readDefaults(value: JsonValue | undefined, path: JsonPath, report: Reporter): NamespacePolicy {
  const fields = ["enforce", "audit", "warn"] as const;
  noOthers(value, path, [...fields, ...fields.map((f) => `${f}-version`)], report);
  const read = (mode: (typeof fields)[number]): LevelVersion => {
    const levelText = asString(member(value, mode)) ?? "";
    const versionText = asString(member(value, `${mode}-version`)) ?? "";
    const level = levelText === "" ? "privileged" : parseLevel(levelText);
    const version = versionText === "" ? "latest" : parseVersion(versionText);
    if (level === undefined) report([...path, mode], `must be one of ${levels.join(", ")}`);
    if (version === undefined) report([...path, `${mode}-version`], 'must be "latest" or "v1.x"');
    return { level: level ?? "restricted", version: version ?? "latest" };
  };
  return { enforce: read("enforce"), audit: read("audit"), warn: read("warn") };
}

function readExemptions(value: JsonValue | undefined, path: JsonPath, report: Reporter): Exemptions {
  noOthers(value, path, ["usernames", "namespaces", "runtimeClasses"], report);
  const read = (field: string): readonly string[] => {
    const list = member(value, field);
    if (list === undefined || list === null) return [];
    if (isArray(list) && list.every((item) => typeof item === "string")) return list;
    report([...path, field], "must be a list of strings");
    return [];
  };
  return { usernames: read("usernames"), namespaces: read("namespaces"), runtimeClasses: read("runtimeClasses") };
}

function noOthers(value: JsonValue | undefined, path: JsonPath, known: readonly string[], report: Reporter): void {
  if (value === undefined || value === null) return;
  if (!isObject(value)) report(path, "must be an object");
  else for (const key of Object.keys(value)) if (!known.includes(key)) report([...path, key], "unknown field");
}
