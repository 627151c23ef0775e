import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { WorkQueue } from "./work-queue.ts";

const silent = () => {};

test("what waits already is not added again, and one is done after the other", async () => {
  const queue = new WorkQueue(silent);
  const done: string[] = [];
  let running = 0;
  const work = (name: string) => async () => {
    expect(++running).toBe(1);
    await sleep(5);
    running--;
    done.push(name);
  };
  for (const name of ["a", "b", "a", "b", "a"]) queue.add(name, work(name));
  await expect.poll(() => done).toEqual(["a", "b"]);
  await queue.stop();
});

test("the same is done again only after a pause", async () => {
  const queue = new WorkQueue(silent);
  const at: number[] = [];
  const work = async () => {
    at.push(performance.now());
    if (at.length < 3) queue.add("a", work);
  };
  queue.add("a", work);
  await expect.poll(() => at.length, { timeout: 10_000 }).toBe(3);
  const [first = 0, second = 0, third = 0] = at;
  expect(second - first).toBeGreaterThan(900);
  expect(third - second).toBeGreaterThan(900);
  await queue.stop();
});

test("what fails is tried again, and told when it fails for good", async () => {
  const troubles: unknown[] = [];
  const queue = new WorkQueue((error) => troubles.push(error));
  let attempts = 0;
  queue.add("a", async () => {
    if (++attempts < 3) throw new Error("not yet");
  });
  await expect.poll(() => attempts, { timeout: 10_000 }).toBe(3);
  expect(troubles).toEqual([]);
  await queue.stop();
});

test("once stopped, nothing more is begun", async () => {
  const queue = new WorkQueue(silent);
  const done: string[] = [];
  queue.add("a", async () => {
    done.push("a");
  });
  await queue.stop();
  queue.add("b", async () => {
    done.push("b");
  });
  await sleep(100);
  expect(done).toEqual([]);
});
