import { dirname, join } from "node:path";
import { formatRef, type KubernetesObject, nameOf, namespaceOf, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument, Span } from "../core/source.ts";
import type { RuleResult } from "../policies/policy.ts";
import { compareObjects, findExpected, isSameObject } from "./test-compare.ts";
import { evaluateObject, type PolicyRun, type RunEnvironment } from "./test-evaluate.ts";
import type { TestEntry, TestOperation } from "./test-spec.ts";
import type { TestWorld } from "./test-world.ts";

/** What came of one expectation for one resource. */
export interface TestRow {
  /** The test's file. */
  readonly file: string;
  readonly test: string;
  readonly policy: string;
  /** The rule that spoke; what was asked for when none did. */
  readonly rule: string;
  /** `group/version/Kind namespace/name` */
  readonly resource: string;
  /** A status; in cases also `allowed` or `denied`. */
  readonly expected: string;
  /** Undefined: nothing was said. */
  readonly actual: string | undefined;
  /** `skip`: it cannot be tried yet. */
  readonly outcome: "pass" | "fail" | "skip";
  /** Why it passed, failed or was skipped, in a few words. */
  readonly reason: string;
  /** What the rule said. */
  readonly message: string;
  readonly location: Span | undefined;
}

/** A rule result, and the object to compare with what the test expects of it. */
interface Observation {
  readonly rule: string;
  readonly result: RuleResult;
  readonly object: KubernetesObject;
}

type Evaluations = (object: KubernetesObject, operation: TestOperation | undefined) => readonly PolicyRun[];

interface Scoring {
  readonly world: TestWorld;
  readonly environment: RunEnvironment;
  readonly evaluations: Evaluations;
}

const policyNameOf = (entry: TestEntry): string => entry.policy.split("/").at(-1) ?? "";

function concerns(entry: TestEntry, run: PolicyRun): boolean {
  const { name, namespace } = run.policy.id;
  return name === policyNameOf(entry) && (!entry.policy.includes("/") || entry.policy === `${namespace}/${name}`);
}

/** Policies whose rules their author does not name. */
const hasNamedRules = ({ id }: PolicyRun["policy"]): boolean => id.group === "kyverno.io";

const speaksFor = (entry: TestEntry, rule: string): boolean =>
  entry.rule === "" || [entry.rule, `autogen-${entry.rule}`, `autogen-cronjob-${entry.rule}`].includes(rule);

function observe(runs: readonly PolicyRun[], entry: TestEntry): readonly Observation[] {
  return runs
    .filter((run) => concerns(entry, run))
    .flatMap((run) =>
      run.results
        .filter(({ rule }) => !hasNamedRules(run.policy) || speaksFor(entry, rule.name))
        .map(({ rule, result }) => ({ rule: rule.name, result, object: run.object })),
    );
}

function isNamed(object: KubernetesObject, wanted: string): boolean {
  const name = nameOf(object);
  return wanted === name || wanted === `${namespaceOf(object)}/${name}`;
}

/** Those of the kind that the entry names, if there are any: Kyverno itself does not look at the kind. */
function ofKind(objects: readonly KubernetesObject[], kind: string): readonly KubernetesObject[] {
  const same = objects.filter((object) => object.kind === kind);
  return same.length > 0 ? same : objects;
}

function readBeside(scoring: Scoring, file: string): readonly SourceDocument[] {
  return scoring.environment.documents.read(join(dirname(scoring.world.spec.document.file), file)).documents;
}

type Comparison = "none" | "same" | "absent" | { readonly problem: string };

/** The object after the policy beside the one that the test expects. */
function comparePatched(scoring: Scoring, entry: TestEntry, { result, object }: Observation): Comparison {
  if (entry.patchedResources === undefined) return "none";
  const actual = result.target ?? object;
  const expected = findExpected(readBeside(scoring, entry.patchedResources), actual);
  if (expected === undefined) return "absent";
  const problem = compareObjects(actual, expected);
  return problem === undefined ? "same" : { problem: `the patched resource is another: ${problem}` };
}

/** What is wrong with the objects that a result generates; undefined when they are as expected. */
function generatedProblem(scoring: Scoring, entry: TestEntry, { result }: Observation): string | undefined {
  if (entry.generatedResources.length === 0) return undefined;
  const documents = entry.generatedResources.flatMap((file) => readBeside(scoring, file));
  for (const generated of result.generated ?? []) {
    const expected = findExpected(documents, generated);
    if (expected === undefined) return `${formatRef(resourceRef(generated))} was generated, which the test does not expect`;
    const problem = compareObjects(generated, expected);
    if (problem !== undefined) return `the generated resource is another: ${problem}`;
  }
  return undefined;
}

function rowFor(scoring: Scoring, entry: TestEntry, resource: string, rest: Partial<TestRow>): TestRow {
  const { spec } = scoring.world;
  return {
    file: spec.document.file,
    test: spec.name,
    policy: entry.policy,
    rule: entry.rule,
    resource,
    expected: entry.result,
    actual: undefined,
    outcome: "fail",
    reason: "",
    message: "",
    location: spec.document.locate(entry.path),
    ...rest,
  };
}

