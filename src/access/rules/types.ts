import type { Instant } from "../../core/host.ts";
import type { Person } from "../person.ts";
import type { ApprovalSlot, Ask } from "../request.ts";

/**
 * What a rule says to an ask: it approves by itself, refuses, leaves it to its approvers, or wants more approvers than usual.
 * From the most to the least restrictive: reject, require, no-opinion, approve.
 */
export type RuleVerdict = "approve" | "reject" | "no-opinion" | "require";

export interface OfferContext {
  readonly at: Instant;
  /** Where a session or an exception is for; a call says it itself. Undefined: not known, then a rule that names clusters offers none. */
  readonly cluster?: string | undefined;
  /** Only break-glass rules answer a break-glass ask, and they answer no other. */
  readonly breakGlass?: boolean | undefined;
  /** Labels of the namespace it is about; undefined: not known, then a rule that asks for labels offers nothing. */
  readonly namespaceLabels?: { readonly [key: string]: string } | undefined;
  /** From the RBAC analysis: what the action would give, 0 (nothing) to 100 (the cluster), and why. Undefined: not known. */
  readonly rbacRisk?: { readonly score: number; readonly reasons: readonly string[] } | undefined;
}

/** One rule that offers what is asked, with everything resolved for this requester and time. */
export interface RuleOffer {
  readonly rule: string;
  /** SHA-256 of the rule's document, hex. */
  readonly version: string;
  readonly verdict: RuleVerdict;
  /** Why the verdict, in a sentence, for the requester and the record. */
  readonly because: string;
  /** Who must agree. Empty where the verdict is `approve` or `reject`; never empty otherwise, but a slot's approvers may be nobody. */
  readonly slots: readonly ApprovalSlot[];
  /** Break-glass: who looks at it afterwards, as the rule's approvals name them. Empty for all others. */
  readonly reviewers: readonly ApprovalSlot[];
  /** The longest a grant lives, from the approval. */
  readonly grantMilliseconds: number;
  /** How long the request waits for a decision. */
  readonly pendingMilliseconds: number;
  /** The gateway keeps a refused call waiting so long for the decision; 0: it answers at once. */
  readonly holdSeconds: number;
  /** What the grant's group is bound to. Undefined: the rule is for exceptions only. */
  readonly role?: { readonly kind: "Role" | "ClusterRole"; readonly name: string } | undefined;
  /** `castellan:grant:<rule>`. */
  readonly group: string;
  /** How a session may run. */
  readonly modes: readonly ("gateway" | "rolebinding")[];
  readonly breakGlass: boolean;
  readonly reasonRequired: boolean;
}

/** The compiled access rules: immutable, replaced as a whole when a document changes. */
export interface AccessRules {
  /** The rules that let this person ask for this, in order of name. None: there is no access path. */
  offers(person: Person, ask: Ask, context: OfferContext): readonly RuleOffer[];
  /** Whether a rule offers exceptions from this policy (`group/Kind/name`) there to somebody, for the text of a denial. */
  offersException(policy: string, namespace: string, cluster: string): boolean;
}
