import type { Host } from "../../core/host.ts";
import type { JsonValue } from "../../core/json.ts";
import { JmesPathError } from "./errors.ts";

/** Values of `$name`, for the expressions of assertion trees. */
export type Bindings = ReadonlyMap<string, JsonValue>;

/** Steps that one evaluation may take: items visited, functions called, text handled. */
const maxSteps = 1_000_000;

/** One evaluation of an expression. */
export class Run {
  readonly host: Host;
  readonly bindings: Bindings | undefined;
  #left = maxSteps;

  constructor(host: Host, bindings?: Bindings) {
    this.host = host;
    this.bindings = bindings;
  }

  /** @throws JmesPathError where the evaluation has used up its steps */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new JmesPathError("the expression takes too many steps");
  }
}
