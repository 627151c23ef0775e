import { loadPaths } from "../adapters/files/load-paths.ts";
import { nodeTextFiles } from "../adapters/files/text-files.ts";
import type { JsonValue } from "../core/json.ts";
import { fromJson, RegoObject, toJson } from "../languages/rego/index.ts";
import type { Evaluation } from "../languages/rego/program.ts";
import { moduleValue } from "../languages/rego/reflection/module-json.ts";
import { explainRules, type RuleExplanation } from "../services/rego-explain.ts";
import { loadRego, type RegoBundle, type RegoOptions } from "../services/rego-files.ts";
import { profileRules } from "../services/rego-profile.ts";
import { askRego } from "../services/rego-query.ts";
import { type CommandContext, nothingFound, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { nodeHost } from "./node-host.ts";
import { finish } from "./run-policy.ts";

export interface CheckFlags {
  readonly strict?: boolean;
  readonly regoVersion?: "v0" | "v1";
}

export interface EvalFlags extends CheckFlags {
  readonly data?: readonly string[];
  readonly input?: string;
  readonly explain?: boolean;
  readonly profile?: boolean;
  readonly strictBuiltinErrors?: boolean;
}

const optionsOf = ({ strict, regoVersion }: CheckFlags): RegoOptions => ({
  strict,
  version: regoVersion === undefined ? undefined : regoVersion === "v0" ? 0 : 1,
});

function load(paths: readonly string[], flags: CheckFlags): RegoBundle {
  try {
    return loadRego(paths, nodeTextFiles, optionsOf(flags));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The first document of a file. */
async function inputOf(path: string | undefined): Promise<JsonValue | undefined> {
  if (path === undefined) return undefined;
  const { documents, diagnostics } = await loadPaths([path], { render: "never" });
  const [first] = documents;
  if (first === undefined) throw new UsageError(diagnostics[0]?.message ?? `${path} holds no document`);
  return first.value;
}

const json = (value: unknown): string =>
  `${JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? Number(part) : part), 2)}\n`;

export async function evalRego(query: string, flags: EvalFlags, context: CommandContext): Promise<void> {
  const { io, exit } = context;
  const bundle = load(flags.data ?? [], flags);
  const { modules, diagnostics } = bundle;
  const program = bundle.program;
  if (program === undefined) {
    finish(diagnostics, context);
    return;
  }
  const input = await inputOf(flags.input);
  const data = fromJson(bundle.data);
  const given: Evaluation = {
    ...(input === undefined ? {} : { input: fromJson(input) }),
    data: data instanceof RegoObject ? data : RegoObject.empty,
    host: nodeHost(io),
    strictBuiltinErrors: flags.strictBuiltinErrors,
  };
  const answer = askRego(program, query, given);
  if (answer.kind === "refused") {
    finish(answer.diagnostics, context);
    return;
  }
  if (answer.kind === "failed") {
    io.err(`${answer.message}\n`);
    exit(exitCodes.incomplete);
    return;
  }
  if (answer.kind === "bindings") io.out(json(answer.solutions));
  else if (answer.values.length === 1) io.out(json(answer.values[0]));
  else io.out(answer.values.length === 0 ? "undefined\n" : json(answer.values));
  if (flags.explain === true) io.out(explainRules(pathOf(query), modules, given).map(explanationLine).join(""));
  if (flags.profile === true) {
    const costs = profileRules(program, modules, given, () => performance.now());
    for (const { rule, microseconds } of costs) io.out(`${microseconds.toFixed(1).padStart(10)} us  ${rule}\n`);
  }
}

/** The names of a reference below `data`; other queries name no rule. */
function pathOf(query: string): readonly string[] {
  const path = /^data((?:\.\w+|\["[^"]+"\])+)$/.exec(query.trim())?.[1];
  if (path === undefined) throw new UsageError("--explain needs a query that names a rule or a package: data.main.deny");
  return [...path.matchAll(/\.(\w+)|\["([^"]+)"\]/g)].map(([, plain, quoted]) => plain ?? quoted ?? "");
}

function explanationLine({ rule, file, line, failed, problem }: RuleExplanation): string {
  const place = `${file}:${line}: ${rule}`;
  if (problem !== undefined) return `${place} does not hold: ${problem}\n`;
  if (failed === undefined) return `${place} holds\n`;
  return `${place} does not hold: line ${failed.line}: ${failed.expression}\n`;
}

export function checkRego(paths: readonly string[], flags: CheckFlags, context: CommandContext): void {
  const { diagnostics, files } = load(paths, flags);
  if (files.length === 0) throw nothingFound(diagnostics, `no .rego file is in ${paths.join(", ")}`);
  finish(diagnostics, context);
  if (diagnostics.every((d) => d.severity !== "error")) {
    context.io.out(`${files.length === 1 ? "1 module is" : `${files.length} modules are`} fine\n`);
  }
}

export function parseRego(file: string, flags: CheckFlags, context: CommandContext): void {
  const { modules, diagnostics } = load([file], flags);
  const [module] = modules;
  if (module === undefined) finish(diagnostics, context);
  else context.io.out(json(toJson(moduleValue(module))));
}
