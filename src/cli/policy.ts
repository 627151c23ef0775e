import { Command, Option } from "commander";
import { severities } from "../core/finding.ts";
import { formatters } from "../report/index.ts";
import { conversionTargets } from "../services/convert/convert-policy.ts";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import { planCommand, previewCommand, promoteCommand } from "./policy-rollout.ts";
import { type ConvertFlags, convertPolicies } from "./run-convert.ts";
import { overlapPolicies } from "./run-overlap.ts";
import { explainPolicies, type LintFlags, lintPolicies, type ShowFlags, showPolicies } from "./run-policy.ts";

const worstFirst = severities.toReversed();

export function createCommand(context: CommandContext): Command {
  return new Command("policy")
    .description("Look at policies themselves: what they do, what is wrong with them, whom they would stop; and roll them out.")
    .addCommand(lintCommand(context))
    .addCommand(showCommand(context))
    .addCommand(explainCommand(context))
    .addCommand(overlapCommand(context))
    .addCommand(convertCommand(context))
    .addCommand(previewCommand(context))
    .addCommand(planCommand(context))
    .addCommand(promoteCommand(context));
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

function convertCommand(context: CommandContext): Command {
  return describedCommand(
    "convert",
    "Write ClusterPolicies anew in CEL, and prove it: both are run on the policy's own tests, on objects at its boundaries and on yours. What cannot be kept is said, and not converted.",
    [
      ["castellan policy convert policies/", "what can be converted, and what stands in the way"],
      ["castellan policy convert policies/ -o yaml > cel.yaml", "as ValidatingPolicies of Kyverno"],
      ["castellan policy convert policies/ --to kubernetes -o yaml", "as ValidatingAdmissionPolicies"],
      ["castellan policy convert policies/ --objects manifests/", "prove it on your manifests, too"],
    ],
  )
    .summary("Convert ClusterPolicies to CEL, with proof")
    .argument("<paths...>", "files, folders, globs, or - for standard input; tests are found below folders and beside files")
    .addOption(
      new Option("--to <kinds>", "Kyverno's CEL kinds, or the API server's own").choices(conversionTargets).default("kyverno"),
    )
    .option("--objects <path>", "manifests and CustomResourceDefinitions to prove it on; repeatable", collect)
    .option("--stop-existing-violations", "let updates of objects that violate an enforced policy already be stopped, too")
    .addOption(new Option("-o, --output <format>", "how to show").choices(["table", "json", "yaml"]).default("table"))
    .action((paths: readonly string[], flags: ConvertFlags) => convertPolicies(paths, flags, context));
}
