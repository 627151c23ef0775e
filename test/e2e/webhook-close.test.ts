import { Agent } from "undici";
import { expect, test } from "vitest";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import { listenForReviews } from "../../src/server/webhook/webhook.ts";

test("a stop waits for what is under way, and for no connection that its API server keeps", async () => {
  const authority = await createAuthority("test", Date.now(), 1);
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: judged, resolve: judge } = Promise.withResolvers<void>();
  const webhook = await listenForReviews({
    host: "127.0.0.1",
    port: 0,
    identity: await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, Date.now(), 1),
    callers: { open: (path) => path, onRefused: () => {} },
    batches: { isAuthorized: () => false, handlers: new Map() },
    handle: async (path) => {
      if (path === "/slow") {
        arrive();
        await judged;
      }
      return { path };
    },
    onError: () => {},
  });
  const agent = new Agent({ keepAliveTimeout: 600_000, connect: { ca: authority.certificate } });
  const post = async (path: string) => {
    const origin = `https://127.0.0.1:${webhook.port}`;
    const { statusCode, headers, body } = await agent.request({ origin, path, method: "POST", body: "{}" });
    await body.dump();
    return [statusCode, headers["connection"]];
  };
  expect(await Promise.all([post("/quick"), post("/quick")])).toEqual([
    [200, "keep-alive"],
    [200, "keep-alive"],
  ]);
  const slow = post("/slow");
  await arrived;
  const closed = webhook.close();
  judge();
  expect(await slow).toEqual([200, "close"]);
  await closed;
  await expect(post("/quick")).rejects.toThrow("ECONNREFUSED");
  await agent.destroy();
});
