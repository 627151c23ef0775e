import { type FunctionDeclaration, memberOverload } from "../declarations.ts";
import { type CelTypeOf, durationType, intType, stringType, timestampType } from "../types.ts";
import { makeInt } from "../values/numbers.ts";
import { type Civil, civilOf, zoneOffset } from "../values/time.ts";
import { type Duration, Failure, type Timestamp } from "../values/value.ts";

const timestamp: CelTypeOf<Timestamp> = timestampType;
const duration: CelTypeOf<Duration> = durationType;

/** `getX()` in UTC and `getX(zone)`; `perUnit`, where a duration has it too, in nanoseconds. */
function getter(
  name: string,
  id: string,
  read: (time: Civil) => number,
  perUnit?: bigint,
  zoneId = `${id}_with_tz`,
): FunctionDeclaration {
  const overloads = [
    memberOverload(id, [timestamp], intType, (time) => read(civilOf(time.ns, 0))),
    memberOverload(zoneId, [timestamp, stringType], intType, (time, zone) => {
      const offset = zoneOffset(zone, time.ns);
      return offset instanceof Failure ? offset : read(civilOf(time.ns, offset));
    }),
  ];
  if (perUnit !== undefined) {
    const durationId = id.replace("timestamp", "duration");
    overloads.push(memberOverload(durationId, [duration], intType, (span) => makeInt(span.ns / perUnit)));
  }
  return { name, overloads };
}

const second = 1_000_000_000n;

export const timeFunctions: readonly FunctionDeclaration[] = [
  getter("getFullYear", "timestamp_to_year", (t) => t.year),
  getter("getMonth", "timestamp_to_month", (t) => t.month - 1),
  getter("getDayOfYear", "timestamp_to_day_of_year", (t) => t.yearDay - 1),
  getter("getDayOfMonth", "timestamp_to_day_of_month", (t) => t.day - 1),
  getter("getDate", "timestamp_to_day_of_month_1_based", (t) => t.day),
  getter("getDayOfWeek", "timestamp_to_day_of_week", (t) => t.weekday),
  getter("getHours", "timestamp_to_hours", (t) => t.hour, 3600n * second),
  getter("getMinutes", "timestamp_to_minutes", (t) => t.minute, 60n * second),
  getter("getSeconds", "timestamp_to_seconds", (t) => t.second, second, "timestamp_to_seconds_tz"),
  getter("getMilliseconds", "timestamp_to_milliseconds", (t) => Math.trunc(t.nanosecond / 1e6), second / 1000n),
];
