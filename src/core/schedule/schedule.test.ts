import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../json.ts";
import { documentOf } from "./schedule.testing.ts";
import { compileSchedule, type Schedule } from "./schedule.ts";
import { parseLocalTime, TimeZone } from "./zone.ts";

function schedule(spec: JsonObject): Schedule {
  const compiled = compileSchedule(documentOf("Schedule", "hours", spec));
  if (!compiled.ok) throw new Error(compiled.diagnostics.map((d) => d.message).join("; "));
  return compiled.value;
}

const isOpen = (spec: JsonObject, at: string): boolean => schedule(spec).at(Date.parse(at)).open;

const office = {
  timeZone: "Europe/Berlin",
  windows: [{ days: ["Mon", "Tue", "Wed", "Thu", "Fri"], from: "09:00", to: "17:00" }],
};
const night = { timeZone: "Europe/Berlin", windows: [{ days: ["Fri"], from: "22:00", to: "06:00" }] };
const early = { timeZone: "Europe/Berlin", windows: [{ from: "02:00", to: "03:00" }] };
const cron = { timeZone: "Europe/Berlin", windows: [{ cron: "0 9 * * 1-5", duration: "8h" }] };

describe("windows, in the time of a named zone (T46)", () => {
  test.each([
    { of: "Monday morning", spec: office, at: "2026-11-23T08:00:00Z", open: true },
    { of: "a second before", spec: office, at: "2026-11-23T07:59:59.999Z", open: false },
    { of: "the end is exclusive", spec: office, at: "2026-11-23T16:00:00Z", open: false },
    { of: "a second before the end", spec: office, at: "2026-11-23T15:59:59Z", open: true },
    { of: "Saturday", spec: office, at: "2026-11-21T10:00:00Z", open: false },
    { of: "in summer it is an hour earlier in UTC", spec: office, at: "2026-07-06T07:00:00Z", open: true },
    { of: "and over an hour earlier", spec: office, at: "2026-07-06T15:00:00Z", open: false },
    { of: "over midnight: Friday", spec: night, at: "2026-11-20T22:30:00Z", open: true },
    { of: "over midnight: Saturday morning", spec: night, at: "2026-11-21T04:59:00Z", open: true },
    { of: "over midnight: not Friday morning", spec: night, at: "2026-11-20T04:00:00Z", open: false },
    { of: "over midnight: not Saturday night", spec: night, at: "2026-11-21T22:30:00Z", open: false },
    { of: "clocks go forward: 02:30 is skipped", spec: early, at: "2026-03-29T00:59:59Z", open: false },
    { of: "clocks go forward: 03:00 follows at once", spec: early, at: "2026-03-29T01:00:00Z", open: false },
    { of: "clocks go back: the first 02:30", spec: early, at: "2026-10-25T00:30:00Z", open: true },
    { of: "clocks go back: the second 02:30", spec: early, at: "2026-10-25T01:30:00Z", open: true },
    { of: "clocks go back: 03:00", spec: early, at: "2026-10-25T02:00:00Z", open: false },
    { of: "cron", spec: cron, at: "2026-11-23T08:00:00Z", open: true },
    { of: "cron, before", spec: cron, at: "2026-11-23T07:59:59Z", open: false },
    { of: "cron, its end is exclusive", spec: cron, at: "2026-11-23T16:00:00Z", open: false },
    { of: "cron, in summer", spec: cron, at: "2026-07-06T07:00:00Z", open: true },
    { of: "cron, Saturday", spec: cron, at: "2026-11-21T10:00:00Z", open: false },
    { of: "no windows: always", spec: { timeZone: "Etc/UTC" }, at: "2026-11-21T10:00:00Z", open: true },
    {
      of: "a zone of half hours",
      spec: { timeZone: "Asia/Kolkata", windows: [{ from: "09:00", to: "10:00" }] },
      at: "2026-11-23T03:30:00Z",
      open: true,
    },
    {
      of: "a leap second's day ends as others do",
      spec: { timeZone: "Etc/UTC", windows: [{ days: ["Sat"], from: "23:59", to: "24:00" }] },
      at: "2016-12-31T23:59:59.999Z",
      open: true,
    },
  ])("$of", ({ spec, at, open }) => {
    expect(isOpen(spec, at)).toBe(open);
  });

  test("say when they open", () => {
    expect(schedule(office).at(Date.parse("2026-03-28T12:00:00Z")).why).toBe(
      "it is Sat 2026-03-28 13:00 Europe/Berlin, outside hours; it opens Mon 2026-03-30 09:00 Europe/Berlin",
    );
  });

  const zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/UTC", "America/St_Johns"];
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2035, 0, 1) });

  test("are open exactly when a wall clock shows a time in them", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.uniqueArray(fc.constantFrom(...days), { minLength: 1 }),
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 1440 }),
        moment,
        (timeZone, on, from, to, at) => {
          fc.pre(from !== to);
          const shown = new Date(at).toLocaleString("en-GB", {
            timeZone,
            weekday: "short",
            hour: "2-digit",
            minute: "2-digit",
            hourCycle: "h23",
          });
          const [weekday = "", time = ""] = shown.split(/,? /);
          const now = Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
          const yesterday = days[(days.indexOf(weekday) + 6) % 7] ?? "";
          const wanted =
            from < to
              ? on.includes(weekday) && now >= from && now < to
              : (on.includes(weekday) && now >= from) || (on.includes(yesterday) && now < to);
          const spec = { timeZone, windows: [{ days: on, from: clock(from), to: to === 1440 ? "24:00" : clock(to) }] };
          expect(schedule(spec).at(at).open).toBe(wanted);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("of cron are those of the clock where no clock jumps", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1438 }),
        fc.integer({ min: 1, max: 1439 }),
        fc.integer({ min: 0, max: 6 }),
        moment,
        (from, length, day, at) => {
          fc.pre(from + length <= 1440);
          const timeZone = "Asia/Kolkata";
          const daily = {
            timeZone,
            windows: [
              { days: [days[day] ?? ""], from: clock(from), to: from + length === 1440 ? "24:00" : clock(from + length) },
            ],
          };
          const byCron = {
            timeZone,
            windows: [{ cron: `${from % 60} ${Math.floor(from / 60)} * * ${day}`, duration: `${length}m` }],
          };
          expect(schedule(byCron).at(at).open).toBe(schedule(daily).at(at).open);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a wall clock's reading and its moment are each other's inverse, but in the hour that is skipped", () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), moment, (name, at) => {
        const zone = TimeZone.named(name);
        if (zone === undefined) throw new Error(name);
        const wall = Math.floor(at / 1000) * 1000 + zone.offset(at);
        const back = zone.instantOf(wall);
        expect(back + zone.offset(back)).toBe(wall);
        expect(back).toBeLessThanOrEqual(at);
      }),
    );
  });

  test.each([
    { wall: "2026-03-29T02:30", at: "2026-03-29T01:30:00.000Z", of: "skipped: an hour later" },
    { wall: "2026-10-25T02:30", at: "2026-10-25T00:30:00.000Z", of: "twice: the first" },
  ])("a jump of clocks: $of", ({ wall, at }) => {
    expect(new Date(TimeZone.named("Europe/Berlin")?.instantOf(parseLocalTime(wall) ?? 0) ?? 0).toISOString()).toBe(at);
  });
});

