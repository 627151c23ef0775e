import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { annotationsOf, groupOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { formatSpan, type SourceDocument } from "../../core/source.ts";
import { autogenSpecs } from "../../policies/kyverno-cel/autogen.ts";
import { actionWords, constraintWords, excludedWords, expressionWords, namedExpressions } from "./cel-match.ts";
import { andList, type PolicyExplanation, type RuleExplanation, type Statement, statement } from "./explanation.ts";

/** What a kind of policies in CEL does with an object. */
type Verb = "validate" | "mutate" | "generate" | "delete" | "images";

const kyvernoVerbs: { readonly [kind: string]: Verb } = {
  ValidatingPolicy: "validate",
  MutatingPolicy: "mutate",
  GeneratingPolicy: "generate",
  DeletingPolicy: "delete",
  ImageValidatingPolicy: "images",
};

const kubernetesVerbs: { readonly [kind: string]: Verb } = {
  ValidatingAdmissionPolicy: "validate",
  MutatingAdmissionPolicy: "mutate",
};

/** What the policy does; undefined where it is none in CEL. */
export function celVerb(object: KubernetesObject): Verb | undefined {
  const group = groupOf(object);
  if (group === "policies.kyverno.io") return kyvernoVerbs[object.kind.replace(/^Namespaced/, "")];
  return group === "admissionregistration.k8s.io" ? kubernetesVerbs[object.kind] : undefined;
}

/** A policy whose rules are expressions, in words around them. */
export function explainCelPolicy(document: SourceDocument<KubernetesObject>, verb: Verb): PolicyExplanation {
  const { value } = document;
  const spec = isObject(value["spec"]) ? value["spec"] : {};
  const annotations = annotationsOf(value);
  const span = document.locate([]);
  const isKubernetes = groupOf(value) === "admissionregistration.k8s.io";
  const titles = ["policies.kyverno.io/title", "policies.kyverno.io/category"].flatMap((a) => annotations[a] ?? []);
  return {
    policy: `${value.kind} ${[namespaceOf(value), nameOf(value)].filter(Boolean).join("/")}`,
    location: span === undefined ? document.file : formatSpan(span),
    statements: [
      ...statement("About", ...titles),
      ...(isKubernetes ? [] : statement("Severity", annotations["policies.kyverno.io/severity"] ?? "medium (not set)")),
      ...statement("Applies to", scopeWords(value, spec, verb, isKubernetes)),
      ...statement("Matches", ...constraintWords(spec["matchConstraints"])),
      ...generatedStatements(spec, verb, isKubernetes),
      ...statement("But not", ...excludedWords(spec["matchConstraints"])),
      ...statement("Only where", ...namedExpressions(spec[verb === "delete" ? "conditions" : "matchConditions"])),
      ...statement("With", ...namedExpressions(spec["variables"])),
      ...imageStatements(spec, verb),
      ...consequenceStatements(spec, verb, isKubernetes),
    ],
    rules: listOf(spec[ruleFields[verb] ?? ""]).map((rule, i) => explainRule(rule, i, verb)),
  };
}

const ruleFields: { readonly [verb in Verb]?: string } = {
  validate: "validations",
  images: "validations",
  mutate: "mutations",
  generate: "generate",
};

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return isArray(value) ? value.filter(isObject) : [];
}

function scopeWords(object: KubernetesObject, spec: JsonObject, verb: Verb, isKubernetes: boolean): string {
  const param = member(spec["paramKind"], "kind");
  if (isKubernetes) {
    const given = param === undefined ? "" : `, with a ${String(param)} as parameter`;
    return `nothing by itself: a ${object.kind}Binding says where it is in force${given}`;
  }
  const where = object.kind.startsWith("Namespaced") ? "its own namespace only" : "the whole cluster";
  const when = verb === "delete" ? `existing objects, at ${String(spec["schedule"] ?? "no time")} (cron)` : timesOf(spec, verb);
  return `${where}: ${when}`;
}

/** Background scans are on unless they are switched off; changing what exists has to be asked for. */
function timesOf(spec: JsonObject, verb: Verb): string {
  const evaluation = spec["evaluation"];
  const enabled = (part: string, otherwise: boolean) => member(member(evaluation, part), "enabled") ?? otherwise;
  const existing = {
    validate: "background",
    images: "background",
    mutate: "mutateExisting",
    generate: "generateExisting",
  } as const;
  const part = verb === "delete" ? "background" : existing[verb];
  const mode = member(evaluation, "mode");
  return andList([
    ...(enabled("admission", true) === false ? [] : ["new and changed objects at admission"]),
    ...(enabled(part, part === "background") === true
      ? [part === "background" ? "existing objects in background scans" : "existing objects when the policy changes"]
      : []),
    ...(mode === undefined || mode === "Kubernetes" ? [] : [`evaluated as ${String(mode)}`]),
  ]);
}

