import { asString, isArray, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { gvkOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { compileLabelSelector, type LabelPredicate } from "../../core/label-selector.ts";
import { askedSelectors } from "../asked-selectors.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import { fields, list, map, type Shape } from "../kyverno/shape.ts";
import type { KindSelector } from "../policy.ts";
import { fitsGeneratedName, fitsGlob } from "./glob.ts";
import type { ReviewNamespace, Source } from "./review.ts";

const strings = list("string");
const selectorShape = fields({
  matchLabels: map("string"),
  matchExpressions: list(fields({ key: "string", operator: "string", values: strings })),
});

/** The match block of constraints and mutators. */
export const matchShape: Shape = fields({
  kinds: list(fields({ apiGroups: strings, kinds: strings })),
  namespaces: strings,
  excludedNamespaces: strings,
  labelSelector: selectorShape,
  namespaceSelector: selectorShape,
  scope: "string",
  name: "string",
  source: "string",
});

/** An object with what decides whether it is matched. */
export interface Matchable {
  readonly object: KubernetesObject;
  readonly namespace: ReviewNamespace | undefined;
  readonly source: Source;
}

/** A match block that cannot be decided: Gatekeeper lets the constraint reject the object then. */
export class MatchFailure extends Error {}

export interface CompiledMatch {
  readonly selectors: readonly KindSelector[];
  /** @throws MatchFailure */
  matches(target: Matchable): boolean;
}

type Test = (target: Matchable) => boolean;

const isNamespace = (object: KubernetesObject): boolean => object.kind === "Namespace" && object.apiVersion === "v1";

const textsOf = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((item) => typeof item === "string") : [];

function kindsTest(kinds: JsonValue | undefined): { readonly selectors: readonly KindSelector[]; readonly test?: Test } {
  if (!isArray(kinds) || kinds.length === 0) return { selectors: askedSelectors("*", "*", "*") };
  const anyOf = (names: readonly string[]) => (names.length === 0 || names.includes("*") ? ["*"] : names);
  const entries = kinds.map((entry) => ({
    groups: anyOf(textsOf(member(entry, "apiGroups"))),
    kinds: anyOf(textsOf(member(entry, "kinds"))),
  }));
  const holds = (names: readonly string[], name: string) => names[0] === "*" || names.includes(name);
  return {
    selectors: entries.flatMap((entry) =>
      entry.groups.flatMap((group) => entry.kinds.flatMap((kind) => askedSelectors(group, "*", kind))),
    ),
    test: ({ object }) => {
      const { group, kind } = gvkOf(object);
      return entries.some((entry) => holds(entry.kinds, kind) && holds(entry.groups, group));
    },
  };
}

/** The namespace that decides; undefined where there is none, so that no list of namespaces can rule the object out. */
function decidingNamespace({ object, namespace }: Matchable): string | undefined {
  if (isNamespace(object)) return nameOf(object);
  if (namespace !== undefined) return namespace.name;
  return namespaceOf(object) || undefined;
}

const namespacesTest =
  (globs: readonly string[], wanted: boolean): Test =>
  (target) => {
    const namespace = decidingNamespace(target);
    return namespace === undefined || globs.some((glob) => fitsGlob(glob, namespace)) === wanted;
  };

const namespaceSelectorTest =
  (matches: LabelPredicate): Test =>
  ({ object, namespace }) => {
    if (isNamespace(object)) return matches(labelsOf(object));
    if (namespace !== undefined) return matches(namespace.labels);
    if (namespaceOf(object) === "") return true;
    throw new MatchFailure(
      `the labels of namespace ${namespaceOf(object)} decide whether it applies, and they are not known: the Namespace is not given`,
    );
  };

const scopeTest =
  (scope: string): Test =>
  ({ object, namespace }) => {
    const isIn = namespaceOf(object) !== "" || namespace !== undefined;
    return scope === "Cluster" ? isNamespace(object) || !isIn : !isNamespace(object) && isIn;
  };

const nameTest =
  (glob: string): Test =>
  ({ object }) =>
    fitsGlob(glob, nameOf(object)) || fitsGeneratedName(glob, asString(member(object.metadata, "generateName")) ?? "");

const sources = ["All", "Original", "Generated"];

function selectorOf(block: JsonValue | undefined, name: string, path: JsonPath, report: DocumentReport) {
  const selector = member(block, name);
  if (selector === undefined || selector === null) return undefined;
  const compiled = compileLabelSelector(selector);
  if (compiled.ok) return compiled.matches;
  for (const problem of compiled.problems) report.error("GATEKEEPER_MATCH", [...path, name, ...problem.path], problem.message);
  return undefined;
}

/** Compiles a match block; an absent one matches everything. Wrong parts are reported. */
export function compileMatch(block: JsonValue | undefined, path: JsonPath, report: DocumentReport): CompiledMatch {
  const kinds = kindsTest(member(block, "kinds"));
  const namespaces = textsOf(member(block, "namespaces"));
  const excluded = textsOf(member(block, "excludedNamespaces"));
  const labels = selectorOf(block, "labelSelector", path, report);
  const namespaceLabels = selectorOf(block, "namespaceSelector", path, report);
  const scope = asString(member(block, "scope")) ?? "";
  const name = asString(member(block, "name")) ?? "";
  const source = asString(member(block, "source")) || "All";
  if (!["", "*", "Cluster", "Namespaced"].includes(scope)) {
    report.warning(
      "GATEKEEPER_MATCH",
      [...path, "scope"],
      `${scope} is none of *, Cluster, Namespaced, so all objects are in scope`,
    );
  }
  if (!sources.includes(source)) {
    report.error("GATEKEEPER_MATCH", [...path, "source"], `${source} is none of ${sources.join(", ")}`);
  }
  const tests: readonly (Test | undefined)[] = [
    kinds.test,
    scope === "Cluster" || scope === "Namespaced" ? scopeTest(scope) : undefined,
    namespaces.length > 0 ? namespacesTest(namespaces, true) : undefined,
    excluded.length > 0 ? namespacesTest(excluded, false) : undefined,
    labels === undefined ? undefined : ({ object }) => labels(labelsOf(object)),
    namespaceLabels === undefined ? undefined : namespaceSelectorTest(namespaceLabels),
    name === "" ? undefined : nameTest(name),
    source === "All" ? undefined : (target) => target.source === source,
  ];
  const wanted = tests.filter((test) => test !== undefined);
  return { selectors: kinds.selectors, matches: (target) => wanted.every((test) => test(target)) };
}
