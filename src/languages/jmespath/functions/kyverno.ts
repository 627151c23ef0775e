import type { Functions } from "./call.ts";
import { coreFunctions } from "./core.ts";

/** Everything that an expression in a Kyverno policy may call. */
export const kyvernoFunctions: Functions = {
  ...coreFunctions,
};
