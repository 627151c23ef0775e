import { describe, expect, test } from "vitest";
import { loadComponentDocument } from "../../../adapters/files/catalog.ts";
import { parseDocuments } from "../../../core/yaml/parse-documents.ts";
import { matchComponent } from "./match-component.ts";
import { parseComponents } from "./parse-components.ts";

const builtIn = parseComponents([loadComponentDocument()]);
if (!builtIn.ok) throw new Error(builtIn.diagnostics[0]?.message);
const catalogue = builtIn.value;

const matched = (labels: { readonly [key: string]: string }, images: readonly string[] = [], ports: readonly number[] = []) => {
  const match = matchComponent({ labels, images, ports }, catalogue);
  return match === undefined ? undefined : `${match.component.name} by ${match.why}`;
};

describe("the built-in catalogue", () => {
  test("every component can be recognised, has a source, and names no component or role that is absent", () => {
    const names = new Set(catalogue.components.map((c) => c.name));
    for (const component of catalogue.components) {
      expect(component.labels.length + component.images.length, component.name).toBeGreaterThan(0);
      expect(component.source, component.name).not.toBe("");
      for (const { peer } of [...component.from, ...component.to]) {
        if (peer.kind === "component")
          for (const name of peer.names) expect(names, `${component.name} names ${name}`).toContain(name);
      }
    }
    expect(names.size).toBe(85);
  });

  test.each<[string, { readonly [key: string]: string }, readonly string[], readonly number[], string | undefined]>([
    [
      "the head of a Ray cluster",
      { "ray.io/cluster": "c", "ray.io/node-type": "head" },
      [],
      [],
      "ray-head by label ray.io/node-type=head",
    ],
    ["a vector database by the name in the text", { app: "vector-db" }, [], [], "vector-db-generic by label app=vector-db"],
    [
      "Qdrant with other labels",
      { app: "embeddings" },
      ["docker.io/qdrant/qdrant:v1.9"],
      [6333],
      "qdrant by image docker.io/qdrant/qdrant",
    ],
    [
      "a registry with a port, a digest",
      { x: "y" },
      ["reg:5000/minio/minio@sha256:00"],
      [],
      "minio by image reg:5000/minio/minio",
    ],
    [
      "more labels say more",
      { app: "jupyterhub", component: "hub", "app.kubernetes.io/name": "jupyterhub" },
      [],
      [],
      "jupyterhub-hub by label app=jupyterhub, component=hub",
    ],
    ["nothing known", { app: "billing" }, ["nginx:1"], [8080], undefined],
    ["a port alone says nothing", {}, ["mine:1"], [6333], undefined],
    ["a name that an object has by birth", {}, ["constructor"], [], undefined],
  ])("%s", (_, labels, images, ports, expected) => expect(matched(labels, images, ports)).toBe(expected));
});

describe("a catalogue of one's own", () => {
  const own = (text: string) => parseComponents([loadComponentDocument(), ...parseDocuments(text, "own.yaml").documents]);

  test("adds components, and replaces those of the same name", () => {
    const parsed = own(
      "components: [{name: qdrant, role: database, labels: [{app: q}]}, {name: ours, role: app, labels: [{app: ours}]}]",
    );
    if (!parsed.ok) throw new Error("not read");
    const find = (name: string) => parsed.value.components.find((c) => c.name === name);
    expect(find("qdrant")?.role).toBe("database");
    expect(find("ours")).toMatchObject({ title: "ours", ports: [], checked: true });
  });

  test.each([
    ["components: [{name: a, role: king}]", "components[0].role: king is not one of"],
    ["components: [{name: a, role: app, colour: red}]", "components[0].colour: unknown field"],
    ["components: [{name: a, role: app, ports: [{port: 70000}]}]", "components[0].ports[0].port: must be a port, 1 to 65535"],
    [
      "components: [{name: a, role: app, from: [{role: [app], ports: [http]}]}]",
      "components[0].from[0].ports[0]: http is not the name",
    ],
    ["components: [{name: a, role: app, to: [{entity: moon}]}]", "components[0].to[0]: needs one of role"],
    ["components: [{name: a, role: app, labels: [{a b: c}]}]", 'components[0].labels[0]["a b"]: is not a label key'],
    ["components: {}", "components: must be a list"],
    ["- 1", ": must be an object"],
  ])("%s is refused with its place", (text, message) => {
    const parsed = own(text);
    expect(parsed.ok).toBe(false);
    expect(parsed.diagnostics[0]?.message).toContain(message);
    expect(parsed.diagnostics[0]?.span?.file).toBe("own.yaml");
  });
});
