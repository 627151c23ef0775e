import type { Command } from "commander";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { noFacts } from "../core/facts.ts";
import type { JsonValue } from "../core/json.ts";
import { evaluateExpression } from "../services/evaluate-expression.ts";
import { type CommandContext, describedCommand, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { nodeHost } from "./node-host.ts";

interface CelFlags {
  readonly object?: string;
  readonly old?: string;
  readonly params?: string;
  readonly cost?: boolean;
  readonly type?: boolean;
}

/** What grows with an input of any size has no maximum. */
function shownMaximum(max: bigint): string {
  return max >= 2n ** 63n ? "no limit" : String(max);
}

/** The first document of a file. */
async function documentOf(path: string | undefined): Promise<JsonValue | undefined> {
  if (path === undefined) return undefined;
  const { documents, diagnostics } = await loadPaths([path], { render: "never" });
  const [first] = documents;
  if (first === undefined) throw new UsageError(diagnostics[0]?.message ?? `${path} holds no document`);
  return first.value;
}

async function runCel(source: string, flags: CelFlags, { io, exit }: CommandContext): Promise<void> {
  const answer = evaluateExpression({
    source,
    object: await documentOf(flags.object),
    oldObject: await documentOf(flags.old),
    params: await documentOf(flags.params),
    resources: loadKubernetesSchemas().resources(),
    facts: noFacts("there is no cluster to ask"),
    host: nodeHost(io),
  });
  if (answer.kind !== "value") {
    io.err(`${answer.message}\n`);
    exit(answer.kind === "compile-error" ? exitCodes.usage : exitCodes.incomplete);
    return;
  }
  const { value, type, cost, estimate } = answer;
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part), 2);
  io.out(`${text}\n`);
  if (flags.type === true) io.out(`type: ${type}\n`);
  if (flags.cost === true) io.out(`cost: ${cost}\nstatic estimate: ${estimate[0]} to ${shownMaximum(estimate[1])}\n`);
}

export function createCommand(context: CommandContext): Command {
  return describedCommand("cel", "Evaluate a CEL expression as policies do, on objects from files.", [
    ["castellan cel '1 + 1'", "an expression by itself"],
    ["castellan cel 'object.spec.replicas > 1' --object deployment.yaml", "on an object"],
    ["castellan cel 'object == oldObject' --object new.yaml --old old.yaml", "on an update"],
    ["castellan cel 'quantity(\"1Gi\")' --type --cost", "with its type and cost"],
  ])
    .argument("<expression>", "what to evaluate")
    .option("--object <file>", "the object under review; - reads standard input")
    .option("--old <file>", "the object before the change")
    .option("--params <file>", "what params stands for")
    .option("--cost", "show what it costs, in the API server's units")
    .option("--type", "show the type of the value")
    .action((source: string, flags: CelFlags) => runCel(source, flags, context));
}
