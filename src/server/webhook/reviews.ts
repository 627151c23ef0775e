import { writeExactJson } from "../../core/exact-json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { diffJson } from "../../core/json-diff.ts";
import type { Labels } from "../../core/label-selector.ts";
import type { Admission, AdmissionStage } from "../../services/admission/admit.ts";
import type { AdmissionPolicies } from "../../services/admission/modes.ts";
import { readReview, writeReview } from "../../services/admission/review.ts";

export interface ReviewOptions {
  readonly admission: Admission;
  /** The policies of the moment. */
  readonly policies: () => AdmissionPolicies;
  readonly namespaceLabels: (namespace: string) => Labels | undefined;
  readonly now: () => number;
  /** Less than the webhook's own timeout, so that the answer says why. */
  readonly deadlineMilliseconds: number;
}

/** Answers AdmissionReviews on `/{mutate,validate}/{deny,allow}` and `/approved`; undefined for any other path. Rejects where no decision can be given. */
export async function answerReview(path: string, review: JsonValue, options: ReviewOptions): Promise<JsonObject | undefined> {
  const [, stage, onError] = /^\/(mutate|validate)\/(deny|allow)$/.exec(path) ?? [];
  if (stage === undefined && path !== "/approved") return undefined;
  const reading = readReview(review, options.now(), options.namespaceLabels);
  if (!reading.ok) throw new Error(reading.reason);
  const { uid, action } = reading.request;
  if (stage === undefined) return writeReview(uid, await options.admission.recheck(uid, action), undefined);
  const policies = options.policies()[onError === "deny" ? "deny" : "allow"];
  const answer = await options.admission.admit(uid, action, stage as AdmissionStage, policies, options.deadlineMilliseconds);
  const patch = answer.object === undefined ? [] : diffJson(action.object ?? null, answer.object);
  return writeReview(
    uid,
    answer,
    patch.length === 0 ? undefined : base64(patch.map((operation): JsonObject => ({ ...operation }))),
  );
}

const base64 = (patch: JsonValue): string => Buffer.from(writeExactJson(patch)).toString("base64");
