import type { Host } from "../../../core/host.ts";
import type { Place } from "../ast.ts";
import type { BuiltinContext } from "../builtins/builtin.ts";
import type { MapKey } from "../values/map-key.ts";
import { type Member, RegoObject, type RegoSet, type Value } from "../values/value.ts";
import type { ObjectDraft } from "./object-draft.ts";

/** OPA's codes of what can go wrong while a query is evaluated. */
export type EvaluationCode =
  | "eval_builtin_error"
  | "eval_type_error"
  | "eval_conflict_error"
  | "eval_with_merge_error"
  | "eval_cancel_error"
  | "eval_internal_error";

/** Where an expression stands. */
export interface Site {
  readonly file: string;
  readonly at: Place | undefined;
}

/** Thrown where evaluation cannot go on; it never leaves a program. */
export class EvaluationFailure extends Error {
  readonly code: EvaluationCode;
  readonly site: Site | undefined;

  constructor(code: EvaluationCode, message: string, site?: Site) {
    super(message);
    this.code = code;
    this.site = site;
  }
}

/** The variables of one rule being evaluated, by number. */
export type Slots = (Value | undefined)[];

/** The value of a term whose variables are bound; undefined: there is none. */
export type Get = (m: Machine, s: Slots) => Value | undefined;

/** Looks for solutions; true: no further ones are wanted. */
export type Step = (m: Machine, s: Slots) => boolean;

/** A step given what comes after it. */
export type Link = (next: Step) => Step;

/** Goes on with a value that was found. */
export type Sink = (m: Machine, s: Slots, value: Value) => boolean;

/** Stands for "known to be undefined" in memory. */
export const nothing = Symbol("undefined");

export type Remembered = Value | typeof nothing | undefined;

/** What replaces a function under `with`: a value, or another function. */
export type Replacement =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "function"; readonly call: (m: Machine, args: readonly Value[]) => Value | undefined };

/** What `with` changes. */
export interface Surroundings {
  readonly input: Value | undefined;
  readonly base: RegoObject;
  /** Paths below `data` that are replaced: rules there do not count. */
  readonly targets: readonly (readonly Value[])[] | undefined;
  readonly replaced: ReadonlyMap<string, Replacement> | undefined;
  /** What rules came to, by their numbers. */
  readonly results: Remembered[];
  readonly parts: Map<string, Value> | undefined;
}

/** What one evaluation is given. */
export interface Evaluation {
  /** Undefined: there is no input. */
  readonly input?: Value | undefined;
  /** Base documents: an object. */
  readonly data?: RegoObject | undefined;
  readonly host: Host;
  /** Steps (look-ups of rules, iterations, calls) after which evaluation ends with an error. */
  readonly budget?: number | undefined;
  /** Asked every now and then; where it answers true, evaluation ends with an error. */
  readonly cancelled?: (() => boolean) | undefined;
  /** A builtin that refuses its arguments ends evaluation; else the expression is undefined. */
  readonly strictBuiltinErrors?: boolean | undefined;
  /** What `opa.runtime()` answers. */
  readonly runtime?: RegoObject | undefined;
  /** What answers `external_data`; without it, the builtin refuses. What it throws leaves the evaluation. */
  readonly external?: ((request: Value) => Value) | undefined;
}

/** More than any policy takes; a policy that never ends is stopped after a few seconds. */
const defaultBudget = 50_000_000;

const stepsBetweenChecks = 10_000;

/** Nothing collects into these: whoever collects brings a collection of its own. */
const noList: Value[] = [];
const noMembers = new Map<MapKey, Member>();

/** The state of one evaluation. */
export class Machine implements BuiltinContext {
  input: Value | undefined;
  base: RegoObject;
  targets: readonly (readonly Value[])[] | undefined;
  replaced: ReadonlyMap<string, Replacement> | undefined;
  results: Remembered[] = [];
  /** What rules came to at keys of their objects. */
  parts: Map<string, Value> | undefined;
  /** What the innermost comprehension or rule collects into. */
  list = noList;
  /** Undefined: nothing yet. */
  set: RegoSet | undefined;
  members = noMembers;
  draft: ObjectDraft | undefined;
  /** The surroundings that `with` modifiers in force have left, the innermost last. */
  left: Surroundings[] | undefined;

  readonly host: Host;
  readonly strictBuiltinErrors: boolean;
  readonly runtime: RegoObject;
  readonly external: ((request: Value) => Value) | undefined;
  readonly #cancelled: (() => boolean) | undefined;
  #memory: Map<string, Map<MapKey, Value>> | undefined;
  #now: bigint | undefined;
  /** Steps left beyond those until the next check. */
  #budget: number;
  #untilCheck: number;

  constructor(options: Evaluation) {
    this.input = options.input;
    this.base = options.data ?? RegoObject.empty;
    this.host = options.host;
    this.strictBuiltinErrors = options.strictBuiltinErrors ?? false;
    this.runtime = options.runtime ?? RegoObject.empty;
    this.external = options.external;
    this.#cancelled = options.cancelled;
    const budget = options.budget ?? defaultBudget;
    this.#untilCheck = Math.min(budget, stepsBetweenChecks);
    this.#budget = budget - this.#untilCheck;
  }

  get nowNanoseconds(): bigint {
    this.#now ??= BigInt(Math.round(this.host.now())) * 1_000_000n;
    return this.#now;
  }

  get memory(): Map<string, Map<MapKey, Value>> {
    this.#memory ??= new Map();
    return this.#memory;
  }

  spend(steps: number): void {
    this.#untilCheck -= steps;
    if (this.#untilCheck < 0) this.#check();
  }

  #check(): void {
    if (this.#budget + this.#untilCheck < 0) {
      throw new EvaluationFailure("eval_cancel_error", "evaluation exceeded its budget");
    }
    if (this.#cancelled?.() === true) {
      throw new EvaluationFailure("eval_cancel_error", "caller cancelled query execution");
    }
    const more = Math.min(this.#budget, stepsBetweenChecks);
    this.#budget -= more;
    this.#untilCheck += more;
  }

  surroundings(): Surroundings {
    const { input, base, targets, replaced, results, parts } = this;
    return { input, base, targets, replaced, results, parts };
  }

  enter(surroundings: Surroundings): void {
    this.input = surroundings.input;
    this.base = surroundings.base;
    this.targets = surroundings.targets;
    this.replaced = surroundings.replaced;
    this.results = surroundings.results;
    this.parts = surroundings.parts;
  }
}
