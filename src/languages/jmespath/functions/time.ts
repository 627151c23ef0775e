import { type Duration, formatDuration, parseDuration } from "../../../core/duration.ts";
import { parseGoInt } from "../../../core/go-format.ts";
import {
  addToTime,
  calendarOf,
  formatRfc3339,
  type GoTime,
  parseGoTime,
  rfc3339,
  timeBetween,
  timeFromMilliseconds,
  truncateTime,
} from "../../../core/go-time.ts";
import type { Host } from "../../../core/host.ts";
import { JmesPathError } from "../errors.ts";
import { define, type Functions } from "./call.ts";

function parseTime(text: string, layout = rfc3339): GoTime {
  const time = parseGoTime(layout, text);
  if (time !== undefined) return time;
  throw new JmesPathError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: it does not fit`);
}

function duration(text: string): Duration {
  const value = parseDuration(text);
  if (value !== undefined) return value;
  throw new JmesPathError(`time: invalid duration ${JSON.stringify(text)}`);
}

function since(layout: string, from: string, to: string, host: Host): string {
  const format = layout === "" ? rfc3339 : layout;
  const start = parseTime(from, format);
  const end = to === "" ? timeFromMilliseconds(host.now()) : parseTime(to, format);
  return formatDuration(timeBetween(start, end));
}

/** A layout that is a number means seconds since 1970. */
function changeLayout(layout: string, text: string): string {
  if (parseGoInt(layout) === undefined) return formatRfc3339(parseTime(text, layout));
  const seconds = parseGoInt(text);
  if (seconds === undefined) throw new JmesPathError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const limit = 8_640_000_000_000n;
  if (seconds > limit || seconds < -limit) throw new JmesPathError(`the time ${text} is too far away`);
  return formatRfc3339({ nanoseconds: seconds * 1_000_000_000n, offset: 0 });
}

function toCron(time: GoTime): string {
  const date = calendarOf(time);
  const fields = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()];
  return fields.join(" ");
}

function now(host: Host): string {
  return formatRfc3339(timeFromMilliseconds(host.now()));
}

/** Times are RFC 3339 texts; layouts are Go's; the local zone is UTC. */
export const timeFunctions: Functions = {
  time_since: define(["string", "string", "string"], ([layout, from, to], host) => since(layout, from, to, host)),
  time_now: define([], (_, host) => now(host)),
  time_now_utc: define([], (_, host) => now(host)),
  time_to_cron: define(["string"], ([time]) => toCron(parseTime(time))),
  time_add: define(["string", "string"], ([time, by]) => formatRfc3339(addToTime(parseTime(time), duration(by)))),
  time_parse: define(["string", "string"], ([layout, text]) => changeLayout(layout, text)),
  time_utc: define(["string"], ([time]) => formatRfc3339({ ...parseTime(time), offset: 0 })),
  time_diff: define(["string", "string"], ([from, to]) => formatDuration(timeBetween(parseTime(from), parseTime(to)))),
  time_before: define(["string", "string"], ([a, b]) => parseTime(a).nanoseconds < parseTime(b).nanoseconds),
  time_after: define(["string", "string"], ([a, b]) => parseTime(a).nanoseconds > parseTime(b).nanoseconds),
  time_between: define(["string", "string", "string"], ([time, from, to]) => {
    const [at, start, end] = [parseTime(time), parseTime(from), parseTime(to)].map((t) => t.nanoseconds);
    return at !== undefined && start !== undefined && end !== undefined && at > start && at < end;
  }),
  time_truncate: define(["string", "string"], ([time, unit]) => formatRfc3339(truncateTime(parseTime(time), duration(unit)))),
};
