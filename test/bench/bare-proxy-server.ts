import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { Pool } from "undici";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";

/**
 * Run by gateway.ts in a process of its own: what the least proxy costs on this machine that speaks TLS on both sides and does nothing
 * else. It answers as gateway-server.ts does.
 */
const [server = "", authority = "", token = ""] = process.argv.slice(2);
const upstream = new Pool(server, {
  connections: 64,
  allowH2: false,
  connect: { ca: Buffer.from(authority, "base64").toString() },
});
const own = await createAuthority("bench", Date.now(), 10);
const identity = await issueServerCertificate(own, { dns: ["localhost"], ips: ["127.0.0.1"] }, Date.now(), 10);
const listener = createServer({ cert: identity.certificate, key: identity.key }, (request, response) => {
  const headers = { authorization: `Bearer ${token}`, accept: request.headers.accept ?? "*/*" };
  upstream.dispatch(
    { path: request.url ?? "/", method: "GET", headers },
    {
      onRequestStart: () => {},
      onResponseStart: (_, status, fields) => void response.writeHead(status, fields),
      onResponseData: (_, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  );
});
listener.keepAliveTimeout = 75_000;
listener.listen(0, "127.0.0.1", () => {
  const address = listener.address();
  console.log(JSON.stringify({ port: typeof address === "object" ? address?.port : 0, authority: own.certificate }));
});
createInterface({ input: process.stdin }).on("line", () => {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpu: (user + system) / 1000, rss: process.memoryUsage.rss() / 1e6, streams: 0 }));
});
