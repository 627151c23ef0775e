import { isObject } from "../../../core/json.ts";
import { decodeBase64, illegalBase64At } from "../fields/base64.ts";
import { isTemplate } from "../fields/placeholder.ts";
import { adviceFix, type LintIssue } from "../issue.ts";
import type { ObjectCheck } from "../object-check.ts";
import { isPlaceholder, longestPlaceholder, printable } from "./text.ts";

/** Secrets that still hold a placeholder, and `data` that is not base64. */
export const secretDataCheck: ObjectCheck = {
  kinds: ["/Secret"],
  check(secret) {
    const data = secret["data"];
    const stringData = secret["stringData"];
    return [
      ...(isObject(data) ? Object.entries(data).flatMap(([key, value]) => dataIssue(key, value)) : []),
      ...(isObject(stringData) ? Object.entries(stringData).flatMap(([key, value]) => stringIssue(key, value)) : []),
    ];
  },
};

function dataIssue(key: string, value: unknown): LintIssue[] {
  if (typeof value !== "string" || value === "" || isTemplate(value)) return [];
  const path = ["data", key];
  const base = { check: "secret-data", path, status: "fail" } as const;
  const offset = illegalBase64At(value);
  if (offset !== undefined) {
    const placeholder = isPlaceholder(value);
    return [
      {
        ...base,
        rule: placeholder ? "placeholder" : "not-base64",
        server: "refuses-object",
        message: `data.${key} is not base64 (illegal base64 data at input byte ${offset})${placeholder ? ": a placeholder was never replaced" : ""}. The API server refuses the Secret.`,
        fix: adviceFix("Encode the value (base64 -w0), or put it into stringData; better, fetch it from a secret store."),
      },
    ];
  }
  if (value.length > 2 * longestPlaceholder) return [];
  const bytes = decodeBase64(value);
  const text = bytes === undefined ? undefined : printable(bytes);
  if (text !== undefined && isPlaceholder(text)) return [filler(path, key, text)];
  if (text === undefined && looksLikeWords(value)) {
    return [
      {
        ...base,
        rule: "not-encoded",
        status: "warn",
        message: `data.${key} is valid base64 by accident: it reads like plain text, and decodes to bytes that are none. Pods will see those bytes.`,
        fix: adviceFix("Encode the value (base64 -w0), or put it into stringData."),
      },
    ];
  }
  return [];
}

function stringIssue(key: string, value: unknown): LintIssue[] {
  return typeof value === "string" && !isTemplate(value) && isPlaceholder(value) ? [filler(["stringData", key], key, value)] : [];
}

function filler(path: readonly string[], key: string, text: string): LintIssue {
  return {
    check: "secret-data",
    rule: "placeholder",
    path,
    status: "warn",
    severity: "low",
    message: `${key} holds the placeholder ${JSON.stringify(text.trim())}: the API server accepts it, and pods start with it.`,
    fix: adviceFix("Fetch the value from a secret store, or set it when the Secret is created."),
  };
}

/** `changeme`, `mypassword`: a word of lower-case letters, which encoded bytes very rarely are. */
function looksLikeWords(text: string): boolean {
  return /^[a-z]{4,40}$/.test(text) || /^[A-Z]{8,40}$/.test(text);
}
