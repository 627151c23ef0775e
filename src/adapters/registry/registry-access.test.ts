import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { registryAccess } from "./registry-access.ts";

const file = join(mkdtempSync(join(tmpdir(), "castellan-")), "config.json");
const auth = Buffer.from("ada:pw").toString("base64");
const config = {
  auths: {
    "https://index.docker.io/v1/": { auth },
    "https://ghcr.io": { auth },
    "quay.io": {},
    "token.example": { auth: Buffer.from("ada:").toString("base64"), identitytoken: "x" },
  },
  credHelpers: { "123.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login" },
};

describe("registries as docker login left them", () => {
  test.for([
    ["docker.io", { origin: "https://registry-1.docker.io", credentials: "ada:pw" }],
    ["ghcr.io", { origin: "https://ghcr.io", credentials: "ada:pw" }],
    ["http://localhost:5000", { origin: "http://localhost:5000", credentials: undefined }],
  ] as const)("%s", ([registry, access]) => {
    writeFileSync(file, JSON.stringify(config));
    expect([...registryAccess([registry], file).values()]).toEqual([access]);
  });

  test.for([
    ["quay.io", /no user and password for quay.io/],
    ["token.example", /no user and password for token.example/],
    ["123.dkr.ecr.eu-west-1.amazonaws.com", /credential helpers/],
    ["ghcr.io/team", /is no registry/],
    ["https://ada:pw@ghcr.io", /is no registry/],
  ] as const)("%s cannot be used", ([registry, message]) => {
    writeFileSync(file, JSON.stringify(config));
    expect(() => registryAccess([registry], file)).toThrow(message);
  });

  test.for(["", "[]", "{}", '{"auths": []}'])("a file that is another: %s", (text) => {
    writeFileSync(file, text);
    expect(() => registryAccess(["ghcr.io"], file)).toThrow(/no file as docker login writes it/);
  });
});
