import { writeExactJson } from "../../core/exact-json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { diffJson } from "../../core/json-diff.ts";
import type { Labels } from "../../core/label-selector.ts";
import type { Admission, AdmissionStage } from "../../services/admission/admit.ts";
import type { OnError, PolicyGroups } from "../../services/admission/policy-groups.ts";
import { readReview, writeReview } from "../../services/admission/review.ts";

export interface ReviewOptions {
  readonly admission: Admission;
  /** The policies of the moment. */
  readonly policies: () => PolicyGroups;
  readonly namespaceLabels: (namespace: string) => Labels | undefined;
  readonly now: () => number;
}

/**
 * Answers AdmissionReviews on `/{mutate,validate}/{deny,allow}`, with a timeout in seconds behind it or not, and on `/approved`; undefined for
 * any other path. Rejects where no decision can be given, at the moment `until` of `performance.now()` at the latest: less than the caller waits, so that it is told why.
 */
export async function answerReview(
  path: string,
  review: JsonValue,
  until: number,
  options: ReviewOptions,
): Promise<JsonObject | undefined> {
  const [, stage, onError, timeout] = pathForm.exec(path) ?? [];
  if (stage === undefined && path !== "/approved") return undefined;
  const reading = readReview(review, options.now(), options.namespaceLabels);
  if (!reading.ok) throw new Error(reading.reason);
  const { uid, action } = reading.request;
  if (stage === undefined) return writeReview(uid, await options.admission.recheck(uid, action, until), undefined);
  const policies = options.policies().at(onError as OnError, timeout);
  const answer = await options.admission.admit(uid, action, stage as AdmissionStage, policies, until);
  const patch = answer.object === undefined ? [] : diffJson(action.object ?? null, answer.object);
  return writeReview(
    uid,
    answer,
    patch.length === 0 ? undefined : base64(patch.map((operation): JsonObject => ({ ...operation }))),
  );
}

const pathForm = /^\/(mutate|validate)\/(deny|allow)(?:\/([1-9]|[12]\d|30))?$/;

const base64 = (patch: JsonValue): string => Buffer.from(writeExactJson(patch)).toString("base64");
