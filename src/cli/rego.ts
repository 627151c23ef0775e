import { Command, Option } from "commander";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import { type CheckFlags, checkRego, type EvalFlags, evalRego, parseRego } from "./run-rego.ts";

const versionOption = () =>
  new Option("--rego-version <version>", "what the modules are written in; each is tried as v1, then as v0").choices([
    "v0",
    "v1",
  ]);

export function createCommand(context: CommandContext): Command {
  return new Command("rego")
    .description("Work with Rego: ask queries, check modules, look at their syntax. Tests are run by castellan test.")
    .addCommand(evalCommand(context))
    .addCommand(checkCommand(context))
    .addCommand(parseCommand(context));
}

function evalCommand(context: CommandContext): Command {
  return describedCommand("eval", "Evaluate a query over modules, data and an input.", [
    ["castellan rego eval '1 + 1'", "an expression by itself"],
    ["castellan rego eval data.main.deny -d policy/ -i pod.yaml", "a rule on an object"],
    ["castellan rego eval data.main.deny -d policy/ -i pod.yaml --explain", "which expression of which rule does not hold"],
    ["castellan rego eval data.main.deny -d policy/ -i pod.yaml --profile", "what each rule costs"],
  ])
    .summary("Evaluate a query")
    .argument("<query>", "a Rego query: data.main.deny, or x := 1; y := x + 1")
    .option("-d, --data <path>", "modules, and data.json or data.yaml files; repeatable", collect)
    .option("-i, --input <file>", "the input: the first document of a file; - reads standard input")
    .option("--explain", "say of each rule that the query names how far it holds")
    .option("--profile", "say what each rule of the modules costs by itself")
    .option("--strict-builtin-errors", "a builtin that refuses its arguments ends the evaluation")
    .addOption(versionOption())
    .action((query: string, flags: EvalFlags) => evalRego(query, flags, context));
}

function checkCommand(context: CommandContext): Command {
  return describedCommand("check", "Parse and compile modules, and say what is wrong with them.", [
    ["castellan rego check policy/", "everything in a folder"],
    ["castellan rego check policy/ --strict", "unused imports, variables and arguments are errors"],
  ])
    .summary("Check modules")
    .argument("<paths...>", "files and folders")
    .option("--strict", "refuse what is not used")
    .addOption(versionOption())
    .action((paths: readonly string[], flags: CheckFlags) => checkRego(paths, flags, context));
}

function parseCommand(context: CommandContext): Command {
  return describedCommand("parse", "Print the syntax tree of a module as JSON, as opa parse does.", [
    ["castellan rego parse policy.rego", "one module"],
  ])
    .summary("Print a syntax tree")
    .argument("<file>", "a module")
    .addOption(versionOption())
    .action((file: string, flags: CheckFlags) => parseRego(file, flags, context));
}
