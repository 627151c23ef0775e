import type { ObjectCheck } from "../object-check.ts";
import { limitItems } from "./limit-item.ts";
import { conflictIssues, itemShapeIssues } from "./rejected.ts";
import { trapIssues } from "./traps.ts";

/** Limit ranges that the API server refuses, and maxima that become what every container asks for. */
export const limitRangeCheck: ObjectCheck = {
  kinds: ["/LimitRange"],
  check(limitRange) {
    const items = limitItems(limitRange);
    const shapes = itemShapeIssues(items, limitRange);
    const conflicts = items.flatMap(conflictIssues);
    return [...shapes, ...conflicts, ...trapIssues(limitRange, items)];
  },
};
