import { jsonEquals } from "../../core/json.ts";
import { formatRef, groupOf, nameOf, namespaceOf, resourceRef } from "../../core/kubernetes.ts";
import { formatSpan } from "../../core/source.ts";
import { adviceFix, type LintIssue } from "./issue.ts";
import type { ObjectDocument } from "./scanned-set.ts";

/**
 * Objects that one file defines twice. Files apart are overlays, examples and variants of one thing, so they are not
 * compared. The finding stands at the later object.
 */
export function duplicateIssues(documents: readonly ObjectDocument[]): readonly (readonly [ObjectDocument, LintIssue])[] {
  const first = new Map<string, ObjectDocument>();
  const issues: (readonly [ObjectDocument, LintIssue])[] = [];
  for (const document of documents) {
    const { value, file } = document;
    if (nameOf(value) === "" || file.startsWith("cluster:")) continue;
    const key = JSON.stringify([file, groupOf(value), value.kind, namespaceOf(value), nameOf(value)]);
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, document);
    else issues.push([document, duplicate(earlier, document)]);
  }
  return issues;
}

function duplicate(earlier: ObjectDocument, later: ObjectDocument): LintIssue {
  const same = jsonEquals(earlier.value, later.value);
  const span = earlier.locate([]);
  const where = span === undefined ? earlier.file : formatSpan(span);
  return {
    check: "duplicate-object",
    rule: same ? "identical" : "different",
    path: [],
    status: "warn",
    ...(same ? { severity: "info" as const } : {}),
    message: `${formatRef(resourceRef(later.value))} stands at ${where} already${same ? ", word for word" : " with other content; whichever is applied last wins"}.`,
    evidence: { first: where },
    fix: adviceFix("Keep one of the two."),
  };
}
