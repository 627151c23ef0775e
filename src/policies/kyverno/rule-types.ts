import type { Loaded } from "../../core/diagnostic.ts";
import type { Host } from "../../core/host.ts";
import type { JsonObject, JsonPath, JsonValue } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { CompileEnv, RuleContext, RuleKind, RuleResult } from "../policy.ts";

/**
 * What variables and JMESPath expressions see during one evaluation of one rule. Never changed: loops and
 * context entries make child scopes.
 */
export interface RuleScope {
  /**
   * The root value of every expression: `request`, `images`, `serviceAccountName`, `element`, `target` ...
   * Context entries are lazy, cached getters; reading one may throw (NeedsFacts, or an Error with the reason).
   */
  readonly root: JsonObject;
  /** In DELETE requests the text `request.object` in a variable means `request.oldObject`. */
  readonly deleting: boolean;
  readonly host: Host;
  /** The action, facts and budget behind the scope. */
  readonly context: RuleContext;
  /** Exceptions that match this rule and object and lift only Pod Security controls. */
  readonly exceptions: readonly PodSecurityException[];
  /** A child scope with these members of the root added or replaced. */
  with(members: JsonObject): RuleScope;
  /** As \`with\`; the members are made when a variable is first read. */
  withMembers(compute: () => JsonObject): RuleScope;
  /** A child scope with a member that is computed when it is first read, and then kept. */
  withLazy(name: string, compute: () => JsonValue): RuleScope;
  /** A child scope where `request.object` is `object`. */
  withObject(object: KubernetesObject): RuleScope;
}

/** The part of a PolicyException that names Pod Security controls. */
export interface PodSecurityException {
  /** `namespace/name` */
  readonly key: string;
  /** `spec.podSecurity`: the same entries as `validate.podSecurity.exclude`. */
  readonly podSecurity: readonly JsonValue[];
}

/** One rule as its compiler receives it: after autogen, its fields already checked for unknown names and wrong types. */
export interface RuleSource {
  /** Autogen's name for generated rules. */
  readonly name: string;
  /** The whole rule. */
  readonly spec: JsonObject;
  /** Where the rule (or the one it was generated from) stands in `policy.document`. */
  readonly path: JsonPath;
  readonly policy: PolicySource;
}

export interface PolicySource {
  readonly name: string;
  /** Empty for a ClusterPolicy. */
  readonly namespace: string;
  readonly spec: JsonObject;
  readonly document: SourceDocument<KubernetesObject>;
}

/** What a rule does once it matched, its context is loaded, its preconditions hold and no exception lifts it. */
export interface RuleBody {
  readonly kind: RuleKind;
  /** Empty: nothing to report. */
  evaluate(scope: RuleScope): readonly RuleResult[];
}

/**
 * Compiles the part of a rule that one of `validate.podSecurity`, `mutate`, `generate` or `verifyImages` holds.
 * A verifyImages rule gives two bodies: `verify` (signatures, digests, may change the object) and `validate` (required, verifyDigest).
 */
export type RuleCompiler = (rule: RuleSource, env: CompileEnv) => Loaded<readonly RuleBody[]>;

/** Adds the entries of a `context` list to a scope; compiled by `compileContext`. */
export type ScopeExtension = (scope: RuleScope) => RuleScope;
