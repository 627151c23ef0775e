import { describeDuration } from "../../access/describe-ask.ts";
import type { Person } from "../../access/person.ts";
import type { Instant } from "../../core/host.ts";
import type { Refusal } from "./desk.ts";
import { refuse } from "./refusals.ts";

const usualGroupsMaxAge = 3_600_000;

/** Why somebody may not ask, decide or use: they may have lost the groups since that they come with. `longest` in milliseconds. */
export function agedLogin({ user, groupsAt }: Person, at: Instant, longest = usualGroupsMaxAge): Refusal | undefined {
  if (groupsAt === undefined || at - groupsAt <= longest) return undefined;
  const age = groupsAt === 0 ? "no longer vouches for" : `has not been asked for ${describeDuration(longest)} about`;
  const how = "log in again, at /login of the console or with castellan login";
  return refuse("ACCESS_SIGN_IN_AGAIN", `The identity provider ${age} this login of ${user} and its groups: ${how}.`);
}
