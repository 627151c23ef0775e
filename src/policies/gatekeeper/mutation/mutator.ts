import { asString, isArray, isObject, type JsonObject, type JsonValue, jsonEquals, member } from "../../../core/json.ts";
import { gvkOf, type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { DocumentReport, reportShape } from "../../kyverno/report.ts";
import { fields, list, type Shape } from "../../kyverno/shape.ts";
import { type CompiledMatch, compileMatch, matchShape } from "../match.ts";
import type { ReviewNamespace, Source } from "../review.ts";
import { appliesToKind, appliesToOperation, applyToShape, bindingProblem, bindingsOf } from "./apply-to.ts";
import { ChangeFailure, change, type Setter } from "./change.ts";
import type { Claim } from "./conflicts.ts";
import { changedImage, imagePartsProblem } from "./image-parts.ts";
import { type ListStep, type MutationPath, parsePath } from "./path.ts";
import { compilePathTests, type PathTests, readPathTests } from "./path-tests.ts";

export const mutationGroup = "mutations.gatekeeper.sh";
export const mutatorKinds = ["Assign", "AssignImage", "AssignMetadata", "ModifySet"] as const;
export type MutatorKind = (typeof mutatorKinds)[number];

/** An object that mutators may change. */
export interface Mutable {
  readonly object: KubernetesObject;
  readonly namespace: ReviewNamespace | undefined;
  readonly source: Source;
  readonly user: string;
  /** Empty: not known. */
  readonly operation: string;
}

export interface Mutator {
  readonly kind: MutatorKind;
  readonly name: string;
  readonly id: string;
  readonly claim: Claim | undefined;
  readonly match: CompiledMatch;
  /** Kinds it applies to; undefined: those of its match block. */
  readonly applyTo: readonly JsonValue[] | undefined;
  /** @throws MatchFailure */
  matches(mutable: Mutable): boolean;
  /** Undefined: nothing was put anywhere. @throws ChangeFailure */
  mutate(mutable: Mutable): JsonObject | undefined;
}

const pathTests = list(fields({ subPath: "string", condition: "string" }));
const assignShape = fields({
  value: "any",
  fromMetadata: fields({ field: "string" }),
  externalData: fields({ provider: "string", dataSource: "string", failurePolicy: "string", default: "string" }),
});

const parametersShapes: { readonly [kind in MutatorKind]: Shape } = {
  Assign: fields({ pathTests, assign: assignShape }),
  AssignMetadata: fields({ assign: assignShape }),
  ModifySet: fields({ pathTests, operation: "string", values: fields({ fromList: "any" }) }),
  AssignImage: fields({ pathTests, assignDomain: "string", assignPath: "string", assignTag: "string" }),
};

const shapeOf = (kind: MutatorKind): Shape =>
  fields({
    ...(kind === "AssignMetadata" ? {} : { applyTo: applyToShape }),
    match: matchShape,
    location: "string",
    parameters: parametersShapes[kind],
  });

export const isMutatorKind = (kind: string): kind is MutatorKind => mutatorKinds.some((one) => one === kind);

interface Draft {
  readonly kind: MutatorKind;
  readonly name: string;
  readonly parameters: JsonValue | undefined;
  readonly path: MutationPath;
}

/** What is put at the location, given what is mutated; or why that makes no sense. */
type SetterResult =
  | { readonly ok: true; readonly setter: (mutable: Mutable) => Setter }
  | { readonly ok: false; readonly message: string };

const refused = (message: string): SetterResult => ({ ok: false, message });

function constant(value: JsonValue): Setter {
  return {
    set: () => value,
    item: () => {
      if (isObject(value)) return value;
      throw new ChangeFailure(`only an object can be an item of a list, not ${JSON.stringify(value)}`);
    },
  };
}

/** Why a value cannot become the item of a list; undefined: it can, or the location ends with no list. */
function itemProblem(last: ListStep, value: JsonValue): string | undefined {
  if (last.all) return "the location must not end with [...: *]";
  if (!isObject(value)) return "only an object can be the item of a list";
  return jsonEquals(value[last.key], last.value)
    ? undefined
    : `the item's ${last.key} must be ${JSON.stringify(String(last.value))}, as the location says`;
}

function assignSetter({ parameters, path, kind, name }: Draft): SetterResult {
  const assign = member(parameters, "assign");
  const value = member(assign, "value");
  const fromMetadata = member(assign, "fromMetadata");
  const externalData = member(assign, "externalData");
  const given = [value, fromMetadata, externalData].filter((one) => one !== undefined && one !== null);
  if (given.length === 0) return refused("assign needs one of value, fromMetadata, externalData");
  if (given.length > 1) return refused("assign takes only one of value, fromMetadata, externalData");
  const last = path.at(-1);
  if (isObject(fromMetadata)) {
    const field = asString(fromMetadata["field"]);
    if (field !== "name" && field !== "namespace") return refused("fromMetadata.field must be name or namespace");
    if (last?.kind === "list") return refused("a field of the metadata cannot be the item of a list");
    return { ok: true, setter: ({ object }) => constant(field === "name" ? nameOf(object) : namespaceOf(object)) };
  }
  if (isObject(externalData)) {
    if (last?.kind === "list") return refused("external data cannot be the item of a list");
    if (kind === "AssignMetadata" && externalData["dataSource"] !== "Username") {
      return refused("only the data source Username is possible for metadata");
    }
    if (externalData["failurePolicy"] === "UseDefault" && (asString(externalData["default"]) ?? "") === "") {
      return refused("failurePolicy UseDefault needs a default");
    }
    const set = () => {
      throw new ChangeFailure(
        `${kind} ${name} needs the external data provider ${String(externalData["provider"])}, which is not asked`,
      );
    };
    return { ok: true, setter: () => ({ set }) };
  }
  const wanted = value ?? null;
  if (kind === "AssignMetadata" && typeof wanted !== "string") return refused("the value must be a string");
  const problem = last?.kind === "list" ? itemProblem(last, wanted) : undefined;
  return problem === undefined ? { ok: true, setter: () => constant(wanted) } : refused(problem);
}

function setSetter({ parameters }: Draft): SetterResult {
  const operation = asString(member(parameters, "operation")) ?? "merge";
  const list = member(member(parameters, "values"), "fromList");
  const values = isArray(list) ? list : [];
  if (operation !== "merge" && operation !== "prune")
    return refused(`operation ${JSON.stringify(operation)} is neither merge nor prune`);
  return {
    ok: true,
    setter: () => ({ set: (before) => (operation === "merge" ? mergedSet(before, values) : prunedSet(before, values)) }),
  };
}

function listOf(before: JsonValue): readonly JsonValue[] {
  if (isArray(before)) return before;
  throw new ChangeFailure(`${JSON.stringify(before)} is no list, so it cannot be treated as a set`);
}

/** The list with the values that it lacks. @throws ChangeFailure */
export function mergedSet(before: JsonValue | undefined, values: readonly JsonValue[]): JsonValue {
  if (before === undefined) return values;
  const merged = [...listOf(before)];
  for (const value of values) if (!merged.some((one) => jsonEquals(one, value))) merged.push(value);
  return merged;
}

/** The list without the values; undefined: there is none. @throws ChangeFailure */
export function prunedSet(before: JsonValue | undefined, values: readonly JsonValue[]): JsonValue | undefined {
  if (before === undefined) return undefined;
  return listOf(before).filter((one) => !values.some((value) => jsonEquals(one, value)));
}

function imageSetter({ parameters, path }: Draft): SetterResult {
  const text = (name: string) => asString(member(parameters, name)) ?? "";
  const parts = { domain: text("assignDomain"), path: text("assignPath"), tag: text("assignTag") };
  if (path.at(-1)?.kind === "list") return refused("the location must not end with an item of a list");
  const problem = imagePartsProblem(parts);
  if (problem !== undefined) return refused(problem);
  const set = (before: JsonValue | undefined) => {
    if (before !== undefined && typeof before !== "string") throw new ChangeFailure(`${JSON.stringify(before)} is no image`);
    return changedImage(before ?? "", parts);
  };
  return { ok: true, setter: () => ({ set }) };
}

function setterFor(draft: Draft): SetterResult {
  switch (draft.kind) {
    case "Assign":
    case "AssignMetadata":
      return assignSetter(draft);
    case "ModifySet":
      return draft.path.at(-1)?.kind === "list" ? refused("the location must not end with an item of a list") : setSetter(draft);
    case "AssignImage":
      return imageSetter(draft);
  }
}

function isMetadataPath(path: MutationPath): boolean {
  const [first, second] = path;
  return (
    path.length === 3 &&
    path.every(({ kind }) => kind === "object") &&
    first?.kind === "object" &&
    first.name === "metadata" &&
    second?.kind === "object" &&
    (second.name === "labels" || second.name === "annotations")
  );
}

/** Why a location cannot be mutated; undefined: it can. */
function locationProblem(kind: MutatorKind, path: MutationPath): string | undefined {
  if (kind === "AssignMetadata") {
    return isMetadataPath(path) ? undefined : "the location must be metadata.labels.NAME or metadata.annotations.NAME";
  }
  const [first] = path;
  if (first === undefined) return "the location is empty";
  if (first.kind === "object" && first.name === "metadata") return "metadata can be changed by AssignMetadata only";
  const [list, last] = path.slice(-2);
  if (path.length < 2 || list?.kind !== "list") return undefined;
  if (last?.kind !== "object") return "a list cannot be the item of a list";
  return last.name === list.key ? `the key of a list's items, ${list.key}, must not be changed` : undefined;
}

function testsFor({
  kind,
  parameters,
  path,
}: Draft): { readonly ok: true; readonly tests: PathTests } | { readonly ok: false; readonly message: string } {
  if (kind === "AssignMetadata") return compilePathTests(path, [{ path, condition: "MustNotExist" }]);
  const read = readPathTests(member(parameters, "pathTests"));
  return read.ok ? compilePathTests(path, read.tests) : read;
}

/** Reads a mutator; undefined: something in it is wrong. */
export function compileMutator(document: SourceDocument<KubernetesObject>): {
  readonly mutator: Mutator | undefined;
  readonly report: DocumentReport;
} {
  const object = document.value;
  const report = new DocumentReport(document);
  const { kind } = object;
  if (!isMutatorKind(kind)) throw new Error(`${kind} is no mutator`);
  const raw = object["spec"];
  reportShape(raw, shapeOf(kind), ["spec"], report);
  const name = nameOf(object);
  const refuse = (message: string, ...path: readonly string[]) => report.error("GATEKEEPER_MUTATOR", ["spec", ...path], message);
  if (name.length > 63)
    report.error("GATEKEEPER_MUTATOR", ["metadata", "name"], "the name must not be longer than 63 characters");
  const parsed = parsePath(asString(member(raw, "location")) ?? "");
  if (!parsed.ok) refuse(parsed.message, "location");
  const path = parsed.ok ? parsed.path : [];
  const misplaced = parsed.ok ? locationProblem(kind, path) : undefined;
  if (misplaced !== undefined) refuse(misplaced, "location");
  const draft: Draft = { kind, name, parameters: member(raw, "parameters"), path };
  const setter = setterFor(draft);
  if (!setter.ok) refuse(setter.message, "parameters");
  const tests = testsFor(draft);
  if (!tests.ok) refuse(tests.message, "parameters", "pathTests");
  const listed = member(raw, "applyTo");
  const applyTo = kind === "AssignMetadata" ? undefined : isArray(listed) ? listed : [];
  const unbound = applyTo === undefined ? undefined : bindingProblem(applyTo);
  if (unbound !== undefined) refuse(unbound, "applyTo");
  const match = compileMatch(member(raw, "match"), ["spec", "match"], report);
  if (report.errorCount > 0 || !setter.ok || !tests.ok) return { mutator: undefined, report };
  const id = `${kind}/${name}`;
  const isExternal = isObject(member(member(draft.parameters, "assign"), "externalData"));
  return {
    report,
    mutator: {
      kind,
      name,
      id,
      match,
      applyTo,
      claim: applyTo && {
        id,
        bindings: applyTo.flatMap(bindingsOf),
        path,
        terminal: kind === "ModifySet" ? "set" : kind === "AssignImage" ? "string" : "unknown",
        mustEnd: kind === "AssignImage" || (kind === "Assign" && isExternal),
      },
      matches: (mutable) => {
        const gvk = gvkOf(mutable.object);
        const isAbout = (entry: JsonValue) => appliesToKind(entry, gvk) && appliesToOperation(entry, mutable.operation);
        return (applyTo === undefined || applyTo.some(isAbout)) && match.matches(mutable);
      },
      mutate(mutable) {
        const { mutated, value } = change(mutable.object, path, tests.tests, setter.setter(mutable));
        return mutated && isObject(value) ? value : undefined;
      },
    },
  };
}
