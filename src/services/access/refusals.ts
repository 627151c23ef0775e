import type { DiagnosticCode } from "../../core/diagnostic-codes.ts";
import type { Refusal } from "./desk.ts";

export function refuse(code: Extract<DiagnosticCode, `ACCESS_${string}`>, message: string): Refusal {
  return { ok: false, code, message };
}

export const noRule = refuse(
  "ACCESS_NO_RULE",
  "No access rule offers this: rules name who may ask, for which verbs, resources and namespaces, and whether by breaking the glass. Whoever keeps the access rules can say what may be asked for.",
);
export const notLoaded = refuse("ACCESS_UNAVAILABLE", "The access rules are not loaded yet.");
export const noSweeper = refuse(
  "ACCESS_NO_SWEEPER",
  "Sessions by role bindings are off, or nothing would remove the bindings in time.",
);
