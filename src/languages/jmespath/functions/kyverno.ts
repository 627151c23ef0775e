import { arithmeticFunctions } from "./arithmetic.ts";
import type { Functions } from "./call.ts";
import { coreFunctions } from "./core.ts";
import { encodingFunctions } from "./encoding.ts";
import { structureFunctions } from "./structure.ts";
import { textFunctions } from "./text.ts";
import { timeFunctions } from "./time.ts";

/** Everything that an expression in a Kyverno policy may call; `sum` is Kyverno's, which adds quantities and durations too. */
export const kyvernoFunctions: Functions = {
  ...coreFunctions,
  ...textFunctions,
  ...arithmeticFunctions,
  ...timeFunctions,
  ...structureFunctions,
  ...encodingFunctions,
};
