import { type Person, personKey } from "../person.ts";
import type { Approvers } from "../request.ts";

/** Whether a directory knows this human: its ids have no `#`, the key of a login nobody has listed does. */
const isKnownHuman = (person: Person): boolean => person.human !== personKey(person) && !person.human.includes("#");

/**
 * Whether this person is one of these approvers. Nobody is where both lists are empty; programs never are. Where duties are
 * separated (`except`), somebody whom the directory does not know cannot be told to be outside, so is not.
 */
export function mayFill(approvers: Approvers, person: Person): boolean {
  if (person.isProgram) return false;
  const { except } = approvers;
  if (except !== undefined) {
    if (!isKnownHuman(person) || except.humans.includes(person.human)) return false;
    if (except.groups.some((group) => person.groups.includes(group))) return false;
  }
  return approvers.humans.includes(person.human) || approvers.groups.some((group) => person.groups.includes(group));
}
