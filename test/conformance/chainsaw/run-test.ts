import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadAll } from "js-yaml";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../../src/core/json.ts";
import { failure, type Outcome, passed, skipped } from "../corpus.ts";
import { type Bindings, mismatch, render } from "./assertion.ts";
import type { GovernedTestCluster, Ran } from "./cluster.ts";

/** How long an assertion may take to become true, and a refusal to turn into an acceptance. */
const patience = { assert: 8000, apply: 4000 } as const;
const pause = 250;

class StepFailed extends Error {}
class NotSupported extends Error {}

interface Context {
  readonly cluster: GovernedTestCluster;
  readonly directory: string;
  readonly namespace: string;
  readonly bindings: Bindings;
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
  const context: Context = { cluster, directory: dirname(file), namespace, bindings: { namespace }, made: [] };
  await cluster.kubectl(["create", "namespace", namespace]);
  try {
    for (const step of list(member(spec, "steps"))) await runStep(step, context);
    return passed;
  } catch (error) {
    if (error instanceof NotSupported) return skipped(error.message);
    if (error instanceof StepFailed) return failure(error.message);
    throw error;
  } finally {
    await clean(context, given === undefined);
  }
}

async function clean({ cluster, made, namespace }: Context, own: boolean): Promise<void> {
  const items = made.toReversed();
  if (items.length > 0) {
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    // Waited for: the next test may make objects of the same names.
    await cluster.kubectl(["delete", "--ignore-not-found", "--timeout=15s", "-f", "-"], { input });
  }
  if (own) await cluster.kubectl(["delete", "namespace", namespace, "--wait=false"]);
  // Policies must be gone from the webhooks before the next test begins.
  await sleep(300);
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
  const name = ["apply", "create", "patch", "update", "delete", "assert", "error", "sleep", "script", "command", "wait"].find(
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

const nameOf = (object: JsonObject) => asString(member(object["metadata"], "name"));

/** Chainsaw puts what names no namespace into the test's own; cluster-scoped objects ignore it. */
const placed = (object: JsonObject, context: Context) => [
  "-n",
  asString(member(object["metadata"], "namespace")) ?? context.namespace,
];

async function write(
  verb: "apply" | "create" | "patch" | "update",
  object: JsonObject,
  spec: JsonValue | undefined,
  context: Context,
): Promise<void> {
  const input = JSON.stringify(object);
  const place = placed(object, context);
  const type = `${asString(object["kind"])}.${(asString(object["apiVersion"]) ?? "").split("/").toReversed().join(".")}`;
  const attempt = (): Promise<Ran> => {
    if (verb === "patch")
      return context.cluster.kubectl([
        "patch",
        type.replace(/\.v1$/, (v) => (type.split(".").length > 2 ? v : "")),
        nameOf(object) ?? "",
        "--type=merge",
        "-p",
        input,
        ...place,
      ]);
    const command = verb === "update" ? ["replace"] : verb === "create" ? ["create", "--save-config"] : ["apply"];
    return context.cluster.kubectl([...command, "-f", "-", ...place], { input });
  };
  const checks = list(member(spec, "expect")).filter((each) => {
    const match = member(each, "match");
    return match === undefined || mismatch(match, object, context.bindings) === undefined;
  });
  if (verb !== "patch")
    context.made.push({
      ...object,
      metadata: {
        ...(isObject(object["metadata"]) ? object["metadata"] : {}),
        ...(nameOf(object) === undefined ? {} : { namespace: place[1] }),
      },
    });
  let problem = "";
  for (const deadline = Date.now() + patience.apply; ; await sleep(pause)) {
    const ran = await attempt();
    const error = ran.code === 0 ? null : ran.stderr.trim();
    const bindings = { ...context.bindings, error };
    if (checks.length === 0) {
      if (error === null) return;
      problem = error;
    } else {
      const failed = checks
        .map((each) => mismatch(member(each, "check") ?? null, object, bindings))
        .find((text) => text !== undefined);
      if (failed === undefined) return;
      problem = `expected otherwise (${failed}): ${error ?? "it was accepted"}`;
    }
    if (Date.now() > deadline)
      throw new StepFailed(`${verb} ${asString(object["kind"])} ${nameOf(object) ?? ""}: ${problem.slice(0, 400)}`);
  }
}

async function remove(spec: JsonValue | undefined, context: Context): Promise<void> {
  const reference = member(spec, "ref");
  const objects = reference === undefined ? await resources(spec, context) : [referenced(reference, context)];
  for (const object of objects) {
    const ran = await context.cluster.kubectl(
      ["delete", "--ignore-not-found", "--timeout=20s", "-f", "-", ...placed(object, context)],
      { input: JSON.stringify(object) },
    );
    const expected = list(member(spec, "expect"));
    const bindings = { ...context.bindings, error: ran.code === 0 ? null : ran.stderr.trim() };
    const failed = expected
      .map((each) => mismatch(member(each, "check") ?? null, object, bindings))
      .find((text) => text !== undefined);
    if (failed !== undefined) throw new StepFailed(`delete ${asString(object["kind"])}: ${failed}`);
    if (expected.length === 0 && ran.code !== 0)
      throw new StepFailed(`delete ${asString(object["kind"])}: ${ran.stderr.slice(0, 300)}`);
  }
}

function referenced(reference: JsonValue, context: Context): JsonObject {
  const rendered = render(reference, context.bindings);
  const text = (key: string) => asString(member(rendered, key));
  const metadata = { name: text("name") ?? "x", ...(text("namespace") === undefined ? {} : { namespace: text("namespace") }) };
  return { apiVersion: text("apiVersion"), kind: text("kind"), metadata };
}

/** Objects of the kind that the assertion may be about. */
async function candidates(object: JsonObject, context: Context): Promise<readonly JsonObject[] | string> {
  const name = nameOf(object);
  const [group, version] = (asString(object["apiVersion"]) ?? "v1").includes("/")
    ? (asString(object["apiVersion"]) ?? "").split("/")
    : ["", "v1"];
  const type = `${asString(object["kind"])}.${version}.${group}`;
  const ran = await context.cluster.kubectl([
    "get",
    type,
    ...(name === undefined ? [] : [name]),
    "-o",
    "json",
    "--ignore-not-found",
    ...placed(object, context),
  ]);
  if (ran.code !== 0) return ran.stderr.trim();
  if (ran.stdout.trim() === "") return [];
  const found: JsonValue = JSON.parse(ran.stdout);
  const items = name === undefined ? list(member(found, "items")) : [found];
  const labels = member(object["metadata"], "labels");
  return items
    .filter(isObject)
    .filter(
      (item) =>
        name !== undefined ||
        labels === undefined ||
        mismatch(labels, member(item["metadata"], "labels"), context.bindings) === undefined,
    );
}

async function assertThere(object: JsonObject, context: Context): Promise<void> {
  let problem = "";
  for (const deadline = Date.now() + patience.assert; ; await sleep(pause)) {
    const found = await candidates(object, context);
    if (typeof found === "string") problem = found;
    else {
      const problems = found.map((item) => mismatch(withoutPlace(object), item, context.bindings));
      if (problems.some((text) => text === undefined)) return;
      problem = problems[0] ?? "there is none";
    }
    if (Date.now() > deadline)
      throw new StepFailed(`assert ${asString(object["kind"])} ${nameOf(object) ?? ""}: ${problem.slice(0, 400)}`);
  }
}

async function assertAbsent(object: JsonObject, context: Context): Promise<void> {
  for (const deadline = Date.now() + patience.assert; ; await sleep(pause)) {
    const found = await candidates(object, context);
    if (typeof found === "string" || found.every((item) => mismatch(withoutPlace(object), item, context.bindings) !== undefined))
      return;
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
  const { code, stdout, stderr } = await context.cluster.shell(content, context.directory, env);
  const error = code === 0 ? null : stderr.trim() || `exit status ${code}`;
  const check = member(spec, "check");
  const problem =
    check === undefined
      ? (error ?? undefined)
      : mismatch(check, null, { ...context.bindings, error, stdout: stdout.trim(), stderr: stderr.trim() });
  if (problem !== undefined) throw new StepFailed(`script: ${problem.slice(0, 300)}: ${stderr.trim().slice(0, 200)}`);
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
