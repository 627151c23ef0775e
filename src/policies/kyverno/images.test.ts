import { describe, expect, test } from "vitest";
import { imagesOf, imagesVariable } from "./images.ts";
import { objectOf } from "./policy-run.testing.ts";

const pod = objectOf(`
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  imagePullSecrets: [{name: pull}]
  initContainers: [{name: init, image: "localhost:5000/tools/init:1"}]
  containers: [{name: app, image: acme/app}, {name: empty, image: ""}, {name: none}]
`);

test("the variable images", () => {
  expect(imagesVariable(imagesOf(pod))).toEqual({
    initContainers: {
      init: {
        registry: "localhost:5000",
        name: "init",
        path: "tools/init",
        tag: "1",
        reference: "localhost:5000/tools/init:1",
        referenceWithTag: "localhost:5000/tools/init:1",
        jsonPointer: "/spec/initContainers/0/image",
      },
    },
    containers: {
      app: {
        registry: "docker.io",
        name: "app",
        path: "acme/app",
        tag: "latest",
        reference: "docker.io/acme/app:latest",
        referenceWithTag: "docker.io/acme/app:latest",
        jsonPointer: "/spec/containers/0/image",
      },
    },
  });
});

describe("images stand", () => {
  const template = "{spec: {containers: [{name: a, image: x}]}}";
  test.each([
    [
      "in templates",
      `{apiVersion: apps/v1, kind: Deployment, spec: {template: ${template}}}`,
      "/spec/template/spec/containers/0/image",
    ],
    [
      "in the jobs of a cron job",
      `{apiVersion: batch/v1, kind: CronJob, spec: {jobTemplate: {spec: {template: ${template}}}}}`,
      "/spec/jobTemplate/spec/template/spec/containers/0/image",
    ],
  ])("%s", (_, text, pointer) => {
    expect(imagesVariable(imagesOf(objectOf(text)))).toMatchObject({ containers: { a: { jsonPointer: pointer } } });
  });

  test("where an extractor says", () => {
    const task = objectOf("{apiVersion: tekton.dev/v1, kind: Task, spec: {steps: [{image: a}, {image: 'b:1'}]}}");
    const extractors = { Task: [{ name: "custom", steps: ["spec", "steps", "*"], value: "image", key: "" }] };
    const found = imagesOf(task, extractors).get("custom");
    expect([...(found ?? [])].map(([key, { reference }]) => [key, reference])).toEqual([
      ["/spec/steps/0/image", "docker.io/a:latest"],
      ["/spec/steps/1/image", "docker.io/b:1"],
    ]);
  });

  test("in no other kind", () => {
    expect(
      imagesVariable(imagesOf(objectOf("{apiVersion: v1, kind: Service, spec: {containers: [{image: a}]}}"))),
    ).toBeUndefined();
  });
});

test("pull secrets belong to the images under them", () => {
  expect(imagesOf(pod).get("containers")?.get("app")?.pullSecrets).toEqual(["pull"]);
});

test.each([
  ["a bad reference", "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: 'A b'}]}}", "invalid image 'A b'"],
  ["an entry without its name", "{apiVersion: v1, kind: Pod, spec: {containers: [{image: a}]}}", "invalid key"],
  ["a shape that is not a pod's", "{apiVersion: v1, kind: Pod, spec: {containers: x}}", "invalid image config"],
])("%s is refused", (_, text, message) => {
  expect(() => imagesOf(objectOf(text))).toThrow(message);
});