const calendarOf = (...lines: string[]) =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", ...lines, "END:VCALENDAR"].join("\r\n");
const event = (...lines: string[]) =>
  calendarOf("BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", "SUMMARY:stop", ...lines, "END:VEVENT");
const outlookZone = [
  "BEGIN:VTIMEZONE",
  "TZID:W. Europe Standard Time",
  "BEGIN:STANDARD",
  "DTSTART:16010101T030000",
  "TZOFFSETFROM:+0200",
  "TZOFFSETTO:+0100",
  "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
  "END:STANDARD",
  "BEGIN:DAYLIGHT",
  "DTSTART:16010101T020000",
  "TZOFFSETFROM:+0100",
  "TZOFFSETTO:+0200",
  "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
  "END:DAYLIGHT",
  "END:VTIMEZONE",
];

describe("freezes", () => {
  const yearEnd = event("DTSTART;VALUE=DATE:20251220", "DTEND;VALUE=DATE:20260105", "RRULE:FREQ=YEARLY");
  const weekly = event(
    "DTSTART;TZID=Europe/Berlin:20260105T090000",
    "DTEND;TZID=Europe/Berlin:20260105T110000",
    "RRULE:FREQ=WEEKLY;BYDAY=MO",
    "EXDATE;TZID=Europe/Berlin:20260112T090000",
  );
  const moved = calendarOf(
    ...[
      "BEGIN:VEVENT",
      "UID:m",
      "SUMMARY:stop",
      "DTSTART;TZID=Europe/Berlin:20260105T090000",
      "DURATION:PT2H",
      "RRULE:FREQ=WEEKLY",
      "END:VEVENT",
    ],
    ...[
      "BEGIN:VEVENT",
      "UID:m",
      "SUMMARY:stop",
      "RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000",
      "DTSTART;TZID=Europe/Berlin:20260113T090000",
      "DURATION:PT2H",
      "END:VEVENT",
    ],
  );
  const own = calendarOf(
    ...outlookZone,
    "BEGIN:VEVENT",
    "UID:o",
    "SUMMARY:stop",
    "DTSTART;TZID=W. Europe Standard Time:20260706T090000",
    "DTEND;TZID=W. Europe Standard Time:20260706T110000",
    "END:VEVENT",
  );
  const utcUntil = event(
    "DTSTART;TZID=Europe/Berlin:20260105T090000",
    "DURATION:PT1H",
    "RRULE:FREQ=DAILY;UNTIL=20260107T080000Z",
  );
  test.each([
    { of: "a day of the year-end freeze", calendar: yearEnd, at: "2026-12-24T12:00:00Z", open: false },
    { of: "its first moment, in the schedule's zone", calendar: yearEnd, at: "2026-12-19T23:00:00Z", open: false },
    { of: "a moment before", calendar: yearEnd, at: "2026-12-19T22:59:59Z", open: true },
    { of: "the end of a date is exclusive", calendar: yearEnd, at: "2027-01-04T23:00:00Z", open: true },
    { of: "its last moment", calendar: yearEnd, at: "2027-01-04T22:59:59Z", open: false },
    { of: "ten years on", calendar: yearEnd, at: "2036-12-24T12:00:00Z", open: false },
    { of: "a weekly one, in winter", calendar: weekly, at: "2026-01-19T08:30:00Z", open: false },
    { of: "a weekly one, in summer an hour earlier in UTC", calendar: weekly, at: "2026-07-06T07:30:00Z", open: false },
    { of: "and over at the same time on the wall", calendar: weekly, at: "2026-07-06T09:00:00Z", open: true },
    { of: "EXDATE leaves one out", calendar: weekly, at: "2026-01-12T08:30:00Z", open: true },
    { of: "an occurrence that was moved away", calendar: moved, at: "2026-01-12T08:30:00Z", open: true },
    { of: "where it was moved to", calendar: moved, at: "2026-01-13T08:30:00Z", open: false },
    { of: "the others stay", calendar: moved, at: "2026-01-19T08:30:00Z", open: false },
    { of: "a zone that the calendar defines", calendar: own, at: "2026-07-06T07:30:00Z", open: false },
    { of: "and its end", calendar: own, at: "2026-07-06T09:00:00Z", open: true },
    { of: "UNTIL in UTC includes its occurrence", calendar: utcUntil, at: "2026-01-07T08:30:00Z", open: false },
    { of: "and no more", calendar: utcUntil, at: "2026-01-08T08:30:00Z", open: true },
    {
      of: "a time without a zone is the schedule's",
      calendar: event("DTSTART:20260706T090000", "DURATION:PT1H"),
      at: "2026-07-06T07:00:00Z",
      open: false,
    },
    {
      of: "a cancelled event",
      calendar: event("DTSTART:20260706T090000Z", "DURATION:PT1H", "STATUS:CANCELLED"),
      at: "2026-07-06T09:30:00Z",
      open: true,
    },
    {
      of: "RDATE adds",
      calendar: event("DTSTART:20260706T090000Z", "DURATION:PT1H", "RDATE:20260708T090000Z"),
      at: "2026-07-08T09:30:00Z",
      open: false,
    },
    {
      of: "the 29th of February is on no other day",
      calendar: event("DTSTART:20240229T090000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
      at: "2026-03-01T09:30:00Z",
      open: true,
    },
    {
      of: "nor without naming it",
      calendar: event("DTSTART:20240229T090000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY"),
      at: "2026-03-01T09:30:00Z",
      open: true,
    },
    {
      of: "the 29th of February is on the 29th of February",
      calendar: event("DTSTART:20240229T090000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
      at: "2028-02-29T09:30:00Z",
      open: false,
    },
    {
      of: "COUNT ends",
      calendar: event("DTSTART:20260706T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"),
      at: "2026-07-08T09:30:00Z",
      open: true,
    },
    {
      of: "a day of a duration is 23 hours when clocks go forward",
      calendar: event("DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"),
      at: "2026-03-29T10:00:00Z",
      open: true,
    },
  ])("$of", ({ calendar, at, open }) => {
    expect(isOpen({ timeZone: "Europe/Berlin", freezes: [{ name: "freeze", calendar }] }, at)).toBe(open);
  });

  test("are asked in any order", () => {
    const freeze = schedule({ timeZone: "Europe/Berlin", freezes: [{ name: "freeze", calendar: yearEnd }] });
    const years = [2040, 2026, 2031, 2025, 2040];
    expect(years.map((year) => freeze.at(Date.UTC(year, 11, 24)).open)).toEqual([false, false, false, false, false]);
    expect(years.map((year) => freeze.at(Date.UTC(year, 5, 1)).open)).toEqual([true, true, true, true, true]);
  });

  test("close what windows open, and say so (T47)", () => {
    const spec = { ...office, freezes: [{ name: "year-end", from: "2026-12-20", until: "2027-01-03" }] };
    expect(schedule(spec).at(Date.parse("2026-12-21T10:00:00Z"))).toEqual({
      open: false,
      frozen: "year-end",
      why: "year-end (until Mon 2027-01-04 00:00 Europe/Berlin) closes hours; it opens Mon 2027-01-04 09:00 Europe/Berlin",
    });
  });

  test("an event with too many occurrences to tell counts as a freeze", () => {
    const calendar = event("DTSTART:19000101T000000Z", "DURATION:PT1M", "RRULE:FREQ=DAILY");
    const state = schedule({ timeZone: "Etc/UTC", freezes: [{ name: "f", calendar }] }).at(Date.UTC(2026, 5, 1, 12));
    expect(state).toMatchObject({ open: false, frozen: expect.stringContaining("more than 20000 occurrences") });
  });
});

describe("rotations", () => {
  const rotation = {
    name: "primary",
    people: ["ada", "ben", "cem"],
    start: "2026-03-23T09:00",
    days: 7,
    overrides: [{ person: "dee", from: "2026-04-01T00:00", until: "2026-04-02T00:00" }],
  };
  const at = (time: string) => schedule({ timeZone: "Europe/Berlin", rotations: [rotation] }).onCall(Date.parse(time));
  test.each([
    { of: "nobody before the start", time: "2026-03-23T07:59:59Z", people: [] },
    { of: "the first", time: "2026-03-23T08:00:00Z", people: ["ada"] },
    {
      of: "until the change, at the same time on the wall after clocks went forward",
      time: "2026-03-30T06:59:59Z",
      people: ["ada"],
    },
    { of: "the second", time: "2026-03-30T07:00:00Z", people: ["ben"] },
    { of: "who stands in", time: "2026-04-01T12:00:00Z", people: ["dee"] },
    { of: "round again", time: "2026-04-14T12:00:00Z", people: ["ada"] },
  ])("$of", ({ time, people }) => {
    expect(at(time)).toEqual(people);
  });
});

test("what is wrong with a live object names it", () => {
  const document = {
    ...documentOf("Schedule", "hours", { timeZone: "Mars/Base" }),
    locate: () => undefined,
    locateKey: () => undefined,
  };
  expect(compileSchedule(document).diagnostics.map((d) => d.message)).toEqual([
    'Schedule hours: spec.timeZone: there is no time zone "Mars/Base"',
  ]);
});

describe("what is wrong with a schedule has its place", () => {
  test.each([
    { spec: {}, message: "spec.timeZone: is missing: string" },
    { spec: { timeZone: "Mars/Base" }, message: 'spec.timeZone: there is no time zone "Mars/Base"' },
    { spec: { timeZone: "+02:00" }, message: 'spec.timeZone: there is no time zone "+02:00"' },
    {
      spec: { timeZone: "Etc/UTC", windos: [] },
      message: 'spec.windos: unknown field "windos"',
      next: 'Did you mean "windows"?',
    },
    {
      spec: { timeZone: "Etc/UTC", windows: [{ form: "09:00" }] },
      message: 'spec.windows[0].form: unknown field "form"',
      next: 'Did you mean "from"?',
    },
    {
      spec: { timeZone: "Etc/UTC", windows: [{ from: "9:00" }] },
      message: "spec.windows[0].from: must be a time of day as HH:MM",
    },
    {
      spec: { timeZone: "Etc/UTC", windows: [{ from: "09:00", to: "09:00" }] },
      message: "spec.windows[0].to: the window has no length; leave from and to away for the whole day",
    },
    {
      spec: { timeZone: "Etc/UTC", windows: [{ cron: "0 9 * * 1-5" }] },
      message: "spec.windows[0].cron: a window of cron needs a duration",
    },
    {
      spec: { timeZone: "Etc/UTC", windows: [{ cron: "0 99 * * *", duration: "1h" }] },
      message: expect.stringContaining("spec.windows[0].cron: "),
    },
    {
      spec: { timeZone: "Etc/UTC", windows: [{ cron: "0 9 * * *", duration: "8 hours" }] },
      message: 'spec.windows[0].duration: "8 hours" is no duration, as 8h or 90m',
    },
    {
      spec: { timeZone: "Etc/UTC", freezes: [{ name: "f" }] },
      message: "spec.freezes[0].name: a freeze needs from and until, or a calendar",
    },
    {
      spec: { timeZone: "Etc/UTC", freezes: [{ name: "f", from: "2026-02-30", until: "2026-03-01" }] },
      message: "spec.freezes[0].from: there is no 2026-02-30",
    },
    {
      spec: { timeZone: "Etc/UTC", freezes: [{ name: "f", file: "freeze.ics" }] },
      message: "spec.freezes[0].file: freeze.ics was not read: give its text as calendar",
    },
    {
      spec: { timeZone: "Etc/UTC", freezes: [{ name: "f", calendar: "nonsense" }] },
      message: expect.stringContaining("spec.freezes[0].calendar: "),
    },
    {
      spec: { timeZone: "Etc/UTC", freezes: [{ name: "f", calendar: event("DTSTART;TZID=Nowhere:20260706T090000") }] },
      message: expect.stringContaining('the time zone "Nowhere" is neither known nor defined'),
    },
    ...[
      { rule: "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2", says: "has BYMONTHDAY" },
      { rule: "FREQ=DAILY;BYDAY=5MO", says: "counts days" },
      { rule: "FREQ=WEEKLY;BYDAY=2MO", says: "counts days" },
      { rule: "FREQ=DAILY;BYHOUR=9,10", says: "has BYHOUR" },
    ].map(({ rule, says }) => ({
      spec: {
        timeZone: "Etc/UTC",
        freezes: [{ name: "f", calendar: event("DTSTART:20260706T090000Z", "DURATION:PT1H", `RRULE:${rule}`) }],
      },
      message: expect.stringContaining(says),
    })),
    {
      spec: { timeZone: "Etc/UTC", freezes: [{ name: "f", calendar: event("DTSTART:20260706T090000Z", "RRULE:FREQ=SECONDLY") }] },
      message: expect.stringContaining("recurs SECONDLY"),
    },
    {
      spec: {
        timeZone: "Etc/UTC",
        freezes: [{ name: "f", calendar: event("DTSTART:20260201T090000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30") }],
      },
      message: expect.stringContaining("recurs on days that there are not"),
    },
    {
      spec: { timeZone: "Etc/UTC", rotations: [{ name: "r", people: [], start: "2026-01-01", days: 7 }] },
      message: expect.stringContaining("spec.rotations[0].people: "),
    },
  ])("$message", ({ spec, message, next }) => {
    const compiled = compileSchedule(documentOf("Schedule", "hours", spec as JsonObject));
    expect(compiled.ok ? [] : compiled.diagnostics.map((d) => d.message)).toEqual([message]);
    if (next !== undefined) expect(compiled.diagnostics[0]?.next).toBe(next);
  });
});
