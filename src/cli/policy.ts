import { Command, Option } from "commander";
import { severities } from "../core/finding.ts";
import { formatters } from "../report/index.ts";
import { type CommandContext, describedCommand } from "./command.ts";
import { overlapPolicies } from "./run-overlap.ts";
import { explainPolicies, type LintFlags, lintPolicies, type ShowFlags, showPolicies } from "./run-policy.ts";

const worstFirst = severities.toReversed();

export function createCommand(context: CommandContext): Command {
  return new Command("policy")
    .description("Look at policies themselves: what they do, and what is wrong with them.")
    .addCommand(lintCommand(context))
    .addCommand(showCommand(context))
    .addCommand(explainCommand(context))
    .addCommand(overlapCommand(context));
}

function lintCommand(context: CommandContext): Command {
  return describedCommand("lint", "Unknown fields, old forms, rules that never apply, patterns for fields that do not exist.", [
    ["castellan policy lint policies/", "everything in a folder"],
    ["castellan policy lint policies/ -o sarif", "for code scanning"],
  ])
    .summary("Find what is wrong with policies")
    .argument("<paths...>", "files, folders, globs, or - for standard input")
    .addOption(new Option("-o, --output <format>", "how to report").choices(Object.keys(formatters)).default("table"))
    .option("--output-file <file>", "write the report there, and only a summary to the terminal")
    .addOption(
      new Option("--fail-on <level>", "exit with 1 on findings at or over").choices([...worstFirst, "never"]).default("medium"),
    )
    .action((paths: readonly string[], flags: LintFlags) => lintPolicies(paths, flags, context));
}

function showCommand(context: CommandContext): Command {
  return describedCommand(
    "show",
    "The policies of a folder: their rules, generated ones included, and the kinds they apply to.",
    [
      ["castellan policy show policies/", "a list"],
      ["castellan policy show policies/ -o json", "for scripts"],
    ],
  )
    .summary("List policies with their rules")
    .argument("<paths...>", "files, folders, globs, or - for standard input")
    .addOption(new Option("-o, --output <format>", "how to show").choices(["table", "json", "yaml"]).default("table"))
    .action((paths: readonly string[], flags: ShowFlags) => showPolicies(paths, flags, context));
}

function explainCommand(context: CommandContext): Command {
  return describedCommand("explain", "What policies do, in words: when they apply, what they ask, what happens on failure.", [
    ["castellan policy explain policies/disallow-latest-tag.yaml", "one policy"],
    ["castellan policy explain policies/ -o json", "for scripts"],
  ])
    .summary("Say in words what policies do")
    .argument("<paths...>", "files, folders, globs, or - for standard input")
    .addOption(new Option("-o, --output <format>", "how to show").choices(["table", "json", "yaml"]).default("table"))
    .action((paths: readonly string[], flags: ShowFlags) => explainPolicies(paths, flags, context));
}

function overlapCommand(context: CommandContext): Command {
  return describedCommand(
    "overlap",
    "Rules that say the same, that can never matter beside another, or that no object can satisfy together.",
    [
      ["castellan policy overlap policies/", "each with an object that shows it"],
      ["castellan policy overlap ours/ theirs/ -o json", "before two sets are merged"],
    ],
  )
    .summary("Find duplicate, shadowed and contradictory policies")
    .argument("<paths...>", "files, folders, globs, or - for standard input")
    .addOption(new Option("-o, --output <format>", "how to show").choices(["table", "json", "yaml"]).default("table"))
    .action((paths: readonly string[], flags: ShowFlags) => overlapPolicies(paths, flags, context));
}
