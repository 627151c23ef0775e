import { failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import type { Host } from "../../core/host.ts";
import type { JsonValue } from "../../core/json.ts";
import { remembered } from "../../core/remembered.ts";
import { compile } from "./compile.ts";
import type { NotFound } from "./errors.ts";
import type { Functions } from "./functions/call.ts";
import { coreFunctions } from "./functions/core.ts";
import { kyvernoFunctions } from "./functions/kyverno.ts";
import { JmesPathSyntaxError } from "./lexer.ts";
import { multiplicity } from "./multiplicity.ts";
import { parse } from "./parser.ts";
import { type Bindings, Run } from "./run.ts";

export { JmesPathError, NotFound } from "./errors.ts";

/**
 * A compiled expression. It reads only the members of `data` that the expression touches (they may be getters; what
 * they throw passes through). `NotFound` says that the path leads to a member that is not there; a null member is null.
 * @throws JmesPathError where a function cannot work with what it is given, or after a million steps
 */
export type JmesPathProgram = (data: JsonValue, host: Host) => JsonValue | NotFound;

const maxMultiplicity = 1000;

/** Compiles an expression in Kyverno's dialect of JMESPath; results are cached by source. */
export const compileJmesPath: (source: string) => Loaded<JmesPathProgram> = remembered(5000, (source) =>
  compileWith(source, kyvernoFunctions),
);

/** Compiles an expression of plain JMESPath (jmespath.org): the same engine with the functions of the specification only. */
export function compileStandardJmesPath(source: string): Loaded<JmesPathProgram> {
  return compileWith(source, coreFunctions);
}

/** A compiled expression that may read `$name`. @throws JmesPathError as `JmesPathProgram` does, and for a name that is not bound */
export type BoundJmesPathProgram = (data: JsonValue, host: Host, bindings: Bindings) => JsonValue | NotFound;

/** Compiles an expression in Kyverno's dialect that may read bindings, as those of assertion trees do. */
export function compileBoundJmesPath(source: string): Loaded<BoundJmesPathProgram> {
  return compileWith(source, kyvernoFunctions, true);
}

function compileWith(
  source: string,
  functions: Functions,
  allowBindings = false,
): Loaded<BoundJmesPathProgram & JmesPathProgram> {
  try {
    const node = parse(source, allowBindings);
    if (multiplicity(node) > maxMultiplicity) throw new JmesPathSyntaxError("the expression repeats its data too often", 0);
    const evaluate = compile(node, functions);
    return loaded((data: JsonValue, host: Host, bindings?: Bindings) => evaluate(data, new Run(host, bindings)));
  } catch (error) {
    if (!(error instanceof JmesPathSyntaxError)) throw error;
    return failed({
      code: "JMESPATH_SYNTAX",
      severity: "error",
      message: `${error.message} at character ${error.offset + 1} of: ${source}`,
    });
  }
}
