import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { ApiError } from "../../adapters/kubernetes/client.ts";
import { ClusterReach, type Unreached } from "./cluster-reach.ts";

const times = { answer: 50, look: 5, firstPause: 1, longestPause: 4 };
const told: (string | undefined)[] = [];
const reaches: ClusterReach[] = [];

function reachOf(get: () => Promise<null>): ClusterReach {
  const onChange = (unreached: Unreached | undefined) => told.push(unreached?.reason);
  const reach = new ClusterReach({ client: { get }, now: () => 7, onChange, times });
  reaches.push(reach);
  return reach;
}

afterEach(async () => {
  told.length = 0;
  for (const reach of reaches.splice(0)) await reach.stop();
});

type Asked = () => Promise<null>;

function refuse(status: number, message: string): Asked {
  return () => Promise.reject(new ApiError(status, "", message));
}

test.for<readonly [string, Asked, boolean, string | undefined]>([
  ["one that answers", async () => null, true, undefined],
  ["one that answers others", refuse(403, "forbidden"), true, undefined],
  ["nobody", refuse(0, "connect ECONNREFUSED"), false, "connect ECONNREFUSED"],
  ["one that does not know us", refuse(401, "Unauthorized"), false, "Unauthorized"],
  ["one that is starting", refuse(503, "starting"), false, "starting"],
  ["one that says nothing", () => new Promise<null>(() => {}), false, "no answer within 0.05 s"],
])("%s", async ([, get, reached, reason]) => {
  const reach = reachOf(get);
  expect(await reach.look()).toBe(reached);
  expect(reach.unreached).toEqual(reason === undefined ? undefined : { since: 7, reason });
});

test("what is lost is told once, and told when it is back", async () => {
  let answers = false;
  const reach = reachOf(async () => {
    if (!answers) throw new ApiError(0, "", "gone");
    return null;
  });
  reach.watch();
  while (told.length === 0) await sleep(1);
  await sleep(30);
  expect(told).toEqual(["gone"]);
  answers = true;
  while (told.length === 1) await sleep(1);
  expect(told).toEqual(["gone", undefined]);
});

test("work is tried again until it is done", async () => {
  let asked = 0;
  let tried = 0;
  const reach = reachOf(async () => {
    if (++asked < 3) throw new ApiError(0, "", "gone");
    return null;
  });
  await reach.until(async () => {
    if (++tried === 1) throw new ApiError(503, "", "not yet");
  });
  expect({ asked, tried }).toEqual({ asked: 4, tried: 2 });
  expect(told).toEqual(["gone", undefined, "not yet", undefined]);
});

test("work that was never possible ends with us", async () => {
  const reach = reachOf(refuse(0, "gone"));
  const working = reach.until(async () => {
    throw new Error("nobody answered");
  });
  while (told.length === 0) await sleep(1);
  await reach.stop();
  await working;
});
