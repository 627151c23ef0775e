import { z } from "zod";
import type { ResourceKind } from "../resource-kind.ts";

export const dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, "must be a time of day as HH:MM");
const localTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?$/, "must be a date or a local time without a zone, as 2026-12-20 or 2026-12-20T18:00");
const name = z.string().min(1);

const windowSchema = z
  .strictObject({
    days: z.array(z.enum(dayNames)).min(1).describe("Days on which the window begins; every day where absent.").optional(),
    from: clock.describe("When it begins, on the wall clock.").optional(),
    to: clock.describe("When it is over; at or before `from`, on the next day.").optional(),
    cron: name.describe("Five fields of cron: when windows begin. In place of days, from and to.").optional(),
    duration: name.describe("How long a window of cron lasts: 8h, 90m.").optional(),
  })
  .describe("Hours in which the schedule is open.");

const freezeSchema = z
  .strictObject({
    name: name.describe("Shown to whoever is stopped by it."),
    from: localTime.describe("First moment, in the schedule's zone.").optional(),
    until: localTime.describe("First moment after it; a bare date is included.").optional(),
    calendar: name.describe("The text of an iCalendar file (RFC 5545): each event is a freeze.").optional(),
    file: name.describe("An iCalendar file beside this document, in place of its text.").optional(),
  })
  .describe("Time in which the schedule is closed, whatever its windows say.");

const rotationSchema = z
  .strictObject({
    name: name.describe("Tells rotations apart: primary, secondary."),
    people: z.array(name).min(1).describe("Ids of the directory, in their order."),
    start: localTime.describe("When the first of them begins, in the schedule's zone."),
    days: z.int().min(1).max(366).describe("How many days each of them is on call."),
    overrides: z
      .array(z.strictObject({ person: name, from: localTime, until: localTime }))
      .describe("Who stands in for whoever would be on call.")
      .optional(),
  })
  .describe("People who are on call by turns.");

const spec = z.strictObject({
  timeZone: name.describe("Name of the IANA time zone database: Europe/Berlin."),
  windows: z.array(windowSchema).optional(),
  freezes: z.array(freezeSchema).optional(),
  rotations: z.array(rotationSchema).optional(),
});

export type ScheduleSpec = z.infer<typeof spec>;
export type WindowSpec = z.infer<typeof windowSchema>;
export type FreezeSpec = z.infer<typeof freezeSchema>;
export type RotationSpec = z.infer<typeof rotationSchema>;

export const scheduleKind: ResourceKind<ScheduleSpec> = {
  kind: "Schedule",
  plural: "schedules",
  shortNames: [],
  description: "Hours, freezes and rotations in a named time zone, for guardrails and access rules.",
  spec,
  columns: [{ name: "Time zone", path: "timeZone" }],
};
