import type { Instant } from "../host.ts";
import type { RotationSpec } from "./schedule-kind.ts";
import { dayMilliseconds, parseLocalTime, type TimeZone } from "./zone.ts";

export interface Rotation {
  readonly name: string;
  /** Who is on call; nobody before the start. */
  onCall(at: Instant): string | undefined;
}

export type CompiledRotation =
  | { readonly ok: true; readonly rotation: Rotation }
  | { readonly ok: false; readonly field: keyof RotationSpec; readonly message: string };

/** Compiles a rotation; people change at the same time on the wall clock, whatever clocks do in between. */
export function compileRotation(spec: RotationSpec, zone: TimeZone): CompiledRotation {
  const wrong = (field: keyof RotationSpec, message: string): CompiledRotation => ({ ok: false, field, message });
  const start = parseLocalTime(spec.start);
  if (start === undefined) return wrong("start", `there is no ${spec.start}`);
  const overrides: { readonly person: string; readonly from: Instant; readonly until: Instant }[] = [];
  for (const { person, from, until } of spec.overrides ?? []) {
    const begin = parseLocalTime(from);
    const end = parseLocalTime(until);
    if (begin === undefined || end === undefined || end <= begin)
      return wrong("overrides", `${person} stands in from ${from} until ${until}, which is no time`);
    overrides.push({ person, from: zone.instantOf(begin), until: zone.instantOf(end) });
  }
  const { name, people, days } = spec;
  return {
    ok: true,
    rotation: {
      name,
      onCall(at) {
        // The last one that covers the moment is the latest word.
        const standIn = overrides.findLast(({ from, until }) => at >= from && at < until);
        if (standIn !== undefined) return standIn.person;
        const turn = Math.floor((at + zone.offset(at) - start) / (days * dayMilliseconds));
        return turn < 0 ? undefined : people[turn % people.length];
      },
    },
  };
}
