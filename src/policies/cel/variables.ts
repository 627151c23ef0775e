import type { Activation } from "../../languages/cel/compile/frame.ts";
import { type Env, variable } from "../../languages/cel/env.ts";
import { type CelType, dynType, structType } from "../../languages/cel/types.ts";
import { CelError, CelObject, type Value } from "../../languages/cel/values/value.ts";
import { type CelSession, type CompiledExpression, compileExpression } from "./expression.ts";
import { ownInputs, withVariables } from "./inputs.ts";
import { messageType } from "./message-types.ts";

export interface VariableSpec {
  readonly name: string;
  readonly expression: string;
}

export interface CompiledVariables {
  /** The environment with `variables` in it. */
  readonly env: Env;
  /** Another environment with the same `variables` in it: for one that differs from theirs in what none of them names. */
  onto(base: Env): Env;
  /** Why variables do not compile, by their position. */
  readonly problems: readonly { readonly index: number; readonly message: string }[];
  /** `inputs` with `variables`, each computed when it is first read. */
  bind(session: CelSession, inputs: Activation): Activation;
}

export interface VariableOptions {
  /** What fails says in which variable it does; where there are no variables, there is no `variables`. */
  readonly asApiServer?: boolean;
  /** Variables that are there before the policy's own. */
  readonly given?: readonly VariableSpec[];
}

/** The value of `variables`: each is computed once. */
class LazyVariables extends CelObject {
  readonly #expressions: ReadonlyMap<string, CompiledExpression>;
  readonly #compute: (expression: CompiledExpression, name: string) => Value;
  readonly #known = new Map<string, Value>();
  readonly type: CelType;

  constructor(
    type: CelType,
    expressions: ReadonlyMap<string, CompiledExpression>,
    compute: (expression: CompiledExpression, name: string) => Value,
  ) {
    super();
    this.type = type;
    this.#expressions = expressions;
    this.#compute = compute;
  }

  override field(name: string): Value | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const expression = this.#expressions.get(name);
    if (expression === undefined) return undefined;
    const value = this.#compute(expression, name);
    this.#known.set(name, value);
    return value;
  }

  override hasField(name: string): boolean {
    return this.#expressions.has(name);
  }

  equals(): CelError {
    return new CelError("no such overload");
  }
}

const variablesType = structType("kubernetes.variables");

/** Compiles variables in their order: each sees those before it. */
export function compileVariables(
  specs: readonly VariableSpec[],
  base: Env,
  { asApiServer = false }: VariableOptions = {},
): CompiledVariables {
  if (asApiServer && specs.length === 0) {
    return { env: base, onto: (other) => other, problems: [], bind: (_, inputs) => inputs };
  }
  const types = new Map<string, CelType>();
  const expressions = new Map<string, CompiledExpression>();
  const problems: { index: number; message: string }[] = [];
  const onto = (other: Env): Env =>
    other.extend({
      structs: [messageType(variablesType.name, types)],
      variables: [variable("variables", variablesType)],
    });
  const env = onto(base);
  for (const [index, { name, expression }] of specs.entries()) {
    const compiled = compileExpression(expression, env);
    if (compiled.ok) {
      types.set(name, compiled.value.type);
      expressions.set(name, compiled.value);
    } else {
      types.set(name, dynType);
      problems.push({ index, message: compiled.message });
    }
  }
  return {
    env,
    onto,
    problems,
    bind(session, inputs) {
      if (expressions.size === 0) return ownInputs(inputs);
      return withVariables(inputs, (bound) => {
        return new LazyVariables(variablesType, expressions, (expression, name) => {
          const value = session.run(expression, bound());
          if (!asApiServer || !(value instanceof CelError)) return value;
          return new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${value.message}`);
        });
      });
    },
  };
}
