import { expect, test } from "vitest";
import type { Person } from "../../access/person.ts";
import { KnownLogins } from "./known-logins.ts";

const at = (groupsAt: number): Person => ({
  ...{ issuer: "https://login.example", subject: "7", user: "vera", groups: ["readers"] },
  ...{ groupsAt, human: "vera", isProgram: false },
});

test.each([
  ["before that, here", 1000, 0],
  ["before that, at another replica", 4000, 0],
  ["since then, at another replica", 6001, 6001],
])("of whom the provider vouches for no longer, a login %s", async (_, began, counts) => {
  let now = 1000;
  const admit = () => ({ ok: true, person: at(now) }) as const;
  const onTrouble = (error: unknown) => expect.fail(String(error));
  const logins = new KnownLogins({ admit, freshMilliseconds: 5000, now: () => now, onTrouble });
  logins.began(at(1000), async () => "gone", 86_400_000);
  now = 6000;
  expect(await logins.current(at(1000))).toMatchObject({ person: { groupsAt: 0 } });
  now = 6002;
  expect(await logins.current(at(began))).toMatchObject({ ok: true, person: { groupsAt: counts } });
});
