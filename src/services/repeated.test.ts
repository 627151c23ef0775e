import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Repeated } from "./repeated.ts";

/** Work that tells how often it began, and how many of it ever ran at once. */
function counted() {
  const seen = { began: 0, running: 0, most: 0 };
  const work = async () => {
    seen.began++;
    seen.running++;
    seen.most = Math.max(seen.most, seen.running);
    await sleep(2);
    seen.running--;
  };
  return { seen, work };
}

test("who asks while it runs has it done from its beginning once more, and never twice at once", async () => {
  const { seen, work } = counted();
  const repeated = new Repeated(work, 60_000);
  const first = repeated.startNow();
  expect(seen.began).toBe(1);
  await Promise.all([first.then(() => repeated.now()), repeated.now(), repeated.now()]);
  for (let i = 0; i < 20; i++) {
    void repeated.now();
    await setImmediate();
  }
  await repeated.close();
  expect(seen).toMatchObject({ running: 0, most: 1 });
});

test("it is done again after each pause, until it is closed, which waits for what is under way", async () => {
  const { seen, work } = counted();
  const repeated = new Repeated(work, 1);
  await repeated.startNow();
  while (seen.began < 3) await sleep(1);
  const closed = repeated.close();
  const { began } = seen;
  await closed;
  expect(seen.running).toBe(0);
  await repeated.now();
  await sleep(10);
  expect(seen.began).toBe(began);
});
