import type { JsonObject } from "../../../src/core/json.ts";
import type { Library, Overload } from "../../../src/languages/cel/declarations.ts";
import { Env } from "../../../src/languages/cel/env.ts";
import { bindingsLibrary } from "../../../src/languages/cel/libraries/bindings.ts";
import { encodersLibrary } from "../../../src/languages/cel/libraries/encoders.ts";
import { mathLibrary } from "../../../src/languages/cel/libraries/math.ts";
import { cidrLibrary, ipLibrary } from "../../../src/languages/cel/libraries/network.ts";
import { optionalLibrary } from "../../../src/languages/cel/libraries/optional.ts";
import { standardLibrary } from "../../../src/languages/cel/libraries/standard.ts";
import { stringsLibrary } from "../../../src/languages/cel/libraries/strings.ts";
import { twoVariableLibrary } from "../../../src/languages/cel/libraries/two-variable.ts";
import { isNamespace, type Macro } from "../../../src/languages/cel/macro.ts";
import { declarationsOf, decodeType, field, repeated } from "./spec-types.ts";

/** `cel.block([a, b], x)`: `cel.index(0)` in `x` is `a`; the suite's way to write what an optimiser makes. */
const blockMacros: readonly Macro[] = [
  {
    name: "block",
    receiver: true,
    argCount: 2,
    expand(build, target, [slots, result]) {
      if (!isNamespace(target, "cel") || slots?.kind !== "list" || result === undefined) return undefined;
      return slots.elements.reduceRight((inner, slot, i) => build.bind(`@index${i}`, slot, inner), result);
    },
  },
  nameMacro("index", 1, "@index"),
  nameMacro("iterVar", 2, "@it:"),
  nameMacro("accuVar", 2, "@ac:"),
];

/** `cel.name(1, 2)` is the variable `<prefix>1:2`. */
function nameMacro(name: string, argCount: number, prefix: string): Macro {
  return {
    name,
    receiver: true,
    argCount,
    expand(build, target, args) {
      if (!isNamespace(target, "cel")) return undefined;
      return build.ident(prefix + args.map((arg) => (arg.kind === "literal" ? String(arg.value) : "")).join(":"));
    },
  };
}

const blockLibrary: Library = { name: "test.block", macros: blockMacros };

/** Everything that the official suite exercises. */
const specEnv = new Env({
  libraries: [
    standardLibrary,
    optionalLibrary(2),
    stringsLibrary(4, "checked"),
    mathLibrary(2),
    encodersLibrary,
    bindingsLibrary,
    twoVariableLibrary,
    ipLibrary("extension"),
    cidrLibrary("extension"),
    blockLibrary,
  ],
  // The suite wants errors where constants do not convert, not programs that cannot be made.
  options: { foldConstants: false, specification: true },
});

/** The environment of one case: its container, variables and functions. */
export function envOf(row: JsonObject): Env {
  const variables: { name: string; type: ReturnType<typeof decodeType> }[] = [];
  const functions: { name: string; overloads: Overload[] }[] = [];
  for (const declaration of declarationsOf(row)) {
    const name = String(declaration["name"]);
    const ident = field(declaration, "ident");
    if (ident !== undefined) variables.push({ name, type: decodeType(field(ident, "type")) });
    const overloads = repeated(field(declaration, "function"), "overloads").map((overload) => ({
      id: String(field(overload, "overloadId")),
      member: field(overload, "isInstanceFunction") === true,
      args: repeated(overload, "params").map(decodeType),
      result: decodeType(field(overload, "resultType")),
    }));
    if (overloads.length > 0) functions.push({ name, overloads });
  }
  const container = String(field(row, "container") ?? "");
  return specEnv.extend({ variables, libraries: [{ name: "test.declared", functions }], options: { container } });
}
