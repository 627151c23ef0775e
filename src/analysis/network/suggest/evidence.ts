import type { Observed } from "../flows/traffic.ts";
import type { Workload } from "../model.ts";
import type { AllowEvidence, Confidence } from "./allow.ts";

/** From so many days and flows on a rule is trusted. */
const enoughDays = 3;
const enoughFlows = 10;

/** What a rule rests on, and how far it can be trusted: rare flows and jobs are flagged, never dropped. */
export function evidenceOf(observed: readonly Observed[], workload: Workload): AllowEvidence {
  const flows = observed.reduce((sum, o) => sum + o.count, 0);
  const assumed = observed.reduce((sum, o) => sum + o.assumed, 0);
  const days = new Set(observed.flatMap((o) => [...o.days]));
  const flags: string[] = [];
  if (flows === 1) flags.push("seen once");
  if (assumed === flows) flags.push("the log does not say who opened the connection");
  if (days.size > 0 && days.size < enoughDays) flags.push(days.size === 1 ? "seen on one day" : `seen on ${days.size} days`);
  if (days.size >= enoughDays && !hasWeekendAndWorkday(days)) flags.push("no weekend or no workday seen");
  if (/^(CronJob|Job)$/.test(workload.owner.kind)) flags.push(`a ${workload.owner.kind} may do more another time`);
  const confidence: Confidence =
    flows === 1 || assumed === flows ? "low" : days.size >= enoughDays && flows >= enoughFlows ? "high" : "medium";
  return { flows, days: days.size, confidence, flags };
}

/** Day 0 of 1970 was a Thursday. */
function hasWeekendAndWorkday(days: ReadonlySet<number>): boolean {
  const isWeekend = [...days].map((day) => [0, 6].includes((day + 4) % 7));
  return isWeekend.includes(true) && isWeekend.includes(false);
}
