import type { ConnectionSet, ProtocolNumber } from "../connection-set.ts";
import { protocolName } from "../connection-set.ts";
import type { DecidingPolicy, Direction, DirectionExplanation, PolicyInfo } from "../model.ts";
import type { CompiledPolicy } from "../rule.ts";
import type { ClusterState } from "../state.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import { coversName, type Reading, ruleMeets, rulesOf } from "./evaluate.ts";
import { type Plan, type PlanLayer, type PlanRule, portsAt } from "./plan.ts";
import { type Party, throughPlan } from "./verdict.ts";

interface Question {
  readonly state: ClusterState;
  readonly subject: EndpointClass;
  readonly peer: Party;
  readonly direction: Direction;
  readonly protocol: ProtocolNumber;
  readonly port: number;
  readonly reading: Reading;
  /** For people. */
  readonly subjectName: string;
  readonly peerName: string;
}

/** Which policies decide one direction of one connection, or what is missing. */
export function explainDirection(question: Question): DirectionExplanation {
  const { state, subject, direction } = question;
  const plan = state.plan(subject, direction);
  const passed: PlanRule[] = [];
  for (const layer of plan.layers) {
    const meeting = rulesOf(layer, question.reading).filter((rule) => meets(rule, question));
    const [first] = meeting;
    if (first !== undefined && first.rule.action !== "pass") {
      const same = meeting.filter((rule) => rule.rule.action === first.rule.action && (layer.onlyAllows || rule === first));
      return decided(question, layer, [...passed, ...same], first.rule.action === "allow");
    }
    if (first !== undefined) passed.push(first);
    else if (layer.isolating.length > 0) return isolated(question, layer, passed);
  }
  return byDefault(question, passed);
}

function meets(rule: PlanRule, question: Question): boolean {
  const { peer, protocol, port, direction, subject, reading } = question;
  const destination = direction === "ingress" ? subject : peer.kind === "class" ? peer.cls : undefined;
  if (!portsAt(rule.rule.ports, destination).has(protocol, port)) return false;
  switch (peer.kind) {
    case "class":
      return ruleMeets(rule, peer.cls, reading);
    case "external":
      return rule.peers.some((set) => set.external.contains(peer.addresses));
    case "domain":
      return rule.peers.some(
        ({ term }) => term.everything || peer.names.every((name) => term.domains?.some((d) => coversName(d, name))),
      );
  }
}

function decided(question: Question, layer: PlanLayer, rules: readonly PlanRule[], allowed: boolean): DirectionExplanation {
  const policies = deciding(question, rules, []);
  const names = policies.map(({ policy }) => policy.id).join(" and ");
  const verb = allowed ? "allows" : "denies";
  return {
    direction: question.direction,
    allowed,
    because: "rule",
    tier: layer.layer.name,
    policies,
    text: `${names} ${policies.length > 1 ? verb.slice(0, -1).replace("denie", "deny") : verb} ${what(question)}`,
  };
}

function isolated(question: Question, layer: PlanLayer, passed: readonly PlanRule[]): DirectionExplanation {
  const { direction, subjectName } = question;
  const policies = deciding(question, passed, layer.isolating);
  const names = layer.isolating.map((policy) => policy.info.id).join(", ");
  return {
    direction,
    allowed: false,
    because: "isolated",
    tier: layer.layer.name,
    policies,
    text: `${subjectName} is isolated for ${direction} by ${names}, and no rule allows ${what(question)}`,
  };
}

function byDefault(question: Question, passed: readonly PlanRule[]): DirectionExplanation {
  const { direction, subjectName } = question;
  const policies = deciding(question, passed, []);
  const text =
    policies.length === 0
      ? `no policy isolates ${subjectName} for ${direction}, so everything passes`
      : `${policies.map(({ policy }) => policy.id).join(" and ")} passes it on, and nothing after that denies it`;
  return { direction, allowed: true, because: "default", tier: "", policies, text };
}

function what({ direction, peerName, protocol, port }: Question): string {
  return `${protocolName(protocol)} ${port} ${direction === "ingress" ? "from" : "to"} ${peerName}`;
}

function deciding(
  question: Question,
  rules: readonly PlanRule[],
  isolating: readonly CompiledPolicy[],
): readonly DecidingPolicy[] {
  // One object may be compiled to several policies.
  const policies = [...new Set([...rules.map((r) => r.policy.info), ...isolating.map((p) => p.info)])];
  return policies.map((policy) => ({
    policy,
    rules: rules.filter((r) => r.policy.info === policy).map(({ rule }) => ({ path: rule.path, action: rule.action })),
    pivotal: isPivotal(question, policy),
  }));
}

/** Whether the answer is another one without the policy. */
function isPivotal(question: Question, without: PolicyInfo): boolean {
  const { state, subject, direction, protocol, port } = question;
  const rest = [...state.policiesOf(subject)].filter((p) => p.info !== without && p.info.directions.includes(direction));
  const answer = (plan: Plan) => through(plan, question).has(protocol, port);
  return answer(state.plan(subject, direction)) !== answer(state.planWith(subject, direction, rest));
}

function through(plan: Plan, { subject, peer, reading }: Question): ConnectionSet {
  return throughPlan(plan, subject, peer, reading);
}