function judge(scoring: Scoring, entry: TestEntry, resource: string, observation: Observation): TestRow {
  const { status, message } = observation.result;
  const row = (rest: Partial<TestRow>) =>
    rowFor(scoring, entry, resource, { rule: observation.rule, actual: status, message, ...rest });
  const patched = comparePatched(scoring, entry, observation);
  if (patched === "absent") {
    const reason = `nothing to compare with: ${entry.patchedResources} has no such resource`;
    return row({ outcome: entry.failOnMissingResources ? "fail" : "skip", reason });
  }
  if (typeof patched === "object") return row({ reason: patched.problem });
  if (status !== entry.result) return row({ reason: `want ${entry.result}, got ${status}` });
  const problem = generatedProblem(scoring, entry, observation);
  return problem === undefined ? row({ outcome: "pass", reason: "ok" }) : row({ reason: problem });
}

function nothingSaid(scoring: Scoring, entry: TestEntry, resource: string): TestRow {
  if (entry.result === "skip") return rowFor(scoring, entry, resource, { outcome: "pass", reason: "excluded" });
  return rowFor(scoring, entry, resource, { reason: `want ${entry.result}, but no rule said anything` });
}

const describe = (object: KubernetesObject): string => formatRef(resourceRef(object));

/** The rows of an object that the policies judged. */
function triggerRows(scoring: Scoring, entry: TestEntry, object: KubernetesObject): readonly TestRow[] {
  const observed = observe(scoring.evaluations(object, entry.operation), entry);
  const own = observed.filter(({ result }) => result.target === undefined);
  const spoken = own.length > 0 ? own : observed;
  if (spoken.length === 0) return [nothingSaid(scoring, entry, describe(object))];
  return spoken.map((observation) => judge(scoring, entry, describe(object), observation));
}

/** The rows of an object that mutate-existing rules changed, whatever triggered them. */
function targetRows(scoring: Scoring, entry: TestEntry, target: KubernetesObject): readonly TestRow[] {
  const { objects } = scoring.world;
  return objects
    .flatMap((trigger) => observe(scoring.evaluations(trigger.value, entry.operation), entry))
    .filter(({ result }) => result.target !== undefined && isSameObject(result.target, target))
    .map((observation) => judge(scoring, entry, describe(target), observation));
}

/** Rows of an entry whose policy is not there. */
function unavailable(scoring: Scoring, entry: TestEntry): readonly TestRow[] | undefined {
  const { policies } = scoring.world;
  const name = policyNameOf(entry);
  if (policies.set.policies.some((policy) => policy.id.name === name)) return undefined;
  const resources = entry.resources.length > 0 ? entry.resources : [entry.kind || "*"];
  const rest = { reason: `there is no policy ${entry.policy} in the test` };
  return resources.map((resource) => rowFor(scoring, entry, resource, rest));
}

function scoreNamed(scoring: Scoring, entry: TestEntry, wanted: string): readonly TestRow[] {
  const { objects, targets } = scoring.world;
  const named = (documents: typeof objects) =>
    ofKind(
      documents.map((d) => d.value).filter((object) => isNamed(object, wanted)),
      entry.kind,
    );
  const rows = named(targets).flatMap((target) => targetRows(scoring, entry, target));
  const triggers = rows.length > 0 ? [] : named(objects);
  rows.push(...triggers.flatMap((object) => triggerRows(scoring, entry, object)));
  if (rows.length > 0) return rows;
  const isTarget = named(targets).length > 0;
  return isTarget
    ? [nothingSaid(scoring, entry, wanted)]
    : [rowFor(scoring, entry, wanted, { reason: "the test has no such resource" })];
}

function scoreEntry(scoring: Scoring, entry: TestEntry): readonly TestRow[] {
  const missing = unavailable(scoring, entry);
  if (missing !== undefined) return missing;
  if (entry.resources.length > 0) return entry.resources.flatMap((wanted) => scoreNamed(scoring, entry, wanted));
  const { objects, targets } = scoring.world;
  const all = ofKind(
    objects.map((d) => d.value),
    entry.kind,
  );
  const changed = targets.flatMap((target) => targetRows(scoring, entry, target.value));
  return changed.length > 0 ? changed : all.flatMap((object) => triggerRows(scoring, entry, object));
}

/**
 * Scores a test strictly: an expected pass, fail, warn or error needs a rule that says exactly that; only an expected
 * skip may be silence. Objects are evaluated once for each operation.
 */
export function scoreTest(world: TestWorld, environment: RunEnvironment): readonly TestRow[] {
  const known = new Map<KubernetesObject, Map<TestOperation | undefined, readonly PolicyRun[]>>();
  const evaluations: Evaluations = (object, operation) => {
    const runs = known.get(object) ?? new Map<TestOperation | undefined, readonly PolicyRun[]>();
    known.set(object, runs);
    const found = runs.get(operation) ?? evaluateObject(world, object, operation, environment);
    runs.set(operation, found);
    return found;
  };
  return world.spec.results.flatMap((entry) => scoreEntry({ world, environment, evaluations }, entry));
}
