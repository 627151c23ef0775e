import type { DiagnosticCode } from "../../core/diagnostic-codes.ts";
import type { Person } from "../person.ts";
import type { AccessRequest, Approval, ApprovalSlot, Grant } from "../request.ts";

/** What can be done to a request. */
export type Command =
  | {
      readonly type: "approve" | "deny";
      readonly by: Person;
      readonly comment: string;
      readonly channel: Approval["channel"];
      /** The slots as the rule resolves them now: whoever is on call at this time. */
      readonly slots: readonly ApprovalSlot[];
    }
  | { readonly type: "cancel"; readonly by: Person }
  /** By a person, or by the system itself where the rule or the requester's right to it is gone. */
  | { readonly type: "revoke"; readonly by: Person | undefined; readonly why: string }
  | {
      readonly type: "review";
      readonly by: Person;
      readonly comment: string;
      /** The reviewers as the rule resolves them now; those of a rule that is gone are the ones it had. */
      readonly reviewers: readonly ApprovalSlot[];
    }
  /** Nothing but time. */
  | { readonly type: "elapse" }
  /** A single action begins; `digest` is that of the call at hand. */
  | { readonly type: "consume"; readonly by: Person; readonly digest: string; readonly auditId?: string | undefined }
  /** The first byte is about to go; `attempt` is the consumption that this belongs to. */
  | { readonly type: "sent"; readonly attempt: number }
  | { readonly type: "done"; readonly attempt: number; readonly status: number }
  | { readonly type: "unknown" | "returned"; readonly attempt: number; readonly why: string };

/** Why something ended without a decision of its approvers. */
export type EndHow = "used" | "unknown" | "expired" | "lapsed" | "cancelled" | "revoked" | "withdrawn";

/** What a step made happen: each is a record of the ledger. */
export type AccessEvent =
  | { readonly type: "requested" }
  | { readonly type: "decided"; readonly approval: Approval }
  | { readonly type: "granted"; readonly grant: Grant }
  | {
      readonly type: "used";
      readonly use: "consumed" | "sent" | "done" | "unknown" | "returned";
      readonly attempt: number;
      readonly status?: number | undefined;
      readonly why?: string | undefined;
      /** Of the call, as the API server's own log has it. */
      readonly auditId?: string | undefined;
    }
  | { readonly type: "ended"; readonly how: EndHow; readonly why: string; readonly by?: Person | undefined }
  | { readonly type: "reviewed"; readonly by: Person; readonly comment: string };

export interface StepRefusal {
  readonly code: Extract<DiagnosticCode, `ACCESS_${string}`>;
  readonly message: string;
}

/** What became of a request. A refused command may still have moved it: time ended it first. */
export interface Step {
  readonly request: AccessRequest;
  /** Empty: nothing changed, and there is nothing to keep. */
  readonly events: readonly AccessEvent[];
  readonly refused?: StepRefusal | undefined;
}
