import type { Action, Operation } from "../core/action.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Loaded } from "../core/diagnostic.ts";
import type { Facts, Need } from "../core/facts.ts";
import type { Fix, RuleStatus, Severity } from "../core/finding.ts";
import type { Host } from "../core/host.ts";
import type { JsonObject, JsonPath } from "../core/json.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import type { Labels } from "../core/label-selector.ts";
import type { SourceDocument } from "../core/source.ts";
import type { Budget } from "./budget.ts";

/** Names a policy across kinds: two policies of different kinds may share a name. */
export interface PolicyId {
  readonly group: string;
  readonly kind: string;
  /** Empty for cluster-scoped policies. */
  readonly namespace: string;
  readonly name: string;
}

export type RuleKind = "mutate" | "validate" | "generate" | "verify" | "delete";

/** Which kinds a rule can apply to; each part may hold the wildcards `*` and `?`. The engine's index is built from these. */
export interface KindSelector {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly subresource: string;
}

/** What an enforcing edge does about a failure. */
export type Enforcement = "audit" | "warn" | "enforce";

export interface RuleContext {
  readonly action: Action;
  /** The object as mutated so far. */
  readonly object: KubernetesObject | undefined;
  readonly oldObject: KubernetesObject | undefined;
  /** The object before the API server's own mutations, where those are made: selectors look at it. */
  readonly sent?: KubernetesObject | undefined;
  /** The object is as it will be stored: what a rule would change in it now comes too late. */
  readonly settled?: boolean | undefined;
  /** The API server's second round of its own mutations: the only invocations that may run. */
  readonly reinvoked?: ReadonlySet<string> | undefined;
  readonly facts: Facts;
  readonly host: Host;
  readonly budget: Budget;
  readonly resources: ApiResources;
  /** Stands for the evaluation of one action by all policies: what rules find out for each other is kept by it. */
  readonly evaluation?: object;
  /** Values given by hand (tests, what-if runs), merged into what the variables of a rule see; dotted names are nested. */
  readonly supplied?: ((policy: PolicyId, rule: string) => JsonObject | undefined) | undefined;
}

export interface RuleResult {
  readonly status: RuleStatus;
  readonly message: string;
  /** Where it differs from the policy's severity. */
  readonly severity?: Severity;
  /** Finds where in the object, when one place is to blame: of most results nobody asks. */
  readonly locate?: () => JsonPath | undefined;
  readonly evidence?: JsonObject;
  readonly fix?: Fix;
  /** Mutate and verify rules: the object after the rule. Absent: unchanged. */
  readonly object?: KubernetesObject;
  /** Mutate-existing rules: the other object that this result is about, after the rule. */
  readonly target?: KubernetesObject;
  readonly generated?: readonly KubernetesObject[];
  /** Which of the rule's invocations ran: those of rules that the API server may run again are told apart by it. */
  readonly invocation?: string;
  /** What a failure means, where that differs from what the rule says. */
  readonly enforcement?: Enforcement;
  /** Policy exceptions behind a skip, as `namespace/name`. */
  readonly exceptions?: readonly string[];
}

/** How the other objects that a rule makes or changes are kept afterwards, in Kyverno's words. */
export interface DownstreamTerms {
  /** They stay as the rule makes them, and go when what they were made for no longer asks for them. */
  readonly synchronize: boolean;
  /** Objects that are there when the policy comes are triggers, too. */
  readonly existing: boolean;
  /** What a synchronized rule made stays when the rule goes. */
  readonly orphan: boolean;
  readonly serverSideApply: boolean;
  /** What we write ourselves for a policy leads to nothing more. */
  readonly skipsOwnWrites: boolean;
  /** The kinds that it makes, as `group/kind`; undefined: only running it tells. */
  readonly kinds: ReadonlySet<string> | undefined;
  /** It looks at the request (who asks, say), at chance or at the clock: run again, it would want something else. */
  readonly runsOnce: boolean;
}

export interface CompiledRule {
  readonly name: string;
  readonly kind: RuleKind;
  readonly selectors: readonly KindSelector[];
  /** Undefined: every operation. */
  readonly operations: ReadonlySet<Operation> | undefined;
  /** A mutation that the API server makes itself, before any webhook; `reinvoke`: again where the object changed afterwards. */
  readonly inServer?: { readonly reinvoke: boolean };
  /** Of rules that make or change other objects than the request's. */
  readonly downstream?: DownstreamTerms | undefined;
  /**
   * Empty: the rule did not apply to this action, and nothing is reported. One result, except for rules that work on
   * several other objects (mutate-existing) or judge several pod specs of one object: one each.
   * @throws NeedsFacts when a fact is not known yet; BudgetExceeded
   */
  evaluate(context: RuleContext): readonly RuleResult[];
  /** What a failure means for an object in `namespace`, which has these labels. */
  enforcement(namespace: string, namespaceLabels: Labels): Enforcement;
}

export interface CompiledPolicy {
  readonly id: PolicyId;
  readonly origin: SourceDocument;
  readonly title: string;
  readonly category: string;
  readonly severity: Severity;
  /** As `framework:control`. */
  readonly controls: readonly string[];
  /** How to put a failure right, where its author says so. */
  readonly remedy?: string | undefined;
  /** What an enforcing edge does when a rule could not be evaluated (Kyverno's failurePolicy). */
  readonly onError: "deny" | "allow";
  /** How long a request may wait for the policy, seconds; undefined: as long as is usual. */
  readonly webhookTimeoutSeconds?: number | undefined;
  /** Whether results are shown to the client as warnings, too. */
  readonly emitWarning: boolean;
  /** Whether the policy judges objects outside admission. */
  readonly background: boolean;
  readonly admission: boolean;
  /** Kyverno's `applyRules: One`: the first rule that applies is the last. */
  readonly firstRuleOnly: boolean;
  /** Outside data whose address is known at compile time. */
  readonly needs: readonly Need[];
  readonly rules: readonly CompiledRule[];
}

export interface CompileEnv {
  readonly resources: ApiResources;
  /** PolicyException objects of every kind; a format takes those that are its own. */
  readonly exceptions?: readonly SourceDocument<KubernetesObject>[] | undefined;
  /** What puts policies into effect that have none by themselves. */
  readonly bindings?: readonly SourceDocument<KubernetesObject>[] | undefined;
  /** Everything that is compiled together: of some kinds one document says nothing without others. */
  readonly documents?: readonly SourceDocument<KubernetesObject>[] | undefined;
}

/** A policy kind is a parser to `CompiledPolicy`. */
export interface PolicyFormat {
  /** `*` as kind: all kinds of the group. */
  readonly kinds: readonly { readonly group: string; readonly kind: string }[];
  compile(document: SourceDocument<KubernetesObject>, env: CompileEnv): Loaded<CompiledPolicy>;
}
