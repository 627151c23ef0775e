import { Command, Option } from "commander";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import { spanOf, withServer } from "./request.ts";
import {
  type LockFlags,
  listDeadLetters,
  listLocks,
  lockPerson,
  type RecordingsFlags,
  recordings,
  sendAgain,
  unlockPerson,
} from "./run-access.ts";
import { type InstallFlags, installAccess } from "./run-access-install.ts";
import { actOnRequest, type OutputFlags } from "./run-request.ts";

export function createCommand(context: CommandContext): Command {
  return new Command("access")
    .description("Prepares a cluster for grants; locks people out; shows recordings and messages that could not be sent.")
    .addCommand(installCommand(context))
    .addCommand(
      withServer(
        describedCommand("lock", "Ends all access of a person at once, on every replica, until unlocked.", [
          ['castellan access lock ada@example.com --reason "laptop stolen" --for 24h', "whatever is open is cut"],
        ])
          .argument("<human>", "the person, as requests show them")
          .requiredOption("--reason <text>", "why; it is kept")
          .option("--for <time>", "no longer than that", spanOf),
      ).action((human: string, flags: LockFlags) => lockPerson(human, flags, context)),
    )
    .addCommand(
      withServer(
        describedCommand("unlock", "Lets a person in again.", [
          ["castellan access unlock ada@example.com", "as before"],
        ]).argument("<human>", "the person"),
      ).action((human: string, flags: OutputFlags) => unlockPerson(human, flags, context)),
    )
    .addCommand(
      withServer(describedCommand("locks", "Who is locked.", [["castellan access locks", "newest first"]])).action(
        (flags: OutputFlags) => listLocks(flags, context),
      ),
    )
    .addCommand(
      withServer(
        describedCommand(
          "review",
          "Says that what was done with break-glass access was looked at; for those whom its rule's approvals name.",
          [['castellan access review 01J... --comment "as the incident says"', "the list: request list --to-review"]],
        )
          .argument("<id>", "the request")
          .requiredOption("--comment <text>", "what you found; it is kept"),
      ).action((id: string, flags: OutputFlags & { readonly comment: string }) =>
        actOnRequest(id, "review", { comment: flags.comment }, flags, context),
      ),
    )
    .addCommand(recordingsCommand(context))
    .addCommand(
      withServer(
        describedCommand("dead-letters", "Messages about requests that could not be sent; sends one again.", [
          ["castellan access dead-letters", "what was given up, and why"],
          ["castellan access dead-letters --send-again msg_1f...", "once more from the first attempt"],
        ]).option("--send-again <id>", "sends this one again"),
      ).action((flags: OutputFlags & { readonly sendAgain?: string }) =>
        flags.sendAgain === undefined ? listDeadLetters(flags, context) : sendAgain(flags.sendAgain, flags, context),
      ),
    );
}

function installCommand(context: CommandContext): Command {
  return describedCommand(
    "install",
    "Binds the group of each access rule's grants to the role that the rule names, in the rule's namespaces. Shows what would change and stores nothing without --yes. Refused where somebody else would gain a right, or where a grant would lead to the whole cluster.",
    [
      ["castellan access install access/", "what would be bound"],
      ["castellan access install access/ --gateway castellan/castellan-gateway --yes", "and the gateway's own role"],
    ],
  )
    .summary("Bind the groups of grants to the roles of access rules")
    .argument("[paths...]", "files with access rules")
    .option("-f, --access <path>", "the same as a path; repeatable", collect)
    .option("--context <name>", "the kubeconfig context of the cluster; else the current one")
    .option("--gateway <namespace/name>", "the gateway's service account: it is let act as people, and nothing else")
    .option("--accept-risk <rule>", "a grant of this rule may lead to the whole cluster; repeatable", collect)
    .option("--undo-file <file>", "where the undo is kept; castellan-undo.yaml unless told otherwise")
    .option("--yes", "makes the change")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json", "yaml"]).default("table"))
    .action((paths: readonly string[], flags: InstallFlags) =>
      installAccess({ ...flags, access: [...paths, ...(flags.access ?? [])] }, context),
    );
}

function recordingsCommand(context: CommandContext): Command {
  return withServer(
    describedCommand("recordings", "Recorded sessions; plays one. That you looked is kept.", [
      ["castellan access recordings -n prod", "who did what, where"],
      ["castellan access recordings --play 6f0c... --speed 4", "in this terminal"],
      ["castellan access recordings --play 6f0c... --save session.cast", "as a file"],
    ])
      .option("-n, --namespace <name>", "only there")
      .option("--play <id>", "shows what was shown")
      .option("--save <file>", "with --play: into a file instead")
      .option("--speed <times>", "so many times faster", Number, 1),
  ).action((flags: RecordingsFlags) => recordings(flags, context));
}
