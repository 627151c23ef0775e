import type { Host } from "../../../core/host.ts";
import type { FunctionType } from "../types/type.ts";
import type { MapKey } from "../values/map-key.ts";
import type { Value } from "../values/value.ts";

/** What a builtin may use besides its arguments. One context serves one evaluation of one query. */
export interface BuiltinContext {
  readonly host: Host;
  /** Nanoseconds since the epoch; the same throughout one evaluation. */
  readonly nowNanoseconds: bigint;
  /** What builtins keep for the length of one evaluation (generated UUIDs by key, seeds ...), by name of the builtin. */
  readonly memory: Map<string, Map<MapKey, Value>>;
  /** Environment of `opa.runtime()`: an object, empty by default. */
  readonly runtime: Value;
  /** What answers `external_data`; undefined: nobody does. */
  readonly external?: ((request: Value) => Value) | undefined;
  /** Where `print` and `trace` write a line; undefined: nowhere. */
  readonly print?: ((line: string) => void) | undefined;
  /** Counts `steps` of work against the budget of the evaluation; throws where it is spent, and nobody may catch that. */
  spend(steps: number): void;
}

/**
 * A builtin that refused its arguments. `eval_type_error`: an operand of the wrong type or kind ("operand 1 must be
 * ..."); `eval_builtin_error`: anything else. `message` does not repeat the builtin's name.
 */
export class BuiltinError {
  readonly code: "eval_type_error" | "eval_builtin_error";
  readonly message: string;

  constructor(code: BuiltinError["code"], message: string) {
    this.code = code;
    this.message = message;
  }
}

/** A value; undefined: no result (OPA's BuiltinEmpty), the expression is undefined. */
export type BuiltinResult = Value | undefined | BuiltinError;

/** A builtin function as policies call it. */
export interface Builtin {
  /** `strings.any_prefix_match`; operators by their names (`plus`, `minus`, `eq`, `lt` ...). */
  readonly name: string;
  /** `+`: where the function is also an operator. */
  readonly infix?: string | undefined;
  readonly type: FunctionType;
  /** The result may differ between two calls with the same arguments in two evaluations. */
  readonly nondeterministic?: true;
  /** Refused in strict mode and in v1. */
  readonly deprecated?: true;
  call(args: readonly Value[], context: BuiltinContext): BuiltinResult;
  /** `walk`: several results for one call, in order. Where it is present, `call` is not used. */
  relation?(args: readonly Value[], context: BuiltinContext): Iterable<Value>;
}
