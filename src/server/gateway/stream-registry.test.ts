import { beforeEach, describe, expect, test } from "vitest";
import { type Cut, type OpenStream, StreamRegistry } from "./stream-registry.ts";

const time = { wall: 1_000_000, clock: 0 };
const locked = new Set<string>();
const troubles: unknown[] = [];
let registry: StreamRegistry;
let cuts: Cut[];

beforeEach(() => {
  Object.assign(time, { wall: 1_000_000, clock: 0 });
  locked.clear();
  cuts = [];
  registry = new StreamRegistry({
    desk: { onChange: () => () => {}, onLock: () => () => {}, isLocked: (human) => locked.has(human) },
    now: () => time.wall,
    clock: () => time.clock,
    trouble: (error) => troubles.push(error),
  });
});

function pass(milliseconds: number): void {
  time.wall += milliseconds;
  time.clock += milliseconds;
  registry.tick();
}

function open(more: Partial<OpenStream> = {}): () => void {
  return registry.add({
    human: "ada",
    kind: "watch",
    requestId: undefined,
    until: [],
    recheck: () => undefined,
    waiting: () => undefined,
    cut: (cut) => cuts.push(cut),
    ...more,
  });
}

const ends = (at: number): OpenStream["until"] => [{ at, cut: { why: "over", status: 410 } }];

describe("StreamRegistry", () => {
  test("T43 cuts at the earliest of its ends, once", () => {
    open({ until: [...ends(1_010_000), { at: 1_005_000, cut: { why: "token", status: 401 } }] });
    pass(4_999);
    expect(cuts).toEqual([]);
    pass(1);
    pass(60_000);
    expect(cuts).toEqual([{ why: "token", status: 401 }]);
    expect(registry.size).toBe(0);
  });

  test("T46 a clock that is set back gives no time; one that is set forward takes it", () => {
    open({ until: ends(1_005_000) });
    time.wall -= 3_600_000;
    time.clock += 5_000;
    registry.tick();
    expect(cuts).toHaveLength(1);
    open({ until: ends(time.wall + 5_000) });
    time.wall += 3_600_000;
    registry.tick();
    expect(cuts).toHaveLength(2);
  });

  test("T48 who takes nothing for two minutes is gone; who takes little is not", () => {
    let taken = 0;
    open({ human: "slow", waiting: () => ++taken });
    open({ human: "idle", waiting: () => undefined });
    open({ human: "gone", waiting: () => 7 });
    for (let i = 0; i < 122; i++) pass(1000);
    expect(cuts.map(({ why }) => why)).toEqual(["the client takes nothing any more"]);
    expect([registry.countOf("slow"), registry.countOf("idle"), registry.countOf("gone")]).toEqual([1, 1, 0]);
  });

  test("T45 a lock is seen even where nobody tells of it", () => {
    open();
    locked.add("ada");
    pass(250);
    expect(cuts).toEqual([{ why: "access was locked", status: 401 }]);
  });

  test("what no longer stands when it is looked at again is cut", async () => {
    let stands = true;
    open({ recheck: async () => (stands ? undefined : { why: "no right", status: 410 }) });
    registry.recheck();
    await Promise.resolve();
    expect(cuts).toEqual([]);
    stands = false;
    await new Promise((resolve) => setTimeout(resolve, 0));
    registry.recheck();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(cuts).toEqual([{ why: "no right", status: 410 }]);
  });

  test("counts what each human has open", () => {
    const close = open();
    open();
    open({ human: "eve" });
    close();
    close();
    expect([registry.countOf("ada"), registry.countOf("eve"), registry.countOf("nobody")]).toEqual([1, 1, 0]);
  });
});
