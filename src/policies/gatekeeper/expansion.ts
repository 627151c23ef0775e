import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { type GroupVersionKind, groupOf, gvkOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { askedSelectors } from "../asked-selectors.ts";
import { DocumentReport, reportShape } from "../kyverno/report.ts";
import { fields } from "../kyverno/shape.ts";
import type { Enforcement, KindSelector } from "../policy.ts";
import { appliesToKind, applyToShape } from "./mutation/apply-to.ts";
import { type Mutators, mutatorsOf } from "./mutation/system.ts";
import type { ReviewNamespace } from "./review.ts";
import type { GatekeeperWorld } from "./world.ts";

/** What an object will make. */
export interface Resultant {
  readonly object: KubernetesObject;
  readonly gvk: GroupVersionKind;
  /** The ExpansionTemplate it comes from. */
  readonly template: string;
  /** What violations of it mean, where the template says so. */
  readonly enforcement: Enforcement | undefined;
}

/** An object that cannot be expanded, and why: its source is not where the template says. */
export class ExpansionFailure extends Error {}

export interface Expansions {
  /** Kinds that are expanded. */
  readonly selectors: readonly KindSelector[];
  /** @throws ExpansionFailure */
  expand(object: KubernetesObject, namespace: ReviewNamespace | undefined): readonly Resultant[];
}

/** A template after it was read. */
interface ExpansionTemplate {
  readonly name: string;
  readonly applyTo: readonly JsonValue[];
  readonly source: readonly string[];
  readonly generated: GroupVersionKind;
  readonly enforcement: Enforcement | undefined;
}

const specShape = fields({
  applyTo: applyToShape,
  templateSource: "string",
  generatedGVK: fields({ group: "string", version: "string", kind: "string" }),
  enforcementAction: "string",
});

const enforcements: { readonly [action: string]: Enforcement } = { deny: "enforce", warn: "warn", dryrun: "audit" };

/** More than an object can be nested. */
const maxDepth = 30;

/** Whether the object is an ExpansionTemplate. */
export const isExpansionTemplate = (object: KubernetesObject): boolean =>
  groupOf(object) === "expansion.gatekeeper.sh" && object.kind === "ExpansionTemplate";

function problemOf(
  name: string,
  spec: JsonValue | undefined,
  generated: GroupVersionKind,
): readonly [string, string] | undefined {
  const applyTo = member(spec, "applyTo");
  if (name === "") return ["metadata", "an ExpansionTemplate needs a name"];
  if (name.length >= 64) return ["metadata", "the name must be shorter than 64 characters"];
  if ((asString(member(spec, "templateSource")) ?? "") === "") return ["templateSource", "the place of the template is missing"];
  if (generated.group === "" && generated.version === "" && generated.kind === "")
    return ["generatedGVK", "what is generated is missing"];
  if (!isArray(applyTo) || applyTo.length === 0) return ["applyTo", "what is expanded is missing"];
  if (applyTo.some((entry) => appliesToKind(entry, generated))) return ["applyTo", "it applies to the kind that it generates"];
  return undefined;
}

/** Reads an ExpansionTemplate; undefined: something in it is wrong. */
export function readExpansionTemplate(document: SourceDocument<KubernetesObject>): {
  readonly template: ExpansionTemplate | undefined;
  readonly report: DocumentReport;
} {
  const object = document.value;
  const report = new DocumentReport(document);
  const spec = object["spec"];
  reportShape(spec, specShape, ["spec"], report);
  const gvk = member(spec, "generatedGVK");
  const text = (name: string) => asString(member(gvk, name)) ?? "";
  const generated = { group: text("group"), version: text("version"), kind: text("kind") };
  const name = nameOf(object);
  const problem = problemOf(name, spec, generated);
  if (problem !== undefined) {
    const [place, message] = problem;
    report.error("GATEKEEPER_EXPANSION", place === "metadata" ? ["metadata", "name"] : ["spec", place], message);
  }
  if (report.errorCount > 0) return { template: undefined, report };
  const applyTo = member(spec, "applyTo");
  const action = asString(member(spec, "enforcementAction")) ?? "";
  return {
    report,
    template: {
      name,
      applyTo: isArray(applyTo) ? applyTo : [],
      source: (asString(member(spec, "templateSource")) ?? "").split("."),
      generated,
      enforcement: action === "" ? undefined : (enforcements[action] ?? "audit"),
    },
  };
}

/** Templates that lead back to themselves: what one makes, another expands. */
export function circular(templates: readonly ExpansionTemplate[]): ReadonlySet<string> {
  const follows = (template: ExpansionTemplate) =>
    templates.filter((next) => next.applyTo.some((entry) => appliesToKind(entry, template.generated)));
  const leadsTo = (from: ExpansionTemplate, goal: ExpansionTemplate, seen: Set<string>): boolean =>
    follows(from).some((next) => {
      if (next === goal) return true;
      if (seen.has(next.name)) return false;
      seen.add(next.name);
      return leadsTo(next, goal, seen);
    });
  return new Set(templates.filter((template) => leadsTo(template, template, new Set())).map(({ name }) => name));
}

function sourceOf(object: KubernetesObject, { source, name }: ExpansionTemplate): JsonObject {
  let value: JsonValue | undefined = object;
  for (const step of source) value = member(value, step);
  if (isObject(value)) return value;
  throw new ExpansionFailure(
    `cannot be expanded by ${name}: there is no ${source.join(".")} in ${object.kind} ${nameOf(object)}`,
  );
}

function withOwner(metadata: JsonObject, owner: KubernetesObject): JsonObject {
  const { apiVersion, kind } = owner;
  const name = nameOf(owner);
  const before = metadata["ownerReferences"];
  const references = isArray(before) ? before : [];
  const isOwner = (reference: JsonValue) =>
    member(reference, "apiVersion") === apiVersion && member(reference, "kind") === kind && member(reference, "name") === name;
  if (name === "" || references.some(isOwner)) return metadata;
  return { ...metadata, ownerReferences: [...references, { apiVersion, kind, name, uid: "" }] };
}

/** What `object` makes by one template. @throws ExpansionFailure */
function expandBy(
  object: KubernetesObject,
  namespace: { readonly name: string } | undefined,
  template: ExpansionTemplate,
): KubernetesObject {
  const { group, version, kind } = template.generated;
  const source = sourceOf(object, template);
  const given = source["metadata"];
  const into = namespace === undefined ? namespaceOf(object) : namespace.name;
  const { namespace: _, ...metadata } = isObject(given) ? given : {};
  const named = {
    ...metadata,
    ...(into === "" ? {} : { namespace: into }),
    name: `${nameOf(object)}${kind === "" ? "" : "-"}${kind}`.toLowerCase(),
  };
  return { ...source, apiVersion: group === "" ? version : `${group}/${version}`, kind, metadata: withOwner(named, object) };
}

class ExpansionSystem implements Expansions {
  readonly selectors: readonly KindSelector[];
  readonly #templates: readonly ExpansionTemplate[];
  readonly #mutators: Mutators;

  constructor(templates: readonly ExpansionTemplate[], mutators: Mutators) {
    const circles = circular(templates);
    this.#templates = templates.filter(({ name }) => !circles.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#mutators = mutators;
    this.selectors = this.#templates.flatMap(({ applyTo }) => applyTo.flatMap(selectorsOf));
  }

  expand(object: KubernetesObject, namespace: ReviewNamespace | undefined, depth = 0): readonly Resultant[] {
    if (this.#templates.length === 0) return [];
    if (depth >= maxDepth) throw new ExpansionFailure(`expansion is nested deeper than ${maxDepth}`);
    const gvk = gvkOf(object);
    const own = this.#templates
      .filter((template) => template.applyTo.some((entry) => appliesToKind(entry, gvk)))
      .map((template): Resultant => {
        const made = expandBy(object, namespace, template);
        const mutated = this.#mutators.mutate({ object: made, namespace, source: "Generated", user: "", operation: "" });
        if (mutated.kind === "failed") throw new ExpansionFailure(mutated.message);
        const { generated, name, enforcement } = template;
        return { object: mutated.object, gvk: generated, template: name, enforcement };
      });
    return [...own.flatMap((one) => this.expand(one.object, namespace, depth + 1)), ...own];
  }
}

const strings = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((item) => typeof item === "string") : [];

function selectorsOf(entry: JsonValue): readonly KindSelector[] {
  const [groups, versions, kinds] = ["groups", "versions", "kinds"].map((name) => strings(member(entry, name)));
  return (groups ?? []).flatMap((group) =>
    (versions ?? []).flatMap((version) => (kinds ?? []).flatMap((kind) => askedSelectors(group, version, kind))),
  );
}

const systems = new WeakMap<GatekeeperWorld, Expansions>();

/** The expansions of a world; made once. */
export function expansionsOf(world: GatekeeperWorld): Expansions {
  const known = systems.get(world);
  if (known !== undefined) return known;
  const templates = world.documents
    .filter(({ value }) => isExpansionTemplate(value))
    .map((document) => readExpansionTemplate(document).template)
    .filter((template) => template !== undefined);
  const system = new ExpansionSystem(templates, mutatorsOf(world));
  systems.set(world, system);
  return system;
}
