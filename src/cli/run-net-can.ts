import { protocolName } from "../analysis/network/connection-set.ts";
import { describeEndpoint } from "../analysis/network/describe.ts";
import type { DecidingPolicy, DirectionExplanation, Endpoint, Explanation, Network } from "../analysis/network/model.ts";
import { toDotted } from "../core/json.ts";
import { formatSpan } from "../core/source.ts";
import { styleFor } from "../report/index.ts";
import { endpointForms, type Named, readEndpoint, readPort } from "../services/network-endpoint.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { wantsColor } from "./io.ts";
import { loadNetwork, type NetFlags } from "./net-input.ts";
import { finish } from "./run-policy.ts";

export interface CanFlags extends NetFlags {
  readonly explain?: boolean;
  readonly output: "table" | "json";
}

/** Answers yes or no, or that it depends; the exit code says the same. */
export async function runCan(
  from: string,
  to: string,
  port: string | undefined,
  flags: CanFlags,
  context: CommandContext,
): Promise<void> {
  const input = await loadNetwork(flags, context);
  const { network } = input;
  const source = wanted(readEndpoint(from, network), `FROM is ${endpointForms}`);
  const target = wanted(readEndpoint(to, network), `TO is ${endpointForms}`);
  if (port === undefined) answerAll(network, source, target, flags, context);
  else answerOne(network, source, target, port, flags, context);
  finish(input.diagnostics, context);
}

function wanted<T>(named: Named<T>, help: string): T {
  if (named.ok) return named.value;
  throw new UsageError(`${named.message}\n${help}`);
}

/** Without a port: all that passes. */
function answerAll(network: Network, from: Endpoint, to: Endpoint, flags: CanFlags, { io, exit }: CommandContext): void {
  const verdict = network.between(from, to);
  const answer = {
    from: describeEndpoint(from),
    to: describeEndpoint(to),
    connections: verdict.connections.toString(),
    egress: verdict.egress.toString(),
    ingress: verdict.ingress.toString(),
    depends: verdict.depends,
  };
  if (flags.output === "json") io.out(`${JSON.stringify(answer, null, 2)}\n`);
  else {
    io.out(`${answer.from} to ${answer.to}: ${answer.connections}\n`);
    io.out(`  the source lets out  ${answer.egress}\n  the target lets in   ${answer.ingress}\n`);
    for (const { reason } of verdict.depends) io.out(`  depends: ${reason}\n`);
  }
  if (!verdict.possible.equals(verdict.connections)) exit(exitCodes.incomplete);
  else if (verdict.connections.isEmpty) exit(exitCodes.findings);
}

function answerOne(
  network: Network,
  from: Endpoint,
  to: Endpoint,
  portText: string,
  flags: CanFlags,
  { io, exit }: CommandContext,
): void {
  const asked = wanted(
    readPort(portText, to),
    "PORT is 8080, 53/udp, or the name of a port of the called workload; paths come after it",
  );
  const explanation = network.explain(from, to, asked.protocol, asked.port);
  const verdict = network.between(from, to);
  const isOpen = verdict.possible.has(asked.protocol, asked.port) !== explanation.allowed;
  if (flags.output === "json") io.out(`${JSON.stringify(explanationData(from, to, explanation, isOpen), null, 2)}\n`);
  else {
    const { bold } = styleFor(wantsColor(io));
    const word = isOpen ? "it depends" : explanation.allowed ? "yes" : "no";
    io.out(
      `${bold(word)}: ${describeEndpoint(from)} to ${describeEndpoint(to)} on ${protocolName(asked.protocol)} ${asked.port}\n`,
    );
    io.out(
      explanationLines(explanation, flags.explain === true)
        .map((line) => `  ${line}\n`)
        .join(""),
    );
  }
  if (isOpen) exit(exitCodes.incomplete);
  else if (!explanation.allowed) exit(exitCodes.findings);
}

/** Both directions in words; with `full` also the policies, their rules and where they stand. */
function explanationLines({ egress, ingress, depends }: Explanation, full: boolean): readonly string[] {
  const side = (direction: DirectionExplanation) => [
    `${direction.direction.padEnd(7)}  ${direction.allowed ? "yes" : "no "}  ${direction.text}`,
    ...(full ? direction.policies.flatMap(policyLines).map((line) => `              ${line}`) : []),
  ];
  return [...side(egress), ...side(ingress), ...depends.map(({ reason }) => `depends  ${reason}`)];
}

function policyLines({ policy, rules, pivotal }: DecidingPolicy): readonly string[] {
  const at = policy.document.locate(["metadata", "name"]);
  const place = at === undefined ? "" : `  ${formatSpan(at)}`;
  const head = `${policy.id}${pivotal ? "" : " (not alone)"}${rules.length === 0 ? ": selects it, no rule matches" : ""}${place}`;
  return [
    head,
    ...rules.map(({ path, action }) => {
      const span = policy.document.locate(path);
      return `  ${action} by ${toDotted(path)}${span === undefined ? "" : `  ${formatSpan(span)}`}`;
    }),
  ];
}

function explanationData(from: Endpoint, to: Endpoint, explanation: Explanation, isOpen: boolean): object {
  const side = ({ policies, ...rest }: DirectionExplanation) => ({
    ...rest,
    policies: policies.map(({ policy, rules, pivotal }) => ({
      id: policy.id,
      kind: policy.kind,
      rules: rules.map(({ path, action }) => ({ path: toDotted(path), action })),
      pivotal,
    })),
  });
  return {
    from: describeEndpoint(from),
    to: describeEndpoint(to),
    protocol: protocolName(explanation.protocol),
    port: explanation.port,
    allowed: isOpen ? "depends" : explanation.allowed,
    egress: side(explanation.egress),
    ingress: side(explanation.ingress),
    depends: explanation.depends,
  };
}
