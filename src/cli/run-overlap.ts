import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { findOverlaps, type Overlap, type Overlaps } from "../engine/overlap/overlap.ts";
import { shortPolicyNames, styleFor, wrap, writeYaml } from "../report/index.ts";
import { compilePolicies } from "../services/policies.ts";
import type { CommandContext } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { type Io, wantsColor } from "./io.ts";
import { nodeHost } from "./node-host.ts";
import { finish, isPolicyDocument, requirePolicies, type ShowFlags } from "./run-policy.ts";

export async function overlapPolicies(paths: readonly string[], flags: ShowFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const input = await loadPaths(paths);
  const policies = input.documents.filter(isPolicyDocument);
  requirePolicies(policies, paths, input.diagnostics);
  const schemas = loadKubernetesSchemas();
  const resources = schemas.resources();
  const { set, diagnostics } = compilePolicies(policies, resources);
  const found = findOverlaps(set.policies, { resources, schemas, host: nodeHost(io) });
  if (flags.output === "table") io.out(overlapsText(found, io));
  else io.out(flags.output === "json" ? `${JSON.stringify(found, null, 2)}\n` : writeYaml(found));
  if (found.overlaps.length > 0) context.exit(exitCodes.findings);
  finish([...input.diagnostics, ...diagnostics], context);
}

const meanings: { readonly [type in Overlap["type"]]: (first: string, second: string) => string } = {
  duplicate: (first, second) => `${first} and ${second} refuse the same objects: one of them is enough.`,
  shadowed: (first, second) => `${first} refuses nothing that ${second} does not refuse: it adds nothing.`,
  contradictory: (first, second) => `no object satisfies both ${first} and ${second}.`,
  "order-dependent": (first, second) => `${first} and ${second} change the same fields: what comes out depends on their order.`,
};

function overlapsText({ overlaps, compared, unknown }: Overlaps, io: Io): string {
  const shorten = shortPolicyNames(overlaps.flatMap((o) => [o.first.policy, o.second.policy]));
  const { dim } = styleFor(wantsColor(io));
  const notes = [
    `${compared} pairs of rules compared: ${overlaps.length === 1 ? "1 overlap" : `${overlaps.length} overlaps`}.`,
    ...(unknown.length > 0
      ? [`${unknown.length} rules could not be compared: no object is known that they accept, or none that they refuse.`]
      : []),
  ];
  return `${overlaps.map((o) => overlapText(o, shorten, io)).join("\n")}${notes.map((n) => `${dim(n)}\n`).join("")}`;
}

function overlapText(overlap: Overlap, shorten: (policy: string) => string, io: Io): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const width = Math.min(io.outColumns ?? 80, 100);
  const name = ({ policy, rule }: Overlap["first"]) => (shorten(policy) === rule ? rule : `${shorten(policy)}/${rule}`);
  const first = name(overlap.first);
  const second = name(overlap.second);
  const field = overlap.field === undefined ? "" : ` They disagree on ${overlap.field}.`;
  const lines = [
    bold(overlap.type),
    ...wrap(`${meanings[overlap.type](first, second)}${field} (${overlap.tried} objects tried)`, width - 2).map((l) => `  ${l}`),
    ...overlap.witnesses.flatMap((w) => [
      dim(overlap.type === "order-dependent" ? "  shown by" : `  ${first}: ${w.first}; ${second}: ${w.second}`),
      ...writeYaml(w.object)
        .trimEnd()
        .split("\n")
        .map((l) => `    ${l}`),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}
