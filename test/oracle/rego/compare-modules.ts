import { formatIssue } from "../../../src/languages/rego/issue.ts";
import { compileSources } from "../../../src/languages/rego/program.ts";
import { formatJson } from "../../../src/languages/rego/values/json.ts";
import { fromJson, RegoObject } from "../../../src/languages/rego/values/value.ts";
import { ModuleMaker, type RandomModule } from "./module-maker.ts";
import { type OpaServer, startOpa } from "./opa-server.ts";
import { Random } from "./random.ts";

type Answer =
  | { readonly kind: "document"; readonly text: string }
  /** Codes of OPA, or what an evaluation failed with. */
  | { readonly kind: "refused" | "failed"; readonly codes: readonly string[]; readonly message: string };

/** A module that the two engines do not agree about. */
export interface ModuleDifference {
  readonly seed: number;
  readonly module: RandomModule;
  readonly ours: Answer;
  readonly theirs: Answer;
}

function evaluate(name: string, { source, input, base }: RandomModule): Answer {
  const program = compileSources([{ file: name, source }]);
  if (!program.ok) {
    const codes = program.issues.map((issue) => issue.code);
    return { kind: "refused", codes, message: program.issues.map(formatIssue).join("; ") };
  }
  const evaluated = program.value.rule([name]).evaluate({
    input: input === undefined ? undefined : fromJson(input),
    data: RegoObject.fromJson({ base }),
    host: { now: () => 0, random: () => 0 },
  });
  if (!evaluated.ok) return { kind: "failed", codes: [evaluated.error.code], message: evaluated.error.message };
  return { kind: "document", text: canonical(JSON.parse(formatJson(evaluated.value ?? null))) };
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly errors?: readonly { readonly code: string; readonly message: string }[];
}

async function ask(opa: OpaServer, name: string, { source, input, base }: RandomModule): Promise<Answer> {
  const stored: Refusal | { readonly code?: undefined } = JSON.parse(await opa.send("PUT", `/v1/policies/${name}`, source));
  if (stored.code !== undefined) return refusal("refused", stored);
  await opa.send("PUT", "/v1/data/base", JSON.stringify(base));
  const text = await opa.send("POST", `/v1/data/${name}`, JSON.stringify(input === undefined ? {} : { input }));
  await opa.send("DELETE", `/v1/policies/${name}`, "");
  const reply: Refusal | { readonly code?: undefined; readonly result?: unknown } = JSON.parse(text);
  if (reply.code !== undefined) return refusal("failed", reply);
  return { kind: "document", text: canonical(reply.result ?? null) };
}

function refusal(kind: "refused" | "failed", reply: Refusal): Answer {
  const errors = reply.errors ?? [reply];
  return { kind, codes: errors.map(({ code }) => code), message: errors.map(({ message }) => message).join("; ") };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Types of random modules rarely fit; what counts is that one who evaluates a module answers as the other does. */
function agree(ours: Answer, theirs: Answer): boolean {
  if (ours.kind === "document" && theirs.kind === "document") return ours.text === theirs.text;
  if (ours.kind === "failed" && theirs.kind === "failed") return ours.message === theirs.message;
  if (ours.kind === "refused" && theirs.kind === "refused") return true;
  return theirs.kind === "refused" && theirs.codes.every((code) => code === "rego_type_error");
}

/** Gives both engines `count` random modules, from the seed on. `evaluated`: how many both evaluated. */
export async function compareModules(
  count: number,
  seed: number,
): Promise<{ readonly differences: readonly ModuleDifference[]; readonly evaluated: number }> {
  const opa = await startOpa();
  const differences: ModuleDifference[] = [];
  let evaluated = 0;
  try {
    for (let i = seed; i < seed + count; i++) {
      const name = `m${i}`;
      const module = new ModuleMaker(new Random(i)).make(name);
      const theirs = await ask(opa, name, module);
      const ours = evaluate(name, module);
      if (theirs.kind !== "refused" && ours.kind !== "refused") evaluated++;
      if (!agree(ours, theirs)) differences.push({ seed: i, module, ours, theirs });
    }
  } finally {
    opa.stop();
  }
  return { differences, evaluated };
}

/** `node compare-modules.ts COUNT [SEED]`: exit 1 on a difference. */
if (import.meta.main) {
  const [count = "1000", seed = "1"] = process.argv.slice(2);
  const { differences, evaluated } = await compareModules(Number(count), Number(seed));
  for (const { module, ours, theirs } of differences.slice(0, 20)) {
    console.log(`${module.source}\ninput ${JSON.stringify(module.input)}\nbase ${JSON.stringify(module.base)}`);
    console.log(`  ours:   ${JSON.stringify(ours)}\n  theirs: ${JSON.stringify(theirs)}\n`);
  }
  console.log(`${count} modules, ${evaluated} evaluated by both, ${differences.length} differences`);
  process.exitCode = differences.length > 0 ? 1 : 0;
}
