import type { Action } from "../../core/action.ts";
import type { Host } from "../../core/host.ts";
import { type Decision, type EvaluateOptions, evaluate, type PolicySet } from "../../engine/index.ts";
import { type FactSource, GatheredFacts } from "./facts.ts";

/** Look-ups one behind the other, as in a loop: more rounds than any sensible policy needs. The deadline ends them, too. */
const maximumRounds = 100;

/** The look-ups took too long, or led to ever more of them. */
export class LookupsFailed extends Error {}

/** Judges an action, looking up what the policies ask for. Rejects with `LookupsFailed`, at the moment `until` of `performance.now()`. */
export async function decide(
  policies: PolicySet,
  action: Action,
  source: FactSource,
  host: Host,
  options: EvaluateOptions,
  until: number,
): Promise<Decision> {
  const gathered = new GatheredFacts(source);
  // Most decisions need no look-up, and a timer for each review is dear.
  let signal: AbortSignal | undefined;
  for (let round = 0; round < maximumRounds; round++) {
    const evaluation = evaluate(policies, action, gathered, host, options);
    if (evaluation.kind === "decision") return evaluation.decision;
    signal ??= AbortSignal.timeout(Math.max(0, Math.floor(until - performance.now())));
    await gathered.gather(evaluation.needs, signal);
    if (signal.aborted) throw new LookupsFailed("the look-ups that the policies ask for took too long");
  }
  throw new LookupsFailed(`the policies ask for more after ${maximumRounds} rounds of look-ups`);
}
