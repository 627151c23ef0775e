import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isKubernetesObject } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import { isGlobalContextEntry, readGlobalContextEntry } from "../../policies/kyverno/global-context-entry.ts";
import { accessProblems, isAccessDocument } from "../access/access-documents.ts";
import { liveDocument } from "../live/policy-informers.ts";
import { lintPolicyDocuments } from "../policy-lint/lint-documents.ts";
import { readReview, writeReview } from "./review.ts";

/** Codes of diagnostics are capitals; the linter's own checks are words, of which only this one refuses. */
const refusing = /^policy-lint\/([A-Z_]+|refused)$/;

/**
 * Answers the API server about a policy that somebody stores: one that could not be run is refused with what is wrong,
 * so that it is learnt by who writes it. Rejects where the review is none.
 */
export function reviewPolicy(review: JsonValue, schemas: KubernetesSchemas, now: number): JsonObject {
  const reading = readReview(review, now, () => undefined);
  if (!reading.ok) throw new Error(reading.reason);
  const { uid, action } = reading.request;
  const { object, oldObject } = action;
  const problems = object === undefined ? [] : problemsOf(object, schemas);
  // What was stored before we were there may still be labelled or deleted.
  const wasBroken = problems.length > 0 && oldObject !== undefined && problemsOf(oldObject, schemas).length > 0;
  const message = `the policy cannot be run:\n\n${problems.join("\n")}\n`;
  return writeReview(
    uid,
    { allowed: problems.length === 0 || wasBroken, message, warnings: wasBroken ? problems : [] },
    undefined,
  );
}

function problemsOf(object: JsonValue, schemas: KubernetesSchemas): readonly string[] {
  if (!isKubernetesObject(object)) return [];
  const document = liveDocument(object, "");
  if (isAccessDocument(document)) return accessProblems(document);
  if (isGlobalContextEntry(object)) return readGlobalContextEntry(document).diagnostics.map(({ message }) => message);
  const { findings } = lintPolicyDocuments([document], schemas);
  return findings
    .filter((finding) => finding.severity === "high" && refusing.test(finding.check.policy))
    .map((finding) => finding.message);
}
