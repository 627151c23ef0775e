import { Alert, Badge, Group, SimpleGrid, Stack, Table, Text, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { PageTitle } from "../components/page-title.tsx";
import { YamlView } from "../components/yaml-view.tsx";
import type { PlaygroundResult, Verdict } from "../playground-engine.ts";

const samplePolicy = `apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata:
  name: gpu-pods-have-limits
spec:
  validationActions: [Deny]
  matchConstraints:
    resourceRules:
      - apiGroups: [""]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [pods]
  validations:
    - expression: >-
        object.spec.containers.all(c,
          has(c.resources) && has(c.resources.limits)
          && "memory" in c.resources.limits)
      message: every container needs a memory limit
`;

const sampleObject = `apiVersion: v1
kind: Pod
metadata:
  name: trainer
  namespace: vision
spec:
  containers:
    - name: train
      image: registry.example.com/train:1.4
      resources:
        limits:
          nvidia.com/gpu: 1
`;

const colours: { readonly [status in Verdict["status"]]: string } = {
  pass: "#2b6e32",
  fail: "#c92a2a",
  warn: "#ffe066",
  error: "#862e9c",
  skip: "#495057",
};

/** Policies against objects as one types, in the browser: nothing is sent anywhere. */
export function PlaygroundPage() {
  const [policies, setPolicies] = useState(samplePolicy);
  const [objects, setObjects] = useState(sampleObject);
  const [texts] = useDebouncedValue({ policies, objects }, 200);
  const [result, setResult] = useState<PlaygroundResult>();
  useEffect(() => {
    let stale = false;
    import("../playground-engine.ts").then(({ play }) => {
      if (!stale) setResult(play(texts.policies, texts.objects));
    });
    return () => {
      stale = true;
    };
  }, [texts]);
  const editor = {
    autosize: true,
    minRows: 14,
    maxRows: 26,
    styles: { input: { fontFamily: "monospace", fontSize: 13 } },
    spellCheck: false,
  } as const;
  return (
    <Stack>
      <PageTitle text="Playground" />
      <Text c="dimmed">The engine of admission, in this page: nothing you type leaves it. Every kind of policy works.</Text>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Textarea
          label="Policies (YAML)"
          value={policies}
          onChange={(event) => setPolicies(event.currentTarget.value)}
          {...editor}
        />
        <Textarea
          label="Objects (YAML)"
          value={objects}
          onChange={(event) => setObjects(event.currentTarget.value)}
          {...editor}
        />
      </SimpleGrid>
      {result === undefined ? <Text role="status">The engine is on its way to this page …</Text> : <Result result={result} />}
    </Stack>
  );
}

function Result({ result: { verdicts, problems } }: { readonly result: PlaygroundResult }) {
  return (
    <Stack aria-live="polite">
      {problems.length > 0 && (
        <Alert color="yellow" title="What could not be read">
          {problems.map((problem) => (
            <Text key={problem} size="sm">
              {problem}
            </Text>
          ))}
        </Alert>
      )}
      {verdicts.length === 0 ? (
        <Text>No rule is about these objects.</Text>
      ) : (
        <Table.ScrollContainer minWidth={560}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={90}>Verdict</Table.Th>
                <Table.Th>Object</Table.Th>
                <Table.Th>Rule</Table.Th>
                <Table.Th>Why</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {verdicts.map((verdict) => (
                <Table.Tr key={`${verdict.object} ${verdict.policy} ${verdict.rule} ${verdict.message}`}>
                  <Table.Td>
                    <Badge color={colours[verdict.status]} radius="sm">
                      {verdict.status}
                    </Badge>
                  </Table.Td>
                  <Table.Td>{verdict.object}</Table.Td>
                  <Table.Td>
                    {verdict.policy} {verdict.rule}
                  </Table.Td>
                  <Table.Td>
                    <Group gap="xs">
                      {verdict.message}
                      {verdict.line !== undefined && <Text c="dimmed">line {verdict.line}</Text>}
                    </Group>
                    {verdict.changed !== undefined && <YamlView value={verdict.changed} mark={[]} label="The changed object" />}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
