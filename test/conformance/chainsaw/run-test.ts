import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadAll } from "js-yaml";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../../src/core/json.ts";
import { failure, type Outcome, passed, skipped } from "../corpus.ts";
import { type Bindings, mismatch, render } from "./assertion.ts";
import type { GovernedTestCluster } from "./cluster.ts";
import { NotAsked, nameOf, type WriteVerb } from "./objects.ts";

/** How long an assertion may take to become true, and a refusal to turn into an acceptance. */
const patience = { assert: 8000, error: 20_000, schedule: 75_000, apply: 4000, delete: 15_000 } as const;
const pause = 100;

class StepFailed extends Error {}
class NotSupported extends Error {}

interface Context {
  readonly cluster: GovernedTestCluster;
  readonly directory: string;
  readonly namespace: string;
  readonly bindings: Bindings;
  /** A copy of the directory above the test's, made when it is first asked for. */
  readonly copy: () => Promise<string>;
  /** What was made, to be removed afterwards, newest last. */
  readonly made: JsonObject[];
}

let number = 0;

/** Runs one `chainsaw-test.yaml`: its steps in a namespace of its own, then everything that it made is removed. */
export async function runChainsawTest(cluster: GovernedTestCluster, file: string): Promise<Outcome> {
  const [test] = await documents(file);
  const spec = member(test, "spec");
  const given = asString(member(spec, "namespace"));
  const namespace = given ?? `chainsaw-${number++}`;
  const directory = dirname(file);
  let copied: Promise<string> | undefined;
  const copy = () => (copied ??= copyOf(directory));
  const context: Context = {
    cluster,
    directory,
    copy,
    namespace,
    bindings: { namespace, test: test ?? null },
    made: [],
  };
  await cluster.objects.write("apply", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, "");
  try {
    // Without it pods are refused, whatever the policies say.
    await assertThere({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } }, context);
    for (const step of list(member(spec, "steps"))) await runStep(step, context);
    return passed;
  } catch (error) {
    if (error instanceof NotSupported) return skipped(error.message);
    if (error instanceof StepFailed || error instanceof NotAsked) return failure(error.message);
    // One case that cannot be read is no reason to run none of the others.
    return failure(`it cannot be run: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await clean(context, given === undefined);
    if (copied !== undefined) await rm(await copied, { recursive: true, force: true });
  }
}

async function clean({ cluster, made, namespace }: Context, own: boolean): Promise<void> {
  const items = made.toReversed();
  if (own) items.push({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  for (const item of items) await cluster.objects.remove(item, namespace);
  // Waited for, as the next test may make objects of the same names; whoever makes a namespace waits for the one before.
  const others = items.filter((item) => item["kind"] !== "Namespace");
  await Promise.all(others.map((item) => cluster.objects.isGone(item, namespace, patience.delete)));
  // Policies must be gone from the webhooks before the next test begins.
  await sleep(100);
}

async function runStep(step: JsonValue, context: Context): Promise<void> {
  const use = member(step, "use");
  if (use !== undefined) {
    const template = join(context.directory, asString(member(use, "template")) ?? "");
    const [document] = await documents(template);
    const bindings = bound(member(member(use, "with"), "bindings"), context.bindings);
    for (const operation of list(member(member(document, "spec"), "try"))) await operate(operation, { ...context, bindings });
    return;
  }
  const bindings = bound(member(step, "bindings"), context.bindings);
  try {
    for (const operation of list(member(step, "try"))) await operate(operation, { ...context, bindings });
  } finally {
    for (const key of ["finally", "cleanup"]) {
      for (const operation of list(member(step, key))) await operate(operation, { ...context, bindings }).catch(() => {});
    }
  }
}

function bound(bindings: JsonValue | undefined, outer: Bindings): Bindings {
  const result: { [name: string]: JsonValue } = { ...outer };
  for (const binding of list(bindings)) {
    const name = asString(member(binding, "name"));
    if (name !== undefined) result[name] = render(member(binding, "value") ?? null, result);
  }
  return result;
}

async function operate(operation: JsonValue, context: Context): Promise<void> {
  if (!isObject(operation)) return;
  const name = ["apply", "create", "patch", "update", "delete", "assert", "error", "sleep", "script", "command"].find(
    (key) => key in operation,
  );
  const spec = name === undefined ? undefined : operation[name];
  switch (name) {
    case "apply":
    case "create":
    case "patch":
    case "update":
      for (const object of await resources(spec, context)) await write(name, object, spec, context);
      return;
    case "delete":
      return remove(spec, context);
    case "assert":
      for (const object of await resources(spec, context)) await assertThere(object, context);
      return;
    case "error":
      for (const object of await resources(spec, context)) await assertAbsent(object, context);
      return;
    case "sleep":
      return void (await sleep(milliseconds(asString(member(spec, "duration")) ?? "1s")));
    case "script":
      return script(asString(member(spec, "content")) ?? "", spec, context);
    case "command": {
      const words = [asString(member(spec, "entrypoint")) ?? "", ...list(member(spec, "args")).map(String)];
      return script(
        words.map((word) => (/^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" "),
        spec,
        context,
      );
    }
    default:
      throw new NotSupported(`the operation ${Object.keys(operation).join(", ")} is not run here`);
  }
}

async function resources(spec: JsonValue | undefined, context: Context): Promise<readonly JsonObject[]> {
  const inline = member(spec, "resource");
  const file = asString(render(member(spec, "file") ?? null, context.bindings));
  const found = inline !== undefined ? [inline] : await documents(join(context.directory, file ?? ""));
  return found
    .filter(isObject)
    .flatMap((object) => (object["kind"] === "List" ? list(object["items"]).filter(isObject) : [object]))
    .map((object) => {
      const rendered = render(object, context.bindings);
      return isObject(rendered) ? rendered : object;
    });
}

async function write(verb: WriteVerb, object: JsonObject, spec: JsonValue | undefined, context: Context): Promise<void> {
  const { cluster, namespace, made } = context;
  const checks = list(member(spec, "expect")).filter((each) => {
    const match = member(each, "match");
    return match === undefined || mismatch(match, object, context.bindings) === undefined;
  });
  let problem = "";
  for (const deadline = Date.now() + patience.apply; ; await sleep(pause)) {
    const written = await cluster.objects.write(verb, object, namespace);
    if (typeof written !== "string" && (verb === "apply" || verb === "create")) made.push(written);
    const error = typeof written === "string" ? written : null;
    const failed =
      checks.length === 0
        ? (error ?? undefined)
        : checks
            .map((each) => mismatch(member(each, "check") ?? null, object, { ...context.bindings, error }))
            .find((text) => text !== undefined);
    if (failed === undefined) return;
    if (verb === "create" && typeof written !== "string") {
      await cluster.objects.remove(written, namespace);
      await cluster.objects.isGone(written, namespace, patience.delete);
    }
    problem = checks.length === 0 ? failed : `expected otherwise (${failed}): ${error ?? "it was accepted"}`;
    if (Date.now() > deadline)
      throw new StepFailed(`${verb} ${asString(object["kind"])} ${nameOf(object) ?? ""}: ${problem.slice(0, 400)}`);
  }
}

async function remove(spec: JsonValue | undefined, context: Context): Promise<void> {
  const { objects } = context.cluster;
  const reference = member(spec, "ref");
  const named = reference === undefined ? await resources(spec, context) : [referenced(reference, context)];
  for (const object of (await Promise.all(named.map((each) => candidates(each, context)))).flat()) {
    const error = (await objects.remove(object, context.namespace)) ?? null;
    const expected = list(member(spec, "expect"));
    const failed = expected
      .map((each) => mismatch(member(each, "check") ?? null, object, { ...context.bindings, error }))
      .find((text) => text !== undefined);
    if (failed !== undefined) throw new StepFailed(`delete ${asString(object["kind"])}: ${failed}`);
    if (expected.length === 0 && error !== null) throw new StepFailed(`delete ${asString(object["kind"])}: ${error}`);
    if (error === null && !(await objects.isGone(object, context.namespace, patience.delete)))
      throw new StepFailed(`delete ${asString(object["kind"])}: it stays`);
  }
}

function referenced(reference: JsonValue, context: Context): JsonObject {
  const rendered = render(reference, context.bindings);
  const text = (key: string) => asString(member(rendered, key));
  const metadata = {
    ...(text("name") === undefined ? {} : { name: text("name") }),
    ...(text("namespace") === undefined ? {} : { namespace: text("namespace") }),
    ...(isObject(member(rendered, "labels")) ? { labels: member(rendered, "labels") } : {}),
  };
  return { apiVersion: text("apiVersion"), kind: text("kind"), metadata };
}

/** Objects of the kind that the assertion may be about. */
async function candidates(object: JsonObject, { cluster, namespace, bindings }: Context): Promise<readonly JsonObject[]> {
  const found = await cluster.objects.find(object, namespace);
  const labels = member(object["metadata"], "labels");
  if (nameOf(object) !== undefined || labels === undefined) return found;
  return found.filter((item) => mismatch(labels, member(item["metadata"], "labels"), bindings) === undefined);
}

async function assertThere(object: JsonObject, context: Context): Promise<void> {
  let problem = "";
  for (const deadline = Date.now() + patience.assert; ; await sleep(pause)) {
    const found = await candidates(object, context);
    const problems = found.map((item) => mismatch(withoutPlace(object), item, context.bindings));
    if (problems.some((text) => text === undefined)) return;
    problem = problems[0] ?? "there is none";
    if (Date.now() > deadline)
      throw new StepFailed(`assert ${asString(object["kind"])} ${nameOf(object) ?? ""}: ${problem.slice(0, 400)}`);
  }
}

async function assertAbsent(object: JsonObject, context: Context): Promise<void> {
  // The shortest schedule comes once a minute.
  const isScheduled = context.made.some((made) => member(made["spec"], "schedule") !== undefined);
  for (const deadline = Date.now() + (isScheduled ? patience.schedule : patience.error); ; await sleep(pause)) {
    const found = await candidates(object, context);
    if (found.every((item) => mismatch(withoutPlace(object), item, context.bindings) !== undefined)) return;
    if (Date.now() > deadline) throw new StepFailed(`error ${asString(object["kind"])} ${nameOf(object) ?? ""}: it is there`);
  }
}

/** The namespace was used to find the objects. */
function withoutPlace(object: JsonObject): JsonObject {
  if (!isObject(object["metadata"])) return object;
  const { namespace: _, ...metadata } = object["metadata"];
  return { ...object, metadata };
}

async function script(content: string, spec: JsonValue | undefined, context: Context): Promise<void> {
  const env: { [name: string]: string } = { NAMESPACE: context.namespace };
  for (const entry of list(member(spec, "env")))
    env[asString(member(entry, "name")) ?? ""] = String(render(member(entry, "value") ?? null, context.bindings));
  const { code, stdout, stderr } = await context.cluster.shell(
    content,
    join(await context.copy(), basename(context.directory)),
    env,
  );
  const error = code === 0 ? null : stderr.trim() || `exit status ${code}`;
  const check = member(spec, "check");
  const problem =
    check === undefined
      ? (error ?? undefined)
      : mismatch(check, null, { ...context.bindings, error, stdout: stdout.trim(), stderr: stderr.trim() });
  if (problem !== undefined) throw new StepFailed(`script: ${problem.slice(0, 300)}: ${stderr.trim().slice(0, 200)}`);
}

/** Scripts leave files behind, so that they run in a copy of the test; its policy may lie one above. */
async function copyOf(directory: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "castellan-chainsaw-"));
  await cp(dirname(directory), copy, { recursive: true });
  return copy;
}

function milliseconds(duration: string): number {
  const units: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000 };
  return [...duration.matchAll(/([\d.]+)(ms|s|m)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0),
    0,
  );
}

const list = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

async function documents(file: string): Promise<readonly JsonValue[]> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new NotSupported("a file of the test is not there");
  });
  return loadAll(text).filter((document): document is JsonValue => document !== null && document !== undefined);
}
