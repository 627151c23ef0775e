import type { Severity } from "../../core/finding.ts";
import { policyName } from "../../engine/index.ts";
import type { CompiledPolicy, Enforcement } from "../../policies/policy.ts";
import { type PreviewRequest, previewPolicies } from "./preview.ts";
import { summarise } from "./summary.ts";

/** One policy's place in a rollout. */
export interface PlanStep {
  readonly policy: string;
  readonly title: string;
  readonly severity: Severity;
  readonly mode: Enforcement;
  /** `enforce`: stops nobody; `warn`: stops somebody, who hears of it first; `repair`: something could not be judged; `done`. */
  readonly next: "enforce" | "warn" | "repair" | "done";
  /** Severity times the objects it speaks of. */
  readonly risk: number;
  readonly covered: number;
  readonly stopped: number;
  readonly undecided: number;
  readonly teams: readonly string[];
  readonly namespaces: readonly string[];
  readonly users: readonly string[];
}

const weights: { readonly [severity in Severity]: number } = { info: 1, low: 2, medium: 5, high: 10, critical: 25 };
const strength: readonly Enforcement[] = ["audit", "warn", "enforce"];
const order = ["enforce", "warn", "repair", "done"] as const;

/** What to enforce first: what stops nobody, worst risk first; then most risk for each namespace and user it disturbs. */
export function planRollout(request: PreviewRequest): readonly PlanStep[] {
  const steps = request.policies.filter(isRollable).map((policy) => stepOf(policy, request));
  const worth = ({ risk, namespaces, users }: PlanStep) => risk / (1 + namespaces.length + users.length);
  return steps.sort(
    (a, b) => order.indexOf(a.next) - order.indexOf(b.next) || worth(b) - worth(a) || (a.policy < b.policy ? -1 : 1),
  );
}

/** Changes and generated objects stop nobody: they have no mode to be promoted to. */
const isRollable = (policy: CompiledPolicy) => policy.rules.some(({ kind }) => kind === "validate" || kind === "verify");

function stepOf(policy: CompiledPolicy, request: PreviewRequest): PlanStep {
  const preview = previewPolicies({ ...request, policies: [policy] });
  const { teams, namespaces, users } = summarise([...preview.stopped, ...preview.undecided]);
  const mode = modeOf(policy);
  const covered = preview.passed + preview.stopped.length + preview.undecided.length;
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
  const next =
    mode === "enforce" ? "done" : preview.undecided.length > 0 ? "repair" : preview.stopped.length > 0 ? "warn" : "enforce";
  return {
    policy: policyName(policy.id),
    title: policy.title,
    severity: policy.severity,
    mode,
    next,
    risk: weights[policy.severity] * covered,
    covered,
    stopped: preview.stopped.length,
    undecided: preview.undecided.length,
    teams: names(teams),
    namespaces: names(namespaces),
    users: names(users),
  };
}

/** The strongest that any of its rules has, outside of namespaces that differ. */
function modeOf(policy: CompiledPolicy): Enforcement {
  const modes = policy.rules.map((rule) => rule.enforcement("", {}));
  return strength.findLast((mode) => modes.includes(mode)) ?? "audit";
}
