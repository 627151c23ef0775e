import type { Command } from "commander";
import { type CommandContext, type CommandModule, describedCommand } from "./command.ts";
import { withServer } from "./request.ts";
import { actOnRequest, type OutputFlags } from "./run-request.ts";

interface DecideFlags extends OutputFlags {
  readonly comment?: string;
}

const decision = (verb: "approve" | "deny", description: string, context: CommandContext): Command =>
  withServer(
    describedCommand(verb, description, [
      [
        `castellan ${verb} 01J... --comment "${verb === "approve" ? "INC-1204, go" : "use the staging cluster"}"`,
        "with a word to the requester",
      ],
    ])
      .argument("<id>", "the request")
      .option("--comment <text>", "what the requester and the record are told"),
  ).action((id: string, flags: DecideFlags) => {
    if (verb === "deny" && flags.comment === undefined) context.io.err("castellan: the requester is not told why: --comment\n");
    return actOnRequest(id, verb, { comment: flags.comment ?? "" }, flags, context);
  });

export const approve: CommandModule = {
  createCommand: (context) =>
    decision("approve", "Approves a request that you may decide. Look at it first: castellan request show ID.", context),
};

export const deny: CommandModule = {
  createCommand: (context) => decision("deny", "Denies a request that you may decide.", context),
};

export const revoke: CommandModule = {
  createCommand: (context) =>
    withServer(
      describedCommand("revoke", "Ends a request or a grant at once: open watches, sessions and tunnels are cut.", [
        [
          'castellan revoke 01J... --comment "no longer needed"',
          "by its requester, its approvers or reviewers, an administrator",
        ],
      ])
        .argument("<id>", "the request")
        .option("--comment <text>", "why"),
    ).action((id: string, flags: DecideFlags) => actOnRequest(id, "revoke", { why: flags.comment ?? "" }, flags, context)),
};
