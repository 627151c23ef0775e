import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import type { Activation } from "../../../languages/cel/compile/frame.ts";
import type { Env } from "../../../languages/cel/env.ts";
import { AttestorValue } from "../../../languages/cel/libraries/kyverno/image-verify.ts";
import { MapBuilder } from "../../../languages/cel/values/containers.ts";
import type { CelMap } from "../../../languages/cel/values/value.ts";
import type { CelSession, CompiledExpression } from "../../cel/expression.ts";
import { ExpressionCompiler } from "../../cel/expression-compiler.ts";
import { reasonOf } from "../../kyverno/outcome.ts";
import type { DocumentReport } from "../../kyverno/report.ts";
import { evaluateNow } from "../gate.ts";

/** The value of `attestors`. An attestor whose expression fails says so when it is asked. @throws NeedsFacts */
export type AttestorsProgram = (session: CelSession, variables: Activation) => CelMap;

/** Where an attestor may hold an expression in place of a text: the member with the expression, and the one it stands for. */
const computedParts = [
  { path: ["cosign", "key"], from: "expression", to: "data" },
  { path: ["cosign", "certificate", "cert"], from: "expression", to: "value" },
  { path: ["cosign", "certificate", "certChain"], from: "expression", to: "value" },
  { path: ["cosign", "trustedRoot"], from: "expression", to: "value" },
  { path: ["notary", "certs"], from: "expression", to: "value" },
  { path: ["notary", "tsaCerts"], from: "expression", to: "value" },
] as const;

interface Computed {
  readonly holder: JsonPath;
  readonly to: string;
  readonly expression: CompiledExpression;
}

const at = (value: JsonValue | undefined, path: JsonPath): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (found, step) => (isArray(found) && typeof step === "number" ? found[step] : member(found, String(step))),
    value,
  );

function withMember(value: JsonValue | undefined, [step, ...rest]: JsonPath, text: string): JsonValue {
  if (step === undefined) return text;
  if (isArray(value)) return value.map((item, i) => (i === step ? withMember(item, rest, text) : item));
  const object = isObject(value) ? value : {};
  return { ...object, [step]: withMember(object[step], rest, text) };
}

/** Keys, certificates and identities under the names that all kinds of policies ask with. */
function questionOf(attestor: JsonValue): JsonObject {
  const cosign = member(attestor, "cosign");
  const notary = member(attestor, "notary");
  const textIn = (holder: JsonValue | undefined, name: string) => member(member(holder, name), "value");
  if (isObject(notary)) {
    return { type: "Notary", certificates: defined({ cert: textIn(notary, "certs"), tsaCerts: textIn(notary, "tsaCerts") }) };
  }
  const key = member(cosign, "key");
  const certificate = member(cosign, "certificate");
  const keyless = member(cosign, "keyless");
  const trustedRoot = textIn(cosign, "trustedRoot");
  return defined({
    type: "Cosign",
    bundles: true,
    keys: isObject(key)
      ? defined({
          publicKeys: key["data"],
          kms: key["kms"],
          signatureAlgorithm: key["hashAlgorithm"],
        })
      : undefined,
    certificates: isObject(certificate)
      ? defined({ cert: textIn(certificate, "cert"), certChain: textIn(certificate, "certChain") })
      : undefined,
    keyless,
    source: member(cosign, "source"),
    ctlog: member(cosign, "ctlog"),
    tuf: member(cosign, "tuf"),
    trustedRoot,
    annotations: member(cosign, "annotations"),
  });
}

function defined(members: { readonly [name: string]: JsonValue | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

interface CompiledAttestor {
  readonly name: string;
  evaluate(session: CelSession, variables: Activation): AttestorValue;
}

function compileAttestor(spec: JsonValue, path: JsonPath, env: Env, report: DocumentReport): CompiledAttestor {
  const compiler = new ExpressionCompiler(report);
  const name = asString(member(spec, "name")) ?? "";
  const kinds = ["cosign", "notary"].filter((kind) => isObject(member(spec, kind)));
  if (kinds.length !== 1) report.error("KYV_BAD_RULE", path, "an attestor is either cosign or notary");
  const identities = at(spec, ["cosign", "keyless", "identities"]);
  const places = [
    ...computedParts.map(({ path: holder, from, to }) => ({ holder: holder as JsonPath, from, to })),
    ...(isArray(identities) ? identities : []).map((_, i) => ({
      holder: ["cosign", "keyless", "identities", i] as JsonPath,
      from: "subjectExpression",
      to: "subjectRegExp",
    })),
  ];
  const computed = places.flatMap(({ holder, from, to }): Computed[] => {
    const source = member(at(spec, holder) ?? null, from);
    if (source === undefined || source === "") return [];
    const expression = compiler.compile(source, env, [], [...path, ...holder, from]);
    return expression === undefined ? [] : [{ holder, to, expression }];
  });
  return {
    name,
    evaluate(session, variables) {
      let value: JsonValue = spec;
      try {
        for (const { holder, to, expression } of computed) {
          const text = evaluateNow(expression, session, variables);
          if (typeof text !== "string") throw new Error(`${expression.source} gives no text`);
          value = withMember(value, [...holder, to], text);
        }
      } catch (error) {
        return new AttestorValue(name, `failed to evaluate compiled attestor: ${name}, error: ${reasonOf(error)}`);
      }
      return new AttestorValue(name, questionOf(value));
    },
  };
}

/** Compiles `attestors`. */
export function compileAttestors(
  specs: JsonValue | undefined,
  env: Env,
  path: JsonPath,
  report: DocumentReport,
): AttestorsProgram {
  const attestors = (isArray(specs) ? specs : []).map((spec, i) => compileAttestor(spec, [...path, i], env, report));
  return (session, variables) => {
    const map = new MapBuilder();
    for (const attestor of attestors) map.set(attestor.name, attestor.evaluate(session, variables));
    return map.build();
  };
}
