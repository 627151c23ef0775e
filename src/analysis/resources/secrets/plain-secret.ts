import { isArray, isObject, type JsonPath, type JsonValue, toDotted } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { adviceFix, type LintIssue } from "../issue.ts";
import type { ObjectCheck } from "../object-check.ts";
import { groupKind } from "../scanned-set.ts";
import { isLiteralCredential, namesCredential, recogniseToken } from "./credential.ts";

/** Environment variables, arguments and ConfigMaps that hold credentials as they are. */
export const plainSecretCheck: ObjectCheck = {
  check(object) {
    const kind = groupKind(object);
    if (kind === "/ConfigMap") return configMapIssues(object);
    // A CustomResourceDefinition describes env and args; it holds none. Secrets are where credentials belong.
    if (kind === "/Secret" || kind === "apiextensions.k8s.io/CustomResourceDefinition") return [];
    const issues: LintIssue[] = [];
    visit(object, [], issues);
    return issues;
  },
};

function visit(value: JsonValue | undefined, path: (string | number)[], issues: LintIssue[]): void {
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      path.push(i);
      visit(value[i], path, issues);
      path.pop();
    }
    return;
  }
  if (!isObject(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (path.length === 0 && (key === "metadata" || key === "status")) continue;
    path.push(key);
    if (key === "env" && isArray(child)) issues.push(...child.flatMap((entry, i) => envIssue(entry, [...path, i])));
    else if ((key === "args" || key === "command") && isArray(child)) {
      issues.push(...child.flatMap((text, i) => argIssue(text, [...path, i])));
    } else visit(child, path, issues);
    path.pop();
  }
}

function envIssue(entry: JsonValue, path: JsonPath): LintIssue[] {
  if (!isObject(entry)) return [];
  const { name, value } = entry;
  if (typeof name !== "string" || typeof value !== "string") return [];
  const token = recogniseToken(value);
  if (token === undefined && !(namesCredential(name) && isLiteralCredential(value))) return [];
  return [
    issue(
      "env",
      [...path, "value"],
      `The environment variable ${name} holds ${token ?? "a credential"} in plain text.`,
      token !== undefined,
    ),
  ];
}

function argIssue(text: JsonValue, path: JsonPath): LintIssue[] {
  const token = typeof text === "string" ? recogniseToken(text) : undefined;
  return token === undefined ? [] : [issue("argument", path, `${toDotted(path)} holds ${token} in plain text.`, true)];
}

function configMapIssues(object: KubernetesObject): LintIssue[] {
  const data = object["data"];
  if (!isObject(data)) return [];
  return Object.entries(data).flatMap(([key, value]) => {
    if (typeof value !== "string") return [];
    const token = recogniseToken(value);
    if (token === undefined && !(namesCredential(key) && isLiteralCredential(value))) return [];
    return [
      issue(
        "config-map",
        ["data", key],
        `data.${key} of the ConfigMap holds ${token ?? "a credential"} in plain text.`,
        token !== undefined,
      ),
    ];
  });
}

/** A name alone is weaker evidence than the form of the value. */
function issue(rule: string, path: JsonPath, message: string, certain: boolean): LintIssue {
  return {
    check: "plain-secret",
    rule,
    path,
    status: "fail",
    ...(certain ? {} : { severity: "medium" as const }),
    message: `${message} Whoever may read the manifest or the object has it.`,
    fix: adviceFix("Keep it in a Secret that an external store fills, and refer to it with valueFrom.secretKeyRef."),
  };
}
