import type { Person } from "../person.ts";
import type { Approval, ApprovalSlot } from "../request.ts";
import { mayFill } from "../rules/may-fill.ts";

/** Names of the slots that this person may fill. Of slots that share a name all must be open to them. */
export function fillableSlots(slots: readonly ApprovalSlot[], person: Person): readonly string[] {
  const names = [...new Set(slots.map((slot) => slot.name))];
  return names.filter((name) => slots.every((slot) => slot.name !== name || mayFill(slot.approvers, person)));
}

/** How many humans a slot wants: a count that is none is one. */
const wanted = ({ count }: ApprovalSlot): number => (count >= 1 ? Math.ceil(count) : 1);

/**
 * Whether the approvals fill every slot, each approval one place of one slot: a matching of places to approvals (augmenting
 * paths). More approvals than places are as good as enough. No slots are never filled: then nobody was asked.
 */
export function areFilled(slots: readonly ApprovalSlot[], approvals: readonly Approval[]): boolean {
  const places = slots.flatMap((slot) => Array.from({ length: Math.min(wanted(slot), approvals.length + 1) }, () => slot.name));
  if (places.length === 0 || places.length > approvals.length) return false;
  /** The place that each approval fills. */
  const taken = new Map<Approval, number>();
  return places.every((_, place) => assign(place, new Set()));

  function assign(place: number, tried: Set<Approval>): boolean {
    for (const approval of approvals) {
      if (tried.has(approval) || !approval.fills?.includes(places[place] ?? "")) continue;
      tried.add(approval);
      const before = taken.get(approval);
      if (before !== undefined && !assign(before, tried)) continue;
      taken.set(approval, place);
      return true;
    }
    return false;
  }
}
