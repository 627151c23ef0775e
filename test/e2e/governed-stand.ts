import { expect } from "vitest";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { GovernedTestCluster } from "../conformance/chainsaw/cluster.ts";

/** How long something that follows by itself may take. */
export const soon = { timeout: 15_000, interval: 100 };

/** A namespace of a governed cluster, with the policies and objects of one test; each test has names of its own. */
export class Stand {
  readonly #objects: GovernedTestCluster["objects"];
  readonly namespace: string;

  constructor({ objects }: GovernedTestCluster, namespace: string) {
    this.#objects = objects;
    this.namespace = namespace;
  }

  async write(object: JsonObject): Promise<void> {
    expect(await this.#objects.write("apply", object, this.namespace)).toEqual(expect.any(Object));
  }

  /** What the API server says against an object; undefined where it stores it. */
  async refusal(object: JsonObject): Promise<string | undefined> {
    const answer = await this.#objects.write("apply", object, this.namespace);
    return typeof answer === "string" ? answer : undefined;
  }

  async remove(object: JsonObject): Promise<void> {
    await this.#objects.remove(object, this.namespace);
    await this.#objects.isGone(object, this.namespace, 5000);
  }

  async find(kind: string, apiVersion: string, name: string): Promise<JsonValue | undefined> {
    return (await this.#objects.find({ apiVersion, kind, metadata: { name, namespace: this.namespace } }, this.namespace))[0];
  }

  /** A policy that is in force. */
  async policy(policy: JsonObject): Promise<void> {
    await this.write(policy);
    const isReady = async () => JSON.stringify(await this.#objects.find(policy, "")).includes('"status":"True"');
    await expect.poll(isReady, soon).toBe(true);
  }

  async start(labels: JsonObject = {}): Promise<void> {
    await this.write({ apiVersion: "v1", kind: "Namespace", metadata: { name: this.namespace, labels } });
  }
}
