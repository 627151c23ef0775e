import type { RequestView } from "../../../../src/services/access/request-view.ts";
import type { SimilarDecision } from "../../../../src/services/access/similar.ts";
import { type Loading, query, useAnswer } from "../../api.ts";

export type { RequestView, SimilarDecision };

import { act, type Done } from "../../session.ts";

/** What the action would give, by the RBAC analysis. */
export interface Risk {
  /** 0 (nothing) to 100 (the cluster). */
  readonly score: number;
  readonly reasons: readonly string[];
}

/** A request with what the server adds for who looks at it. */
export interface RequestDetailView extends RequestView {
  readonly similar: readonly SimilarDecision[];
  /** Undefined: what the rule gives is not known. */
  readonly risk?: Risk;
}

export interface Items<T> {
  readonly items: readonly T[];
}

const requests = "/api/v1/access/requests";
const at = (id: string) => `${requests}/${encodeURIComponent(id)}`;

export const useRequests = (filter: {
  readonly mine?: string;
  readonly decidable?: string;
  readonly phase?: string;
  readonly breakGlass?: string;
}): Loading<Items<RequestView>> => useAnswer(`${requests}${query(filter)}`);

export const useRequest = (id: string): Loading<RequestDetailView> => useAnswer(at(id));

export const decide = (id: string, verdict: "approve" | "deny", comment: string): Promise<Done<RequestView>> =>
  act(`${at(id)}/${verdict}`, { comment });
export const cancel = (id: string): Promise<Done<RequestView>> => act(`${at(id)}/cancel`);
export const revoke = (id: string, why: string): Promise<Done<RequestView>> => act(`${at(id)}/revoke`, { why });
export const review = (id: string, comment: string): Promise<Done<RequestView>> => act(`${at(id)}/review`, { comment });
export const open = (wanted: object): Promise<Done<RequestView>> => act(requests, wanted);

/** Somebody who may use no grant at all. */
export interface Lock {
  readonly human: string;
  readonly by: string;
  readonly why: string;
  readonly at: number;
  readonly until?: number;
}

export const useLocks = (): Loading<Items<Lock>> => useAnswer("/api/v1/access/locks");
export const lock = (human: string, why: string): Promise<Done<unknown>> => act("/api/v1/access/locks", { human, why });
export const unlock = (human: string): Promise<Done<unknown>> =>
  act(`/api/v1/access/locks/${encodeURIComponent(human)}`, {}, "DELETE");

/** A message that could not be delivered however often it was tried. */
export interface DeadLetter {
  readonly id: string;
  readonly request: string;
  readonly event: string;
  readonly target: string;
  readonly attempts: number;
  readonly created: number;
  readonly problem: string | null;
}

export const useDeadLetters = (): Loading<Items<DeadLetter>> => useAnswer("/api/v1/access/notifications?state=dead");
export const sendAgain = (id: string): Promise<Done<unknown>> =>
  act(`/api/v1/access/notifications/${encodeURIComponent(id)}/retry`);

/** A session that was recorded. */
export interface RecordingRow {
  readonly id: string;
  readonly kind: string;
  readonly user: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
  readonly command: readonly string[];
  readonly started: number;
  readonly ended?: number;
  readonly request?: string;
  /** Whether its digest is the one that the ledger holds. */
  readonly verified?: boolean;
}

const recordings = "/api/v1/access/recordings";
export const useRecordings = (): Loading<Items<RecordingRow>> => useAnswer(recordings);
export const useRecording = (id: string): Loading<RecordingRow> => useAnswer(`${recordings}/${encodeURIComponent(id)}`);
/** An asciicast v2. */
export const recordingFile = (id: string): string => `${recordings}/${encodeURIComponent(id)}/cast`;
