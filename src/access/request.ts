import type { Instant } from "../core/host.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Person } from "./person.ts";
import type { RequestedAction } from "./requested-action.ts";

/** What is asked for. */
export type Ask =
  /** Exactly this call, once. */
  | {
      readonly type: "action";
      readonly action: RequestedAction;
      /** `actionDigest` over the action, the person and the version of the rule: hex SHA-256. */
      readonly digest: string;
      /** For the approver: the object before and after, where they are known; secrets' data are marked. */
      readonly preview?:
        | {
            readonly before?: JsonObject | undefined;
            readonly after?: JsonObject | undefined;
            /** The body as a value: a patch, or the whole object. */
            readonly sent?: JsonValue | undefined;
            /** There is a body of which nobody can say what it asks for: binary, compressed, or ambiguous. */
            readonly unread?: boolean | undefined;
          }
        | undefined;
    }
  /** The rule's role in a namespace, for a while. */
  | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    }
  /** One object may break one policy, until then. */
  | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: { readonly apiVersion: string; readonly kind: string; readonly namespace: string; readonly name: string };
      readonly until: Instant;
    };

/** Who may fill a slot. Both lists empty: nobody. */
export interface Approvers {
  /** Exact group names, as the identity provider says them. */
  readonly groups: readonly string[];
  /** Values of `Person.human`. */
  readonly humans: readonly string[];
  /** Separation of duties: whoever is one of these is no approver, and neither is who the directory does not know. */
  readonly except?: { readonly groups: readonly string[]; readonly humans: readonly string[] } | undefined;
}

/** So many distinct humans of these must agree. */
export interface ApprovalSlot {
  /** How the rule names them: `group:platform-oncall`, `manager-of(requester)`, `on-call:ml-platform`. */
  readonly name: string;
  readonly approvers: Approvers;
  readonly count: number;
}

export interface Approval {
  readonly by: Person;
  readonly at: Instant;
  readonly verdict: "approve" | "deny";
  readonly comment: string;
  /** Where it was said. */
  readonly channel: "cli" | "console" | "api" | "slack" | "rule";
  /** Names of the slots that this person could fill then: who is on call tomorrow takes nothing from it. */
  readonly fills?: readonly string[] | undefined;
}

/** Leave to do what was asked. */
export interface Grant {
  readonly id: string;
  readonly from: Instant;
  /** Never later, whatever clocks say. */
  readonly until: Instant;
  /** The group under which the call is forwarded: `castellan:grant:<rule>`. */
  readonly group: string;
  /**
   * A single action goes live -> consumed -> sent -> done or unknown, and back to live only from consumed, when nothing was sent.
   * A session and an exception stay live until they end.
   */
  readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
  /** How often a single action's grant was consumed: once more after each return. */
  readonly attempts?: number | undefined;
}

export type RequestPhase = "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";

/** A request for access with all that became of it: the one thing that is persisted and stepped. */
export interface AccessRequest {
  readonly id: string;
  readonly cluster: string;
  readonly requester: Person;
  readonly ask: Ask;
  readonly reason: string;
  /** The rule under which it was opened; its approvers are those of this version. */
  readonly rule: { readonly name: string; readonly version: string };
  /** What the grant's group is bound to, where the rule names a role. */
  readonly role?: { readonly kind: "Role" | "ClusterRole"; readonly name: string } | undefined;
  /** The gateway keeps the call waiting so long for the decision, as the rule says; 0 or undefined: it answers at once. */
  readonly holdSeconds?: number | undefined;
  /** Guardrails that asked for this approval; only these are lifted. */
  readonly guardrails: readonly string[];
  readonly breakGlass: boolean;
  /** Break-glass: whoever may fill one of these looks at it afterwards. Undefined or empty: nobody may. */
  readonly reviewers?: readonly ApprovalSlot[] | undefined;
  /** Break-glass: one of its reviewers has looked at it. */
  readonly reviewed?: { readonly by: Person; readonly at: Instant; readonly comment: string } | undefined;
  /** All must be filled, no human twice. Empty: the rule itself approved. */
  readonly slots: readonly ApprovalSlot[];
  readonly approvals: readonly Approval[];
  readonly opened: Instant;
  /** Decisions at or after this are too late. */
  readonly pendingUntil: Instant;
  /** How long the grant lives once approved. */
  readonly grantMilliseconds: number;
  readonly phase: RequestPhase;
  /** Why it ended: `expired`, `revoked`, `used`, `rule changed`, ... */
  readonly ended?: { readonly at: Instant; readonly why: string; readonly by?: Person | undefined } | undefined;
  readonly grant?: Grant | undefined;
  /** The latest time that any step saw: a clock that goes back does not give time. */
  readonly seen: Instant;
  /** Grows by one with every step. */
  readonly revision: number;
}
