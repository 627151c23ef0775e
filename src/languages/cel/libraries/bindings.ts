import type { Library } from "../declarations.ts";
import { isNamespace, MacroError, variableName } from "../macro.ts";

/** `cel.bind(name, value, expr)` */
export const bindingsLibrary: Library = {
  name: "cel.lib.ext.cel.bindings",
  macros: [
    {
      name: "bind",
      receiver: true,
      argCount: 3,
      expand(build, target, [variable, value, result]) {
        if (!isNamespace(target, "cel") || variable === undefined || value === undefined || result === undefined)
          return undefined;
        const name = variableName(variable);
        if (name === undefined) return new MacroError(variable, "cel.bind() variable names must be simple identifiers");
        return build.bind(name, value, result);
      },
    },
  ],
};
