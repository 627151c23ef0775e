import type { JsonPath } from "../../core/json.ts";
import { compareLevels, type Level, type LevelVersion, levels, parseLevel, parseVersion } from "./versions.ts";

/** What holds in one namespace. */
export interface NamespacePolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

/** A label that the API server refuses. */
export interface LabelError {
  readonly label: string;
  readonly path: JsonPath;
  readonly value: string;
  /** As the API server words it. */
  readonly message: string;
}

export const labelPrefix = "pod-security.kubernetes.io/";

/** The API server's own defaults: nothing is demanded. */
export const privilegedPolicy: NamespacePolicy = {
  enforce: { level: "privileged", version: "latest" },
  audit: { level: "privileged", version: "latest" },
  warn: { level: "privileged", version: "latest" },
};

/**
 * The policy of a namespace by its labels. As in the API server, an unreadable enforce level is `restricted`, an
 * unreadable audit or warn level `privileged`, an unreadable version the latest; without a warn label a stricter enforce
 * level warns, too.
 */
export function policyOfNamespace(
  labels: { readonly [key: string]: string },
  defaults: NamespacePolicy,
): { readonly policy: NamespacePolicy; readonly errors: readonly LabelError[] } {
  const errors: LabelError[] = [];
  const read = (mode: keyof NamespacePolicy, fallback: Level): LevelVersion => {
    const level = parsed(labels, `${labelPrefix}${mode}`, parseLevel, `must be one of ${levels.join(", ")}`, errors);
    const version = parsed(labels, `${labelPrefix}${mode}-version`, parseVersion, 'must be "latest" or "v1.x"', errors);
    return {
      level: level === "absent" ? defaults[mode].level : (level ?? fallback),
      version: version === "absent" ? defaults[mode].version : (version ?? "latest"),
    };
  };
  const enforce = read("enforce", "restricted");
  const audit = read("audit", "privileged");
  const warn = read("warn", "privileged");
  return { policy: { enforce, audit, warn: impliedWarning(labels, enforce, warn) }, errors };
}

function impliedWarning(labels: { readonly [key: string]: string }, enforce: LevelVersion, warn: LevelVersion): LevelVersion {
  const enforced = ownLabel(labels, `${labelPrefix}enforce`);
  const isImplied =
    ownLabel(labels, `${labelPrefix}warn`) === undefined &&
    enforced !== undefined &&
    parseLevel(enforced) !== undefined &&
    compareLevels(enforce.level, warn.level) > 0;
  if (!isImplied) return warn;
  const ownVersion = ownLabel(labels, `${labelPrefix}warn-version`) !== undefined;
  return { level: enforce.level, version: ownVersion ? warn.version : enforce.version };
}

function parsed<T>(
  labels: { readonly [key: string]: string },
  label: string,
  parse: (text: string) => T | undefined,
  demand: string,
  errors: LabelError[],
): T | undefined | "absent" {
  const value = ownLabel(labels, label);
  if (value === undefined) return "absent";
  const result = parse(value);
  if (result === undefined) {
    const message = `metadata.labels[${label}]: Invalid value: ${JSON.stringify(value)}: ${demand}`;
    errors.push({ label, path: ["metadata", "labels", label], value, message });
  }
  return result;
}

function ownLabel(labels: { readonly [key: string]: string }, label: string): string | undefined {
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}

/** All errors in one text, as the API server joins them. */
export function errorText(errors: readonly LabelError[]): string {
  return errors.length === 1 ? (errors[0]?.message ?? "") : `[${errors.map((e) => e.message).join(", ")}]`;
}
