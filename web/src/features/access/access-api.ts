import { type Answer, addressOf, type Loading, useAnswer } from "../../api.ts";
import { act, type Done } from "../../session.ts";

const requests = "/api/v1/access/requests";
const one = "/api/v1/access/requests/{id}";

/** A request as the server shows it to whoever looks, with what they may do about it. */
export type RequestView = Answer<typeof requests>["items"][number];
/** With what helps to decide: the past, and what it could lead to. */
export type RequestDetailView = Answer<typeof one>;
export type SimilarDecision = RequestDetailView["similar"][number];
export type Risk = NonNullable<RequestDetailView["risk"]>;

interface RequestQuery {
  readonly mine?: boolean;
  readonly decidable?: boolean;
  readonly phase?: RequestView["phase"];
  readonly breakGlass?: boolean;
}

export const useRequests = (filter: RequestQuery): Loading<Answer<typeof requests>> =>
  useAnswer(requests, { query: { ...filter } });
export const useRequest = (id: string): Loading<RequestDetailView> => useAnswer(one, { path: { id } });

const step = (id: string, name: string, body: object): Promise<Done<RequestView>> =>
  act(`${addressOf(one, { path: { id } })}/${name}`, body);

export const decide = (id: string, verdict: "approve" | "deny", comment: string) => step(id, verdict, { comment });
export const cancel = (id: string) => step(id, "cancel", {});
export const revoke = (id: string, why: string) => step(id, "revoke", { why });
export const review = (id: string, comment: string) => step(id, "review", { comment });
export const open = (wanted: object): Promise<Done<RequestView>> => act(requests, wanted);

const offers = "/api/v1/access/offer";
export type Offer = NonNullable<Answer<typeof offers>["offer"]>;
/** What would come of asking; nothing is asked for. */
export const useOffer = (asked: {
  readonly [name: string]: string | number | boolean | undefined;
}): Loading<Answer<typeof offers>> => useAnswer(offers, { query: asked });

const locks = "/api/v1/access/locks";
export const useLocks = (): Loading<Answer<typeof locks>> => useAnswer(locks);
export const lock = (human: string, why: string): Promise<Done<unknown>> => act(locks, { human, why });
export const unlock = (human: string): Promise<Done<unknown>> =>
  act(addressOf(`${locks}/{human}`, { path: { human } }), undefined, "DELETE");

const notifications = "/api/v1/access/notifications";
export type DeadLetter = Answer<typeof notifications>["items"][number];
export const useDeadLetters = (): Loading<Answer<typeof notifications>> => useAnswer(notifications, { query: { state: "dead" } });
export const sendAgain = (id: string): Promise<Done<unknown>> => act(addressOf(`${notifications}/{id}/retry`, { path: { id } }));

const chatLinks = "/api/v1/access/chat-links";
export type ChatLink = Answer<typeof chatLinks>;
export const useChatLink = (code: string): Loading<ChatLink> => useAnswer(chatLinks, { query: { code } });
export const linkChat = (code: string): Promise<Done<ChatLink>> => act(chatLinks, { code });

const recordings = "/api/v1/access/recordings";
const recording = "/api/v1/access/recordings/{id}";
export type RecordingRow = Answer<typeof recordings>["items"][number];
export const useRecordings = (): Loading<Answer<typeof recordings>> => useAnswer(recordings, { query: { limit: 1000 } });
export const useRecording = (id: string): Loading<Answer<typeof recording>> => useAnswer(recording, { path: { id } });
/** An asciicast v2. */
export const recordingFile = (id: string): string => addressOf(`${recording}/cast`, { path: { id } });
