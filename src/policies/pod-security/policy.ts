import { toDotted } from "../../core/json.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import type { CompiledPolicy, CompiledRule, Enforcement, KindSelector, RuleContext, RuleResult } from "../policy.ts";
import type { Check } from "./check.ts";
import { type Judge, judgeCheck } from "./check-rule.ts";
import { defaultConfiguration, type Exemptions } from "./configuration.ts";
import { type DemandsOf, fixedDemands, namespaceDemands } from "./demand.ts";
import { podSecurityPolicyRule } from "./pod-security-policy.ts";
import { podsOf } from "./pods-of.ts";
import { activeChecks, checks } from "./registry.ts";
import { type Level, type Version, versionText } from "./versions.ts";

export interface PodSecurityOptions {
  /** Where objects hold pods. */
  readonly catalogue: WorkloadCatalogue;
  /** The latest unless told. */
  readonly version?: Version;
  readonly exemptions?: Exemptions;
  /** What a failure means at admission; `audit` unless told. */
  readonly enforcement?: Enforcement;
}

/** Subresources of a pod through which its spec changes. */
const podSubresources = ["ephemeralcontainers", "resize"];

const anyObject: readonly KindSelector[] = [
  { group: "*", version: "*", kind: "*", subresource: "" },
  ...podSubresources.map((subresource) => ({ group: "", version: "*", kind: "Pod", subresource })),
];

/** The Pod Security Standards at one level and version, the same in every namespace: one rule for each check. */
export function podSecurityPolicy(level: Exclude<Level, "privileged">, options: PodSecurityOptions): CompiledPolicy {
  const version = options.version ?? "latest";
  const active = activeChecks({ level, version }).map(({ check }) => check);
  return policyOf(level, active, judgeWith(fixedDemands({ level, version }), options), version);
}

/**
 * Both levels of the standards, as two policies: what breaks baseline is high or critical, what breaks only restricted
 * medium. Where a namespace's labels are known and say what it enforces, that holds instead.
 */
export function podSecurityPolicies(options: PodSecurityOptions): readonly CompiledPolicy[] {
  const version = options.version ?? "latest";
  const judge = judgeWith(namespaceDemands(version), options);
  return (["baseline", "restricted"] as const).map((level) => {
    const own = checks.filter((check) => check.level === level);
    const extra = level === "baseline" ? [readableRule(judge), podSecurityPolicyRule] : [];
    return policyOf(level, own, judge, version, extra);
  });
}

function judgeWith(demandsOf: DemandsOf, options: PodSecurityOptions): Judge {
  return {
    demandsOf,
    exemptions: options.exemptions ?? defaultConfiguration.exemptions,
    enforcement: options.enforcement ?? "audit",
    podsOf: podsOf(options.catalogue),
  };
}

function policyOf(
  level: Level,
  own: readonly Check[],
  judge: Judge,
  version: Version,
  extra: readonly CompiledRule[] = [readableRule(judge)],
): CompiledPolicy {
  return {
    id: { group: "", kind: "pod-security", namespace: "", name: level },
    origin: builtIn,
    title: `Pod Security Standards: ${level}${version === "latest" ? "" : ` (${versionText(version)})`}`,
    category: "Pod Security",
    severity: level === "baseline" ? "high" : "medium",
    controls: [],
    onError: "allow",
    emitWarning: false,
    background: true,
    admission: true,
    firstRuleOnly: false,
    needs: [],
    rules: [...own.map((check) => ruleOf(check.id, judge, (context) => judgeCheck(check, judge, context))), ...extra],
  };
}

/** No text holds these policies. */
const builtIn: SourceDocument = { file: "built-in", index: 0, value: {}, locate: () => undefined, locateKey: () => undefined };

function ruleOf(name: string, judge: Judge, evaluate: CompiledRule["evaluate"]): CompiledRule {
  return {
    name,
    kind: "validate",
    selectors: anyObject,
    operations: new Set(["CREATE", "UPDATE"]),
    evaluate,
    enforcement: () => judge.enforcement,
  };
}

/** Says which pods could not be judged: fields of a wrong type, which the API server refuses, and objects too large. */
function readableRule(judge: Judge): CompiledRule {
  return ruleOf("readable", judge, ({ object }: RuleContext): readonly RuleResult[] => {
    if (object === undefined) return [];
    const { pods, truncated } = judge.podsOf(object);
    const unread = pods.flatMap(({ found, pod }): readonly RuleResult[] => {
      const [mismatch] = pod.mismatches;
      if (mismatch === undefined) return [];
      const path = found.locate(mismatch.path);
      return [
        {
          status: "error",
          message: `the pod could not be checked: ${toDotted(path)} must be ${mismatch.expected}`,
          locate: () => path,
        },
      ];
    });
    const tooLarge: RuleResult = {
      status: "error",
      message: "the object is of an unknown kind and too large to be searched for pods",
    };
    return truncated ? [...unread, tooLarge] : unread;
  });
}
