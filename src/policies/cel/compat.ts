import type { Library } from "../../languages/cel/declarations.ts";
import { overload } from "../../languages/cel/declarations.ts";
import { type CelTypeOf, dynType } from "../../languages/cel/types.ts";
import { type CelValue, Optional } from "../../languages/cel/values/value.ts";

const anyValue: CelTypeOf<CelValue> = dynType;
const functionName = "__orValueCompat__";

/** Kyverno's `orValue`: it takes what is no optional too, and its type is dyn. */
export const lenientOrValueLibrary: Library = {
  name: "kyverno.orValue",
  macros: [
    {
      name: "orValue",
      receiver: true,
      argCount: 1,
      expand: (build, target, [fallback]) => (fallback === undefined ? undefined : build.call(functionName, target, fallback)),
    },
  ],
  functions: [
    {
      name: functionName,
      overloads: [
        overload("__orValueCompat___dyn_dyn", [anyValue, anyValue], dynType, (value, fallback) =>
          // A null is a value.
          value instanceof Optional ? (value.value === undefined ? fallback : value.value) : value,
        ),
      ],
    },
  ],
};
