import { type Action, type Operation, type Subject, targetOf } from "../../core/action.ts";
import { type Facts, noFacts } from "../../core/facts.ts";
import { jsonEquals } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import { evaluate, type PolicySet } from "../../engine/index.ts";
import type { OverlapEnv } from "../../engine/overlap/unit.ts";

/** One object that both sides judge, and where it comes from. */
export interface ProofObject {
  readonly object: KubernetesObject;
  readonly source: "tests" | "boundary" | "manifests";
  readonly namespaceLabels?: Labels | undefined;
  readonly actor?: Subject | undefined;
  readonly facts?: Facts | undefined;
}

/** What one side does: stops the request, changes its object, or neither. What cannot be evaluated stops it, too. */
type Verdict = "stopped" | "changed" | "admitted";

export interface Difference {
  readonly source: ProofObject["source"];
  readonly operation: Operation;
  readonly object: KubernetesObject;
  readonly before: Verdict;
  readonly after: Verdict;
}

/** What replaying found out. */
export interface Proof {
  /** Objects with what is done to them that both sides judged alike. */
  readonly agreed: number;
  /** How many of them were stopped, or changed. */
  readonly stopped: number;
  /** The first objects that they judge differently. */
  readonly differences: readonly Difference[];
  readonly sources: { readonly [source in ProofObject["source"]]: number };
}

const maxDifferences = 3;
const noLookUps = noFacts("a proof looks nothing up");

interface Change {
  readonly operation: Operation;
  readonly object: KubernetesObject | undefined;
  readonly oldObject: KubernetesObject | undefined;
}

function actionOf({ object, namespaceLabels, actor }: ProofObject, change: Change, env: OverlapEnv): Action {
  return {
    channel: "admission",
    actor,
    dryRun: false,
    target: targetOf(object, env.resources),
    ...change,
    namespaceLabels: namespaceLabels ?? {},
    at: env.host.now(),
  };
}

/** What may be done with an object; `good` is one of its kind that both sides admit, which it may have been before. */
function changesOf(object: KubernetesObject, good: KubernetesObject | undefined): readonly Change[] {
  return [
    { operation: "CREATE", object, oldObject: undefined },
    { operation: "UPDATE", object, oldObject: object },
    ...(good === undefined ? [] : [{ operation: "UPDATE", object, oldObject: good } as const]),
    { operation: "DELETE", object: undefined, oldObject: object },
  ];
}

interface Judgement {
  readonly verdict: Verdict;
  readonly object: KubernetesObject | undefined;
}

function judge(set: PolicySet, action: Action, facts: Facts, env: OverlapEnv): Judgement {
  const evaluation = evaluate(set, action, facts, env.host, { resources: env.resources, kinds: ["mutate", "validate"] });
  if (evaluation.kind === "pending") return { verdict: "stopped", object: undefined };
  const { counts, object } = evaluation.decision;
  if (counts.fail + counts.error + counts.warn > 0) return { verdict: "stopped", object: undefined };
  return { verdict: jsonEquals(object, action.object) ? "admitted" : "changed", object };
}

/** Judges every object in every operation by both sides. */
export function prove(before: PolicySet, after: PolicySet, objects: readonly ProofObject[], env: OverlapEnv): Proof {
  const sources = { tests: 0, boundary: 0, manifests: 0 };
  const differences: Difference[] = [];
  const good = new Map<string, KubernetesObject>();
  let agreed = 0;
  let stopped = 0;
  for (const one of objects) {
    sources[one.source]++;
    const { object, facts = noLookUps } = one;
    for (const change of changesOf(object, good.get(object.kind))) {
      const action = actionOf(one, change, env);
      const was = judge(before, action, facts, env);
      const is = judge(after, action, facts, env);
      if (was.verdict !== is.verdict || !jsonEquals(was.object, is.object)) {
        if (differences.length < maxDifferences) {
          const verdicts = { before: was.verdict, after: is.verdict };
          differences.push({ source: one.source, operation: change.operation, object, ...verdicts });
        }
        continue;
      }
      agreed++;
      if (was.verdict !== "admitted") stopped++;
      else if (change.operation === "CREATE" && !good.has(object.kind)) good.set(object.kind, object);
    }
  }
  return { agreed, stopped, differences, sources };
}
