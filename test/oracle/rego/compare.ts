import { compileSources, formatEvaluationError } from "../../../src/languages/rego/program.ts";
import { makers } from "./expressions.ts";
import { type OpaAnswer, startOpa } from "./opa-server.ts";
import { Random } from "./random.ts";
import { Terms } from "./terms.ts";

/** A query that the two engines answer differently. */
export interface Difference {
  readonly query: string;
  readonly ours: OpaAnswer;
  readonly theirs: OpaAnswer;
}

const program = compileSources([]);
const host = { now: () => 1_700_000_000_000, random: () => 0.5 };

/** A random query that binds `out` to its value as OPA prints it. */
function randomQuery(seed: number): string {
  const random = new Random(seed);
  const expression = random.pick(makers)(new Terms(random), random);
  return `v := ${expression}; out := sprintf("%v", [[v]])`;
}

function ask(source: string, strict: boolean): OpaAnswer {
  if (!program.ok) throw new Error("no modules, no program");
  const query = program.value.query(source);
  if (!query.ok) return { kind: "refused", message: query.issues.map(({ code, message }) => `${code}: ${message}`).join("; ") };
  const answer = query.value.evaluate({ host, strictBuiltinErrors: strict });
  if (!answer.ok) return { kind: "failed", message: formatEvaluationError(answer.error) };
  return { kind: "results", results: answer.value.map((bindings) => String(bindings.get("out"))) };
}

/** Asks both engines `count` random queries, from the seed on. Strict: refusals of builtins are errors, and compared. */
export async function compare(
  count: number,
  seed: number,
  errors: "undefined" | "strict" = "undefined",
): Promise<readonly Difference[]> {
  const strict = errors === "strict";
  const opa = await startOpa();
  const differences: Difference[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const query = randomQuery(seed + i);
      const theirs = await opa.ask(query, strict);
      const ours = ask(query, strict);
      if (!agree(ours, theirs)) differences.push({ query, ours, theirs });
    }
  } finally {
    opa.stop();
  }
  return differences;
}

function agree(ours: OpaAnswer, theirs: OpaAnswer): boolean {
  // A number like `1_000` that to_number lets through is no JSON: OPA fails to answer.
  if (theirs.kind === "crashed" || (theirs.kind === "failed" && theirs.message.startsWith("json: "))) return true;
  if (ours.kind === "failed" && theirs.kind === "failed") return withoutPlace(ours.message) === withoutPlace(theirs.message);
  if (ours.kind !== "results" || theirs.kind !== "results") return ours.kind === theirs.kind;
  return JSON.stringify(ours.results) === JSON.stringify(theirs.results);
}

const withoutPlace = (message: string): string => message.replace(/^.*?(?=eval_)/, "");

/** `node compare.ts COUNT [SEED] [strict]`: exit 1 on a difference. */
if (import.meta.main) {
  const [count = "2000", seed = "1", strict = ""] = process.argv.slice(2);
  const differences = await compare(Number(count), Number(seed), strict === "strict" ? strict : undefined);
  for (const { query, ours, theirs } of differences.slice(0, 60)) {
    console.log(`${query}\n  ours:   ${JSON.stringify(ours)}\n  theirs: ${JSON.stringify(theirs)}`);
  }
  console.log(`${count} queries, ${differences.length} differences`);
  process.exitCode = differences.length > 0 ? 1 : 0;
}
