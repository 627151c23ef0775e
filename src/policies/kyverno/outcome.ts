import { NeedsFacts } from "../../core/facts.ts";
import type { RuleStatus } from "../../core/finding.ts";
import { BudgetExceeded } from "../budget.ts";
import type { RuleResult } from "../policy.ts";

const outcome =
  (status: RuleStatus) =>
  (message: string): RuleResult => ({ status, message });

export const passed = outcome("pass");
export const skipped = outcome("skip");
export const failedWith = outcome("fail");
export const errorResult = outcome("error");

/** The text of something that was thrown; what stops the whole evaluation is thrown on. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof NeedsFacts || thrown instanceof BudgetExceeded) throw thrown;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The texts that are not empty, joined. */
export function joinNonEmpty(texts: readonly string[], separator: string): string {
  return texts.filter((text) => text !== "").join(separator);
}
