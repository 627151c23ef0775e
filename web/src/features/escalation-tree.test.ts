import { describe, expect, test } from "vitest";
import { type EscalationPath, escalationTrees, type PlaceNode } from "./escalation-tree.ts";

/** `me: runs pods > boss: may do everything > admin`, in one cluster or that before `|`. */
function path(text: string): EscalationPath {
  const [cluster = "", way = ""] = text.includes("|") ? text.split("|") : ["c", text];
  const [from = "", ...rest] = way.split(/: | > /);
  const hops = rest.flatMap((says, i) => (i % 2 === 0 ? { techniques: [], says, to: rest[i + 1] ?? "", grants: [] } : []));
  return { cluster, from, hops };
}

/** `admin(may do everything(boss!(...)))`; `!`: somebody's way begins there. */
function drawn({ name, isStart, steps }: PlaceNode): string {
  const parts = steps.map(({ says, from }) => `${says}(${from.map(drawn).join(" ")})`);
  return `${name}${isStart ? "!" : ""}${parts.length === 0 ? "" : `(${parts.join(" ")})`}`;
}

describe("escalationTrees", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["nothing", [], []],
    ["one hop", ["me: bind > admin"], ["c admin(bind(me!))"]],
    ["the same step is drawn once", ["me: bind > admin", "you: bind > admin"], ["c admin(bind(me! you!))"]],
    ["another step to the same place", ["me: bind > admin", "you: escalate > admin"], ["c admin(bind(me!) escalate(you!))"]],
    [
      "ways meet where they go on together",
      ["me: pods > boss: all > admin", "you: exec > boss: all > admin"],
      ["c admin(all(boss(pods(me!) exec(you!))))"],
    ],
    [
      "a place on somebody's way may be where another one begins",
      ["boss: bind > admin", "me: pods > boss: bind > admin"],
      ["c admin(bind(boss!(pods(me!))))"],
    ],
    [
      "clusters have nothing in common",
      ["a|me: bind > admin", "b|me: bind > admin"],
      ["a admin(bind(me!))", "b admin(bind(me!))"],
    ],
  ])("%s", (_, paths, want) => {
    expect(escalationTrees(paths.map(path)).map(({ cluster, target }) => `${cluster} ${drawn(target)}`)).toEqual(want);
  });
});
