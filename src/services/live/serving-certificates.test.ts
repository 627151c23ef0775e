import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ServingCertificates } from "./serving-certificates.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 10, 21);
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-tls-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("certificates are kept, renewed in time, and trusted by the authorities of the moment", async () => {
  const names = { dns: ["castellan.castellan.svc"], ips: ["127.0.0.1"] };
  const certificates = new ServingCertificates(directory, names);
  const first = await certificates.current(now);
  expect(first.renewed).toBe(true);
  const server = new X509Certificate(first.server.certificate);
  const authority = new X509Certificate(first.authorities);
  expect(server.checkHost("castellan.castellan.svc")).toBe("castellan.castellan.svc");
  expect(server.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(server.verify(authority.publicKey) && server.checkIssued(authority) && authority.ca).toBe(true);

  expect(await certificates.current(now + 15 * day)).toEqual({ ...first, renewed: false });
  const second = await certificates.current(now + 21 * day);
  expect(second.renewed).toBe(true);
  expect(second.authorities).toBe(first.authorities);
  expect((await new ServingCertificates(directory, { ...names, ips: ["::1"] }).current(now + 21 * day)).renewed).toBe(true);

  const late = await certificates.current(now + 1800 * day);
  const [newest = "", older = ""] = late.authorities.split(/(?<=-----END CERTIFICATE-----)\s*/);
  expect(older).toBe(first.authorities);
  expect(new X509Certificate(late.server.certificate).verify(new X509Certificate(newest).publicKey)).toBe(true);
});
