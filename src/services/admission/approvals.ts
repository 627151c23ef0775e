import type { Action } from "../../core/action.ts";
import type { Excuse } from "../../engine/index.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";

/** An approval that came along with an action. */
export type Lift =
  | {
      readonly ok: true;
      /** Guardrails whose demand for an approval or a reason it meets. */
      readonly guardrails: ReadonlySet<string>;
      /** As the record names it: `request <id>`. */
      readonly name: string;
      /** Marks it as used, on the disk. False: it has been used. */
      spend(): Promise<boolean>;
    }
  /** Something came along that is none. `isVoid`: an approval of this very call, whose object is another by now. */
  | { readonly ok: false; readonly why: string; readonly isVoid?: boolean };

/** What people approved, for admission. */
export interface Approvals {
  /** Undefined: nothing came along. */
  liftOf(action: Action): Lift | undefined;
  /** The approved exceptions for this object; undefined: there are none. */
  exceptionsOf(action: Action): Excuse | undefined;
  /** How to ask for an exception; undefined: no rule offers one. */
  advice(policy: CompiledPolicy, rule: string, action: Action): string | undefined;
}

/** The demands of guardrails that an approval can meet; a denial is none. */
const liftable: ReadonlySet<string> = new Set(["require-approval", "require-reason"]);

/** Both kinds of approval as one excuse; `onLift` is told when the approval that came along is what counted. */
export function excuseOf(lift: Lift | undefined, exceptions: Excuse | undefined, onLift: () => void): Excuse | undefined {
  if (lift?.ok !== true) return exceptions;
  return (policy, rule) => {
    if (isGuardrail(policy) && liftable.has(rule.name) && lift.guardrails.has(policy.id.name)) {
      onLift();
      return lift.name;
    }
    return exceptions?.(policy, rule);
  };
}

export const isGuardrail = ({ id }: CompiledPolicy): boolean => id.group === "castellan.dev" && id.kind === "Guardrail";
