import type { Instant } from "../../core/host.ts";
import type { Schedule } from "../../core/schedule/schedule.ts";
import type { Person } from "../person.ts";
import type { ApprovalSlot, Approvers } from "../request.ts";
import type { SlotSpec } from "./access-rule-kind.ts";
import { type ApproverSource, type OnCallService, parseApproverSource } from "./approver-source.ts";
import type { Directory } from "./directory.ts";

/** Where approvers are looked up. */
export interface ApproverLookup {
  readonly directory: Directory;
  readonly schedules: ReadonlyMap<string, Schedule>;
  /** Humans who are on call there by the last answer that is not too old; none where it is not known. */
  onCall(service: OnCallService, id: string): readonly string[];
}

const nobody: Approvers = { groups: [], humans: [] };

function resolve(source: ApproverSource, requester: Person, at: Instant, lookup: ApproverLookup): Approvers {
  switch (source.kind) {
    case "group":
      return { groups: [source.group], humans: [] };
    case "human":
      return { groups: [], humans: [source.human] };
    case "manager": {
      const manager = lookup.directory.person(requester.human)?.manager;
      return manager === undefined ? nobody : { groups: [], humans: [manager] };
    }
    case "schedule":
      return { groups: [], humans: lookup.schedules.get(source.schedule)?.onCall(at, source.rotation) ?? [] };
    case "service":
      return { groups: [], humans: lookup.onCall(source.service, source.id) };
  }
}

/** Who may fill a slot for this requester now. Whom nobody can name is nobody. */
export function resolveSlot(spec: SlotSpec, requester: Person, at: Instant, lookup: ApproverLookup): ApprovalSlot {
  const found = spec.from.map((text) => {
    const source = parseApproverSource(text);
    return source === undefined ? nobody : resolve(source, requester, at, lookup);
  });
  const groups = [...new Set(found.flatMap((one) => one.groups))];
  const humans = [...new Set(found.flatMap((one) => one.humans))];
  const count = spec.count ?? 1;
  const name = `${spec.from.join(" or ")}${spec.otherTeam === true ? " of another team" : ""}`;
  if (spec.otherTeam !== true) return { name, approvers: { groups, humans }, count };
  const team = lookup.directory.teamOf(requester.human, requester.groups);
  // Of a requester without a team nobody can be told to be of another one.
  if (team === undefined) return { name, approvers: nobody, count };
  const own = lookup.directory.team(team);
  // Nor can somebody of whom no team is known.
  const except = { groups: own.groups, humans: [...new Set([...own.humans, ...lookup.directory.teamless, requester.human])] };
  return { name, approvers: { groups, humans, except }, count };
}
