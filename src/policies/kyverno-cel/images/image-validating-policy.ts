import { NeedsFacts } from "../../../core/facts.ts";
import { formatImage, parseImageReference } from "../../../core/image-reference.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { variable } from "../../../languages/cel/env.ts";
import {
  type AttestationSpec,
  bindImageChecks,
  imageVerifyLibrary,
} from "../../../languages/cel/libraries/kyverno/image-verify.ts";
import { dynType, listOf, mapOf, stringType } from "../../../languages/cel/types.ts";
import { ExpressionCompiler } from "../../cel/expression-compiler.ts";
import { errorResult, failedWith, reasonOf } from "../../kyverno/outcome.ts";
import type { CompiledRule, CompileEnv, PolicyFormat, RuleContext, RuleKind, RuleResult } from "../../policy.ts";
import { compileAnnotations } from "../audit-annotations.ts";
import { autogenSpecs } from "../autogen.ts";
import { kyvernoEnv } from "../environment.ts";
import { celExceptions } from "../exceptions.ts";
import { compileGate, type Opened, show } from "../gate.ts";
import { celPolicy, enforcementOf, gatedRule, type PolicyDocument, problemOf, readPolicy } from "../policy-document.ts";
import { imageValidatingPolicyShape } from "../spec-shapes.ts";
import { compileValidations, judge } from "../validations.ts";
import { compileAttestors } from "./attestors.ts";
import { pinDigests } from "./digests.ts";
import { compileExtractors } from "./extractors.ts";
import { compileImageMatcher } from "./image-references.ts";
import { recordVerification, unverifiedImage } from "./verified-images.ts";

const imageVariables = [
  variable("images", mapOf(stringType, listOf(stringType))),
  variable("attestors", mapOf(stringType, dynType)),
  variable("attestations", mapOf(stringType, stringType)),
];

const listIn = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

function attestationsOf({ spec, report }: PolicyDocument): ReadonlyMap<string, AttestationSpec> {
  const entries = listIn(spec["attestations"]).map((attestation, i): readonly [string, AttestationSpec] => {
    const isReferrer = isObject(member(attestation, "referrer"));
    if (isReferrer === isObject(member(attestation, "intoto"))) {
      report.error("KYV_BAD_RULE", ["spec", "attestations", i], "an attestation is either intoto or referrer");
    }
    const form = isReferrer ? "referrer" : "intoto";
    const type = asString(member(member(attestation, form), "type")) ?? "";
    return [asString(member(attestation, "name")) ?? "", { form, type }];
  });
  return new Map(entries);
}

/** Why an image cannot be looked up; undefined where all can. Registries are asked about every image, as Kyverno does. */
function unknownImage(images: readonly string[], { facts }: RuleContext): string | undefined {
  const needs = images.map((image) => {
    const parsed = parseImageReference(image);
    return { kind: "image", reference: parsed.ok ? formatImage(parsed.value) : image } as const;
  });
  const open = needs.filter((need) => facts.get(need) === undefined);
  if (open.length > 0) throw new NeedsFacts(open);
  for (const need of needs) {
    const fact = facts.get(need);
    if (fact?.ok === false) return fact.message;
  }
  return undefined;
}

/** What the validations said, and which images they were about. */
interface Judged {
  readonly result: RuleResult;
  readonly images: readonly string[];
}

