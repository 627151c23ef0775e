import { expect, test } from "vitest";
import type { ReviewId } from "./access-reviews.ts";
import { ScheduledReviews } from "./scheduled-reviews.ts";

const day = 86_400_000;

test.each([
  { at: "2026-11-21T10:00:00Z", every: 90, name: "scheduled-2026-09-04" },
  { at: "2026-12-02T23:59:59Z", every: 90, name: "scheduled-2026-09-04" },
  { at: "2026-12-03T00:00:00Z", every: 90, name: "scheduled-2026-12-03" },
  { at: "2026-11-21T10:00:00Z", every: 1, name: "scheduled-2026-11-21" },
])("at $at, every $every days: $name in each cluster", async ({ at, every, name }) => {
  const begun: (ReviewId & { readonly by: string; readonly since: number })[] = [];
  const now = Date.parse(at);
  const scheduled = new ScheduledReviews({
    reviews: {
      start: async (review, by, since) => {
        begun.push({ ...review, by, since });
        return 0;
      },
    },
    clusters: ["a", "b"],
    every: every * day,
    now: () => now,
    onTrouble: (error) => {
      throw error;
    },
  });
  await scheduled.start();
  await scheduled.stop();
  expect(begun).toEqual(["a", "b"].map((cluster) => ({ cluster, name, by: "castellan", since: now - 90 * day })));
});
