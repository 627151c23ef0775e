import type { Action } from "../../core/action.ts";
import { NeedsFacts } from "../../core/facts.ts";
import { asString, isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import type { Library, Outside } from "../../languages/cel/declarations.ts";
import { type Env, variable } from "../../languages/cel/env.ts";
import { bindingsLibrary } from "../../languages/cel/libraries/bindings.ts";
import { encodersLibrary } from "../../languages/cel/libraries/encoders.ts";
import { envoyLibrary, envoyRequest, envoyResponseType } from "../../languages/cel/libraries/kyverno/authorization/envoy.ts";
import {
  httpAuthorizationLibrary,
  httpRequest,
  httpResponseType,
} from "../../languages/cel/libraries/kyverno/authorization/http.ts";
import { jwtLibrary } from "../../languages/cel/libraries/kyverno/authorization/jwt.ts";
import {
  declarationsOf,
  Message,
  type MessageShape,
  Reply,
} from "../../languages/cel/libraries/kyverno/authorization/message.ts";
import { httpLibrary } from "../../languages/cel/libraries/kyverno/network.ts";
import { resourceLibrary } from "../../languages/cel/libraries/kyverno/resource.ts";
import { textLibrary } from "../../languages/cel/libraries/kyverno/text.ts";
import { mathLibrary } from "../../languages/cel/libraries/math.ts";
import { type CelType, nullType, structType } from "../../languages/cel/types.ts";
import { kubernetesEnv } from "../cel/environment.ts";
import { CelSession } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { errorResult, failedWith, passed, reasonOf, skipped } from "../kyverno/outcome.ts";
import type { CompiledRule, CompileEnv, RuleContext, RuleResult } from "../policy.ts";
import { kyvernoLimits } from "./environment.ts";
import { celExceptions } from "./exceptions.ts";
import { evaluateNow } from "./gate.ts";
import { enforcementOf, type PolicyDocument, problemOf } from "./policy-document.ts";

/** What a mode judges, and with what. */
interface Mode {
  readonly payload: NonNullable<Action["payloadKind"]>;
  readonly request: MessageShape;
  readonly response: CelType;
  readonly library: Library;
}

const modes: { readonly [mode: string]: Mode } = {
  Envoy: { payload: "envoy", request: envoyRequest, response: envoyResponseType, library: envoyLibrary },
  HTTP: { payload: "http", request: httpRequest, response: httpResponseType, library: httpAuthorizationLibrary },
};

/** The mode of a policy that judges requests instead of objects; undefined for the others. */
export function authorizationMode(spec: JsonObject): Mode | undefined {
  const mode = asString(member(spec["evaluation"], "mode")) ?? "";
  return Object.hasOwn(modes, mode) ? modes[mode] : undefined;
}

function envOf({ request, library }: Mode): Env {
  const libraries = [
    bindingsLibrary,
    encodersLibrary,
    mathLibrary(2),
    textLibrary,
    httpLibrary(""),
    resourceLibrary("", () => undefined),
  ];
  return kubernetesEnv().extend({
    libraries: [...libraries, jwtLibrary, library],
    structs: declarationsOf(request),
    variables: [variable("object", structType(request.name))],
  });
}

/** A response as Kyverno tells it. */
function resultOf({ content }: Reply): RuleResult {
  const evidence = { response: content };
  const denied = content["denied"] ?? content["deniedResponse"];
  if (denied === undefined) return { ...passed("request allowed"), evidence };
  const code = member(member(denied, "status"), "code");
  const reason = code === undefined ? `reason: ${asString(member(denied, "reason")) ?? ""}` : `with status code ${String(code)}`;
  return { ...failedWith(code === undefined ? `request denied, ${reason}` : `request denied ${reason}`), evidence };
}

const everything = [{ group: "*", version: "*", kind: "*", subresource: "*" }];
const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

/** The rule of a policy about requests: the first validation that gives a response decides. */
export function authorizationRule(policy: PolicyDocument, mode: Mode, env: CompileEnv): CompiledRule {
  const { id, spec, report } = policy;
  const base = envOf(mode);
  const compiler = new ExpressionCompiler(report);
  const variables = compiler.variables(spec["variables"], base, ["spec", "variables"]);
  const conditions = compiler.conditions(spec["matchConditions"], base, ["spec", "matchConditions"]);
  const validations = listOf(spec["validations"]).flatMap((validation, i) => {
    const path = ["spec", "validations", i, "expression"];
    const compiled = compiler.compile(member(validation, "expression"), variables.env, [mode.response, nullType], path);
    return compiled === undefined ? [] : [compiled];
  });
  const exceptions = celExceptions(env, id, variables.env, report);
  const problem = problemOf(report);
  const enforcement = enforcementOf(spec["validationActions"], "enforce");

  const judge = (payload: JsonValue, outside: Outside): RuleResult => {
    const session = new CelSession(outside, kyvernoLimits);
    const inputs = variables.bind(session, { object: new Message(mode.request, payload) });
    const holds = (list: typeof conditions) => list.every((condition) => evaluateNow(condition, session, inputs) === true);
    if (!holds(conditions)) return skipped("request does not match");
    const lifting = exceptions.filter((e) => !e.expired(outside.host.now()) && holds(e.conditions));
    if (lifting.length > 0) return { ...skipped("request does not match"), exceptions: lifting.map((e) => e.key) };
    for (const validation of validations) {
      const value = evaluateNow(validation, session, inputs);
      if (value instanceof Reply) return resultOf(value);
    }
    return skipped("request does not match");
  };

  return {
    name: "validations",
    kind: "validate",
    selectors: everything,
    operations: undefined,
    enforcement: () => enforcement,
    evaluate({ action, facts, host }: RuleContext) {
      if (action.payloadKind !== mode.payload || action.payload === undefined) return [];
      if (problem !== undefined) return [errorResult(problem)];
      try {
        return [judge(action.payload, { facts, host })];
      } catch (error) {
        if (spec["failurePolicy"] === "Ignore" && !(error instanceof NeedsFacts)) return [skipped(reasonOf(error))];
        return [errorResult(reasonOf(error))];
      }
    },
  };
}
