import type { Person } from "../../access/person.ts";
import type { AccessRequest, Approval, ApprovalSlot, Ask, RequestPhase } from "../../access/request.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { Instant } from "../../core/host.ts";

/** Why something was refused; messages say what to do next. */
export interface Refusal {
  readonly ok: false;
  /** Stable, of `diagnostic-codes`: `ACCESS_NO_RULE`, `ACCESS_SELF_APPROVAL`, `ACCESS_LAPSED`, ... */
  readonly code: string;
  readonly message: string;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | Refusal;

/** What somebody wants to have opened. */
export interface NewRequest {
  readonly requester: Person;
  /** An action's `digest` may be empty: the desk computes it once the rule is known. */
  readonly ask: Ask;
  /** Where; undefined: the action's own, else the desk's. */
  readonly cluster?: string | undefined;
  readonly reason: string;
  /** Names of the guardrails that need this approval. */
  readonly guardrails?: readonly string[] | undefined;
  readonly breakGlass?: boolean | undefined;
  /** The body, or the object that a write changes, could not be read: then no rule approves by itself. */
  readonly unread?: boolean | undefined;
  /** Undefined: the one rule that offers it; several that do: the most restrictive. */
  readonly rule?: string | undefined;
}

export interface RequestFilter {
  /** Of break-glass: all of it, or what nobody has looked at yet. */
  readonly breakGlass?: "all" | "unreviewed" | undefined;
  readonly phases?: readonly RequestPhase[] | undefined;
  /** Requests of this person. */
  readonly requester?: Person | undefined;
  /** Requests that this person may decide now. */
  readonly decidableBy?: Person | undefined;
  readonly cluster?: string | undefined;
  readonly limit?: number | undefined;
}

/** A grant that is being used: each call is durable when it resolves. */
export interface GrantUse {
  readonly request: AccessRequest;
  /** Before the first byte goes upstream. Refused: do not send. */
  sent(): Promise<Outcome<AccessRequest>>;
  /** The server has answered with this status. */
  done(status: number): Promise<void>;
  /** The connection broke after the first byte: never tried again. */
  unknown(why: string): Promise<void>;
  /** Nothing was sent: the grant is live again. */
  returned(why: string): Promise<void>;
}

/** The one way to requests, approvals and grants; the gateway, the API and chats all go through it. */
export interface AccessDesk {
  /** Opens a request where a rule offers it; the rule itself may approve it at once. */
  open(wanted: NewRequest): Promise<Outcome<AccessRequest>>;
  get(id: string): Promise<AccessRequest | undefined>;
  list(filter: RequestFilter): Promise<readonly AccessRequest[]>;
  /** Who looks at break-glass access: as its rule names them by now, or did when it was taken. */
  reviewersOf(request: AccessRequest): readonly ApprovalSlot[];
  decide(
    id: string,
    by: Person,
    verdict: Approval["verdict"],
    comment: string,
    channel: Approval["channel"],
  ): Promise<Outcome<AccessRequest>>;
  /** By the requester, before it is decided. */
  cancel(id: string, by: Person): Promise<Outcome<AccessRequest>>;
  /** By the requester, an approver of the rule, or an administrator (the caller has checked that). */
  revoke(id: string, by: Person, why: string): Promise<Outcome<AccessRequest>>;
  /** What was done with break-glass access was looked at, by one of those whom the rule's approvals name. */
  review(id: string, by: Person, comment: string): Promise<Outcome<AccessRequest>>;
  /**
   * The live grant of this person that covers the action, consumed in one transaction where it is for a single action.
   * A session's grant covers what the rule offers in its namespace. Undefined: there is none. `auditId` is the call's own, kept
   * with the use, so that the API server's log and the ledger can be joined. `guardrails` want an approval of this call: only a
   * grant that was approved in spite of all of them covers it.
   */
  use(
    person: Person,
    action: RequestedAction,
    auditId?: string | undefined,
    guardrails?: readonly string[] | undefined,
  ): Promise<GrantUse | undefined>;
  /** The live exceptions of a cluster, for admission. */
  exceptions(cluster: string): Promise<readonly AccessRequest[]>;
  /** No access for this person from now on, through any grant, on every replica; `until` undefined: until unlocked. */
  lock(human: string, by: Person, why: string, until?: Instant | undefined): Promise<void>;
  unlock(human: string, by: Person): Promise<void>;
  isLocked(human: string): boolean;
  /** Told of each request that changed, on whichever replica, within a second; the answer ends it. */
  onChange(listener: (request: AccessRequest) => void): () => void;
  /** Told of each lock; the answer ends it. */
  onLock(listener: (human: string) => void): () => void;
  /** Resolves with the request once it is no longer pending, or as it is at `until` or when `signal` aborts. */
  settled(id: string, until: Instant, signal?: AbortSignal | undefined): Promise<AccessRequest | undefined>;
}
