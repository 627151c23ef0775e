import { failed, loaded } from "../../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { type ConditionsProgram, compileConditions } from "../conditions.ts";
import { imagesOf, imagesVariable, type ObjectImage } from "../images.ts";
import { joinNonEmpty } from "../outcome.ts";
import { DocumentReport } from "../report.ts";
import type { RuleBody, RuleCompiler, RuleScope, RuleSource } from "../rule-types.ts";
import { compileTemplate, type Template } from "../variables.ts";
import { compileImageExtractors, type ExtractorsProgram } from "./image-extractors.ts";
import { requiredImagesBody } from "./required-images.ts";
import { checkVerification, type ImageVerification, matchesAny, parseVerification } from "./verification.ts";
import { verificationBody } from "./verification-body.ts";
import type { VerifyPrograms } from "./verify-image.ts";

/** The images that a rule looks at, and the scope that knows them as `images`. @throws Error where an image is no reference */
export type ImageFinder = (scope: RuleScope) => { readonly images: readonly ObjectImage[]; readonly scope: RuleScope };

/** A rule's `verifyImages`, compiled. */
export interface VerifyRule {
  readonly rule: RuleSource;
  readonly find: ImageFinder;
  /** The entries as written. */
  readonly written: readonly ImageVerification[];
  /** The whole rule; attestation and deny conditions, which see more than it does, are left out. */
  readonly template: Template;
  readonly programs: VerifyPrograms;
}

/**
 * Compiles `verifyImages` to two bodies: `verify` asks for signatures and attestations, sets digests and notes in the
 * object's annotations what it found; `validate` then checks `verifyDigest` and `required`, for which no network is needed.
 */
export const compileVerifyImagesRule: RuleCompiler = (rule) => {
  const report = new DocumentReport(rule.policy.document);
  const path = [...rule.path, "verifyImages"];
  const raw = rule.spec["verifyImages"];
  const entries = isArray(raw) ? raw : [];
  for (const [i, entry] of entries.entries()) checkVerification(entry, [...path, i], report);
  const extractors = compileImageExtractors(rule.spec["imageExtractors"], [...rule.path, "imageExtractors"], report);
  const template = compileTemplate(withoutConditions(rule.spec, entries));
  report.adopt(template.diagnostics, rule.path);
  const programs = compilePrograms(rule, entries, report);
  if (!template.ok || report.errorCount > 0) return failed(...report.diagnostics);
  const written = entries.map(parseVerification);
  const verifyRule: VerifyRule = { rule, find: imageFinder(written, extractors), written, template: template.value, programs };
  const bodies: RuleBody[] = [verificationBody(verifyRule)];
  if (written.some((v) => v.verifyDigest || v.required)) bodies.push(requiredImagesBody(verifyRule));
  return loaded(bodies, report.diagnostics);
};

function imageFinder(written: readonly ImageVerification[], extractors: ExtractorsProgram | undefined): ImageFinder {
  return (scope) => {
    const { object } = scope.context;
    if (object === undefined) return { images: [], scope };
    const found = imagesOf(object, extractors?.(scope));
    const images = [...found.values()].flatMap((entries) => [...entries.values()]);
    const variable = extractors === undefined ? undefined : imagesVariable(found);
    return {
      images: images.filter((image) => written.some((v) => matchesAny(v.references, image.reference))),
      scope: variable === undefined ? scope : scope.with({ images: variable }),
    };
  };
}

function withoutConditions(spec: JsonObject, entries: readonly JsonValue[]): JsonObject {
  const verifyImages = entries.map((entry) => {
    if (!isObject(entry)) return entry;
    const { attestations, validate: _, ...kept } = entry;
    return { ...kept, ...(isArray(attestations) ? { attestations: attestations.map(withoutCondition) } : {}) };
  });
  return { ...spec, verifyImages };
}

function withoutCondition(attestation: JsonValue): JsonValue {
  if (!isObject(attestation)) return attestation;
  const { conditions: _, ...kept } = attestation;
  return kept;
}

function compilePrograms(rule: RuleSource, entries: readonly JsonValue[], report: DocumentReport): VerifyPrograms {
  const path = [...rule.path, "verifyImages"];
  const compile = (spec: JsonValue | undefined, at: readonly (string | number)[]): ConditionsProgram => {
    const compiled = compileConditions(spec);
    report.adopt(compiled.diagnostics, at);
    return compiled.ok ? compiled.value : () => ({ met: false, message: "" });
  };
  const conditions = entries.map((entry, i) => {
    const attestations = member(entry, "attestations");
    return (isArray(attestations) ? attestations : []).map((attestation, j) =>
      compile(member(attestation, "conditions"), [...path, i, "attestations", j, "conditions"]),
    );
  });
  const denials = entries.flatMap((entry, i) => {
    const validate = member(entry, "validate");
    const deny = member(validate, "deny");
    if (!isObject(validate) || !isObject(deny)) return [];
    const program = compile(member(deny, "conditions"), [...path, i, "validate", "deny", "conditions"]);
    return [
      { program, message: compileTemplate(asString(validate["message"]) ?? ""), text: asString(validate["message"]) ?? "" },
    ];
  });
  const hasValidate = entries.some((entry) => isObject(member(entry, "validate")));
  return {
    rule,
    attestationConditions: (entry, attestation) => conditions[entry]?.[attestation] ?? (() => ({ met: true, message: "" })),
    deny: hasValidate
      ? (scope) => {
          for (const { program, message, text } of denials) {
            const { met, message: found } = program(scope);
            if (met) return denialText(message.ok ? message.value : undefined, text, found, scope);
          }
          return undefined;
        }
      : undefined,
  };
}

function denialText(message: Template | undefined, text: string, found: string, scope: RuleScope): string {
  if (text === "" && found === "") return "validation error: imageVerify failed";
  const said = message?.constant === false ? message.substitute(scope) : text;
  return joinNonEmpty([typeof said === "string" ? said : text, found], "; ");
}
