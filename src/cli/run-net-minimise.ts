import { minimisePolicies } from "../analysis/network/suggest/minimise.ts";
import { toDotted } from "../core/json.ts";
import { formatSpan } from "../core/source.ts";
import { writeYaml } from "../report/index.ts";
import { textTable } from "../report/network-table.ts";
import type { CommandContext } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { wantsColor } from "./io.ts";
import { loadNetwork, type NetFlags } from "./net-input.ts";
import { finish } from "./run-policy.ts";

export interface MinimiseFlags extends NetFlags {
  readonly merge?: boolean;
  readonly output: "table" | "json" | "yaml";
}

/** What can go; exits with 1 where something can, as other checks that find something. */
export async function runMinimise(flags: MinimiseFlags, context: CommandContext): Promise<void> {
  const input = await loadNetwork(flags, context);
  const { removals, changed, dropped, proven } = minimisePolicies(input.network, input.documents, input.options, {
    merge: flags.merge === true,
  });
  const rows = removals.map(({ policy, path, into }) => {
    const what = into === undefined ? "the whole policy" : `the whole policy, its rules in ${into.id}`;
    const span = policy.document.locate(path.length === 0 ? ["metadata", "name"] : path);
    return [policy.id, path.length === 0 ? what : toDotted(path), span === undefined ? "" : formatSpan(span)];
  });
  const { io } = context;
  if (flags.output === "yaml") io.out(changed.map((document) => writeYaml(document.value)).join("---\n"));
  else if (flags.output === "json") {
    const what = removals.map(({ policy, path, into }) => ({
      policy: policy.id,
      path: toDotted(path),
      ...(into === undefined ? {} : { into: into.id }),
    }));
    const answer = { removals: what, delete: dropped.map((p) => p.id), apply: changed.map((d) => d.value), proven };
    io.out(`${JSON.stringify(answer, null, 2)}\n`);
  } else if (rows.length === 0) io.out("Every policy, rule, peer and port makes a difference.\n");
  else {
    io.out(textTable({ columns: ["POLICY", "CAN GO", "WHERE"], rows }, wantsColor(io)));
    io.out(`\n${dropped.length} policies can be deleted, ${changed.length} made smaller. `);
    io.out(proven ? "Proven: every pair keeps exactly its connections.\n" : "Not proven: do not apply this.\n");
    io.out("So do pods that rules mean and that are not there yet. Load the whole cluster before you delete anything.\n");
  }
  if (removals.length > 0) context.exit(exitCodes.findings);
  finish(input.diagnostics, context);
}
