import type { Instant } from "../../core/host.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { check } from "./checker.ts";
import type { StructDeclaration } from "./declarations.ts";
import { type Env, variable } from "./env.ts";
import { formatIssues } from "./issue.ts";
import { kubernetesEnvironments, perCallLimit } from "./libraries/kubernetes/environment.ts";
import { parse } from "./parser.ts";
import { compile } from "./program.ts";
import {
  boolType,
  type CelType,
  dynType,
  formatType,
  intType,
  listOf,
  mapOf,
  sameType,
  stringType,
  structType,
  timestampType,
} from "./types.ts";
import { CelError, Failure, Timestamp } from "./values/value.ts";

/** What conditions see of an action as `action`; every field is there, empty where it is not known. */
export interface ShownAction {
  readonly cluster: string;
  /** As RBAC knows it, but `proxy` for each way through an API server's proxy. */
  readonly verb: string;
  /** CREATE, UPDATE, DELETE, CONNECT or READ. */
  readonly operation: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly namespaceLabels: { readonly [key: string]: string };
  readonly name: string;
  /** Where the server is to make the name. */
  readonly generateName: string;
  readonly dryRun: boolean;
}

/** What conditions see of who acts, as `user`. */
export interface ShownUser {
  readonly name: string;
  readonly groups: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  /** The id in the directory; `issuer#subject` for who is not in it, empty where only the API server knows the user. */
  readonly human: string;
  readonly email: string;
  readonly team: string;
  readonly isProgram: boolean;
}

/** What the RBAC analysis says that an action would give, as `risk`: 0 is nothing, 100 the cluster; -1 where it is not known. */
export interface ShownRisk {
  readonly score: number;
  readonly reasons: readonly string[];
}

export interface ConditionInput {
  readonly action: ShownAction;
  readonly user: ShownUser;
  readonly at: Instant;
  readonly object: JsonValue | undefined;
  readonly oldObject: JsonValue | undefined;
  readonly risk?: ShownRisk | undefined;
}

function struct(name: string, fields: { readonly [name: string]: CelType }): StructDeclaration {
  const known = new Map(Object.entries(fields));
  return { type: structType(name), field: (field) => known.get(field) };
}

const strings = listOf(stringType);
const actionStruct = struct("castellan.Action", {
  cluster: stringType,
  verb: stringType,
  operation: stringType,
  group: stringType,
  version: stringType,
  resource: stringType,
  subresource: stringType,
  namespace: stringType,
  namespaceLabels: mapOf(stringType, stringType),
  name: stringType,
  generateName: stringType,
  dryRun: boolType,
} satisfies { readonly [key in keyof ShownAction]: CelType });
const userStruct = struct("castellan.User", {
  name: stringType,
  groups: strings,
  issuer: stringType,
  subject: stringType,
  human: stringType,
  email: stringType,
  team: stringType,
  isProgram: boolType,
} satisfies { readonly [key in keyof ShownUser]: CelType });
const riskStruct = struct("castellan.Risk", { score: intType, reasons: strings } satisfies {
  readonly [key in keyof ShownRisk]: CelType;
});

/** The minor version of Kubernetes whose functions conditions have. */
const kubernetesMinor = 36;
const environments = new Map<boolean, Env>();

function environment(withRisk: boolean): Env {
  let env = environments.get(withRisk);
  if (env === undefined) {
    env = kubernetesEnvironments(kubernetesMinor, kubernetesMinor).storedExpressions.extend({
      structs: [actionStruct, userStruct, ...(withRisk ? [riskStruct] : [])],
      variables: [
        variable("action", actionStruct.type),
        variable("user", userStruct.type),
        variable("time", timestampType),
        variable("object", dynType),
        variable("oldObject", dynType),
        ...(withRisk ? [variable("risk", riskStruct.type)] : []),
      ],
    });
    environments.set(withRisk, env);
  }
  return env;
}

/** Whether a condition holds, or why that cannot be said. */
export type Held = { readonly ok: true; readonly holds: boolean } | { readonly ok: false; readonly message: string };

export type Condition = (input: ConditionInput) => Held;

export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly message: string };

const noRisk: ShownRisk = { score: -1, reasons: ["not known"] };

function variablesOf({ action, user, at, object, oldObject, risk }: ConditionInput) {
  const shown = (value: object): JsonObject => ({ ...value });
  return {
    action: shown(action),
    user: shown(user),
    time: new Timestamp(BigInt(Math.floor(at)) * 1_000_000n),
    object: object ?? null,
    oldObject: oldObject ?? null,
    risk: shown(risk ?? noRisk),
  };
}

/** Compiles a condition of a guardrail or, with `risk` among its variables, of an access rule. */
export function compileActionCondition(source: string, withRisk: boolean): CompiledCondition {
  const env = environment(withRisk);
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return { ok: false, message: formatIssues(source, parsed.issues) };
  const typed = check(parsed.value, env);
  if (!typed.ok) return { ok: false, message: formatIssues(source, typed.issues) };
  const program = compile(typed.value, env);
  if (!program.ok) return { ok: false, message: program.issues[0]?.message ?? "it cannot be compiled" };
  const { resultType } = program.value;
  if (!sameType(resultType, boolType)) return { ok: false, message: `must be bool, but is ${formatType(resultType)}` };
  const { value: runnable } = program;
  const condition: Condition = (input) => {
    const { value } = runnable.evaluate(variablesOf(input), undefined, perCallLimit);
    if (typeof value === "boolean") return { ok: true, holds: value };
    const reason =
      value instanceof CelError ? value.message : value instanceof Failure ? "outside data is missing" : "it gave no bool";
    return { ok: false, message: `the condition ${JSON.stringify(source)} could not be evaluated: ${reason}` };
  };
  return { ok: true, condition };
}
