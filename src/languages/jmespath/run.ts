import type { Host } from "../../core/host.ts";
import { JmesPathError } from "./errors.ts";

/** Steps that one evaluation may take: items visited, functions called, text handled. */
const maxSteps = 1_000_000;

/** One evaluation of an expression. */
export class Run {
  readonly host: Host;
  #left = maxSteps;

  constructor(host: Host) {
    this.host = host;
  }

  /** @throws JmesPathError where the evaluation has used up its steps */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new JmesPathError("the expression takes too many steps");
  }
}