/** Rules that Kyverno makes for the controllers of pods. */
function generatedStatements(spec: JsonObject, verb: Verb, isKubernetes: boolean): readonly Statement[] {
  if (isKubernetes || verb === "generate" || verb === "delete") return [];
  const resources = autogenSpecs(spec).specs.flatMap((one) =>
    listOf(member(one.spec["matchConstraints"], "resourceRules")).flatMap((rule) => listOfTexts(rule["resources"])),
  );
  return resources.length === 0 ? [] : statement("And, generated,", `the pod templates of ${andList([...new Set(resources)])}`);
}

function listOfTexts(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((v) => typeof v === "string") : [];
}

function imageStatements(spec: JsonObject, verb: Verb): readonly Statement[] {
  if (verb !== "images") return [];
  const configuration = spec["validationConfigurations"];
  const on = (field: string) => member(configuration, field) !== false;
  const references = listOf(spec["matchImageReferences"]).map((r) =>
    r["glob"] === undefined ? `those for which ${expressionWords(r["expression"])}` : String(r["glob"]),
  );
  const demands = [
    ...(on("required") ? ["must be verified"] : []),
    ...(on("verifyDigest") ? ["must be named by digest"] : []),
    ...(on("mutateDigest") ? ["get their digest written in"] : []),
  ];
  return [
    ...statement("Images", ...(references.length === 0 ? ["all"] : references)),
    ...(demands.length === 0 ? [] : statement("They", andList(demands))),
    ...statement("Trusts", ...listOf(spec["attestors"]).map(attestorWords)),
    ...statement("Attested", ...listOf(spec["attestations"]).map(attestationWords)),
  ];
}

function attestorWords(attestor: JsonObject): string {
  const name = String(attestor["name"] ?? "");
  const { cosign, notary } = attestor;
  if (notary !== undefined) return `${name}: who signs with Notary certificates`;
  if (member(cosign, "keyless") !== undefined) {
    const identities = listOf(member(member(cosign, "keyless"), "identities")).map((i) =>
      [i["subject"] ?? i["subjectRegExp"], i["issuer"] ?? i["issuerRegExp"]].map((v) => String(v ?? "anybody")).join(" of "),
    );
    return `${name}: ${identities.length === 0 ? "anybody" : andList(identities)}, keyless (Sigstore)`;
  }
  if (member(cosign, "certificate") !== undefined) return `${name}: who signs with the given certificate`;
  return `${name}: who signs with the given key`;
}

function attestationWords(attestation: JsonObject): string {
  const type = member(attestation["intoto"], "type") ?? member(attestation["referrer"], "type") ?? "";
  return `${String(attestation["name"] ?? "")}: ${String(type)}`;
}

function consequenceStatements(spec: JsonObject, verb: Verb, isKubernetes: boolean): readonly Statement[] {
  if (verb === "delete") {
    const how = asString(spec["deletionPropagationPolicy"]);
    return statement("Then", `the object is deleted${how === undefined ? "" : ` (${how})`}`);
  }
  const failurePolicy = asString(spec["failurePolicy"]) ?? "Fail";
  const broken = failurePolicy === "Ignore" ? "the request goes on (Ignore)" : "the request is refused (Fail)";
  const judges = verb === "validate" || verb === "images";
  const unset = isKubernetes ? "as its binding says" : "the request is refused (Deny, the default)";
  return [
    ...(judges ? statement("On failure", actionWords(spec["validationActions"], unset)) : []),
    ...(verb === "generate" ? [] : statement("On errors", broken)),
    ...(verb === "generate" ? generationStatements(spec) : []),
  ];
}

function generationStatements(spec: JsonObject): readonly Statement[] {
  const evaluation = spec["evaluation"];
  const follows = member(member(evaluation, "synchronize"), "enabled") === true;
  return statement("Afterwards", follows ? "what it made follows its source" : "what it made is left alone");
}

function explainRule(rule: JsonObject, index: number, verb: Verb): RuleExplanation {
  const name = String(index + 1);
  if (verb === "mutate") return { name, statements: mutationStatements(rule) };
  if (verb === "generate") return { name, statements: statement("Makes", expressionWords(rule["expression"])) };
  const message = rule["messageExpression"] === undefined ? undefined : expressionWords(rule["messageExpression"]);
  const said = message ?? asString(rule["message"]);
  const reason = asString(rule["reason"]);
  return {
    name,
    statements: [
      ...statement("Demands", expressionWords(rule["expression"])),
      ...(said === undefined ? [] : statement("Or says", said)),
      ...(reason === undefined ? [] : statement("Reason", reason)),
    ],
  };
}

function mutationStatements(rule: JsonObject): readonly Statement[] {
  const apply = member(rule["applyConfiguration"], "expression");
  if (apply !== undefined) return statement("Merges in", expressionWords(apply));
  return statement("Patches", expressionWords(member(rule["jsonPatch"], "expression")));
}