function compileJudge(spec: JsonObject, policy: PolicyDocument, env: CompileEnv) {
  const { id, report } = policy;
  const path: JsonPath = ["spec"];
  const base = kyvernoEnv(id.namespace, env.resources, [imageVerifyLibrary]).extend({ variables: imageVariables });
  const mode = asString(member(spec["evaluation"], "mode")) ?? "";
  if (!["", "Kubernetes", "JSON"].includes(mode)) {
    report.error("KYV_NOT_SUPPORTED", [...path, "evaluation", "mode"], `policies of mode ${mode} are not supported`);
  }
  // Only exceptions from the whole policy count here: what they allow cannot be seen by expressions.
  const exceptions = celExceptions(env, id, base, report).filter((e) => e.images.length === 0 && e.values.length === 0);
  const gate = compileGate(
    { spec, path, namespace: id.namespace, env: base, exceptions, conditions: "matchConditions", anyObject: mode === "JSON" },
    env,
    report,
  );
  const compiler = new ExpressionCompiler(report);
  const cel = gate.variables.env;
  const extract = compileExtractors(spec["images"], cel, [...path, "images"], report);
  const matches = compileImageMatcher(spec["matchImageReferences"], [...path, "matchImageReferences"], report);
  const attestors = compileAttestors(spec["attestors"], cel, [...path, "attestors"], report);
  const attestations = attestationsOf(policy);
  const attestationNames = Object.fromEntries([...attestations.keys()].map((name) => [name, name]));
  const validations = compileValidations(spec["validations"], cel, [...path, "validations"], compiler);
  const annotations = compileAnnotations(spec["auditAnnotations"], cel, [...path, "auditAnnotations"], compiler);
  const verifyDigest = member(spec["validationConfigurations"], "verifyDigest") !== false;

  const run = ({ session, variables }: Opened, context: RuleContext): Judged => {
    const lists = Object.entries(extract(context.action.target, session, variables)).map(
      ([name, images]) => [name, images.filter((image) => matches(image, session))] as const,
    );
    const images = lists.flatMap(([, list]) => list);
    if (verifyDigest) {
      const loose = images.find((image) => !image.includes("@"));
      if (loose !== undefined) return { result: failedWith(`image ${loose} does not have a digest`), images };
    }
    const unknown = unknownImage(images, context);
    if (unknown !== undefined) return { result: errorResult(`failed to evaluate policy: ${unknown}`), images };
    bindImageChecks(session.outside, {
      attestations,
      credentials: spec["credentials"],
      matches: (image) => matches(image, session),
      record: (image, verified) => recordVerification(context, image, verified),
    });
    show(variables, "images", Object.fromEntries(lists));
    show(variables, "attestations", attestationNames);
    show(variables, "attestors", attestors(session, variables));
    return { result: judge(validations, annotations, session, variables), images };
  };

  const known = new WeakMap<RuleContext, Judged>();
  return {
    gate,
    matches,
    /** Judges an object once, whichever rule asks first. @throws NeedsFacts */
    judge(opened: Opened, context: RuleContext): Judged {
      let judged = known.get(context);
      if (judged === undefined) {
        try {
          judged = run(opened, context);
        } catch (error) {
          judged = { result: errorResult(`failed to evaluate policy: ${reasonOf(error)}`), images: [] };
        }
        known.set(context, judged);
      }
      return judged;
    },
  };
}

/**
 * One spec of a policy as three rules: digests are put to images first; then every policy verifies; then each says
 * what it found, as images that it requires to be verified may have been by another one.
 */
function compileSpec(name: string, spec: JsonObject, policy: PolicyDocument, env: CompileEnv): readonly CompiledRule[] {
  const { report } = policy;
  const { gate, judge: judgeImages, matches } = compileJudge(spec, policy, env);
  const config = spec["validationConfigurations"];
  const required = member(config, "required") !== false;
  const enforcement = enforcementOf(spec["validationActions"], "enforce");
  const problem = problemOf(report);
  // What stands before the validations is said by the rule that reports.
  const silent = (kind: RuleKind, evaluate: (opened: Opened, context: RuleContext) => readonly RuleResult[]): CompiledRule => ({
    name,
    kind,
    selectors: gate.match.selectors,
    operations: gate.match.operations,
    enforcement: () => enforcement,
    evaluate(context) {
      const entered = problem === undefined ? gate.enter(context) : undefined;
      return entered?.kind === "open" ? evaluate(entered, context) : [];
    },
  });
  const pinning = silent("mutate", ({ session }, context) => {
    const { object, action } = context;
    // A scan judges what is written; only what is stored is changed.
    if (object === undefined || action.channel !== "admission") return [];
    return pinDigests(object, (image) => matches(image, session), context);
  });
  const verifying = silent("verify", (opened, context) => {
    judgeImages(opened, context);
    return [];
  });
  const reporting = gatedRule({
    name,
    kind: "validate",
    gate,
    enforcement,
    problem,
    evaluate: (opened, context) => {
      const { result, images } = judgeImages(opened, context);
      // Whoever makes a pod chooses what cannot be looked up: at admission the actions decide about it, as in Kyverno, not failurePolicy.
      if (result.status === "error" && context.action.channel === "admission") return [{ ...result, status: "fail" }];
      if (result.status !== "pass" || !required) return [result];
      const unverified = unverifiedImage(context, images);
      return [unverified === undefined ? result : { ...result, ...failedWith(unverified) }];
    },
  });
  return [...(member(config, "mutateDigest") === false ? [] : [pinning]), verifying, reporting];
}

/** Kyverno's ImageValidatingPolicy and NamespacedImageValidatingPolicy. */
export const imageValidatingPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "policies.kyverno.io", kind: "ImageValidatingPolicy" },
    { group: "policies.kyverno.io", kind: "NamespacedImageValidatingPolicy" },
  ],
  compile(document, env) {
    const policy = readPolicy(document, imageValidatingPolicyShape);
    const { spec, report } = policy;
    const isJson = member(spec["evaluation"], "mode") === "JSON";
    const { specs, unknown } = isJson ? { specs: [], unknown: [] } : autogenSpecs(spec);
    for (const name of unknown) {
      const path = ["spec", "autogen", "podControllers", "controllers"];
      report.error("KYV_NOT_SUPPORTED", path, `rules for the controller ${name} are not supported`);
    }
    const own = compileSpec("images", spec, policy, env);
    const generated = specs.flatMap((one) => compileSpec(`autogen-${one.template}`, one.spec, policy, env));
    return celPolicy(policy, [...own, ...generated]);
  },
};
