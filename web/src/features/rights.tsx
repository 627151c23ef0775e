import { Alert, Button, Group, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "wouter";
import { useAnswer } from "../api.ts";
import { useCluster } from "../cluster.tsx";
import { Answer } from "../components/state.tsx";

const questions = [
  { label: "read secrets", verb: "get", resource: "secrets" },
  { label: "run commands in pods", verb: "create", resource: "pods/exec" },
  { label: "grant rights", verb: "create", resource: "clusterrolebindings.rbac.authorization.k8s.io" },
  { label: "delete workloads", verb: "delete", resource: "deployments.apps" },
] as const;

export function RightsPage() {
  const [search, setSearch] = useSearchParams();
  const cluster = useCluster();
  const ask = (question: Record<string, string>) => setSearch({ ...question, ...(cluster === undefined ? {} : { cluster }) });
  const [verb, resource, namespace] = ["verb", "resource", "namespace"].map((name) => search.get(name) ?? "");
  return (
    <Stack>
      <Title order={2}>Rights</Title>
      <Question key={search.toString()} verb={verb ?? ""} resource={resource ?? ""} namespace={namespace ?? ""} ask={ask} />
      <Group gap="xs" aria-label="Questions that are often asked">
        {questions.map((question) => (
          <Button
            key={question.label}
            size="compact-sm"
            variant="default"
            onClick={() => ask({ verb: question.verb, resource: question.resource })}
          >
            Who can {question.label}?
          </Button>
        ))}
      </Group>
      {verb && resource ? (
        <Holders verb={verb} resource={resource} namespace={namespace ?? ""} />
      ) : (
        <Text>Ask who can do something.</Text>
      )}
    </Stack>
  );
}

interface QuestionProps {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly ask: (question: Record<string, string>) => void;
}

function Question({ ask, ...asked }: QuestionProps) {
  const [verb, setVerb] = useState(asked.verb);
  const [resource, setResource] = useState(asked.resource);
  const [namespace, setNamespace] = useState(asked.namespace);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (verb !== "" && resource !== "") ask({ verb, resource, ...(namespace === "" ? {} : { namespace }) });
  };
  return (
    <form onSubmit={submit}>
      <Group align="end">
        <TextInput
          label="Who can"
          placeholder="get"
          value={verb}
          onChange={(event) => setVerb(event.currentTarget.value)}
          w={140}
        />
        <TextInput
          label="what"
          placeholder="secrets, pods/exec, deployments.apps, /metrics"
          value={resource}
          onChange={(event) => setResource(event.currentTarget.value)}
          w={340}
        />
        <TextInput
          label="in namespace"
          placeholder="any"
          value={namespace}
          onChange={(event) => setNamespace(event.currentTarget.value)}
          w={180}
        />
        <Button type="submit">Ask</Button>
      </Group>
    </form>
  );
}

function Holders(question: { readonly verb: string; readonly resource: string; readonly namespace: string }) {
  const { verb, resource, namespace } = question;
  const cluster = useCluster();
  const state = useAnswer("/api/v1/rbac/who-can", { query: { cluster, verb, resource, namespace } });
  return (
    <Answer state={state}>
      {({ holders, unresolved }) => (
        <>
          {unresolved.length > 0 && (
            <Alert color="yellow" title="Bindings that could not be followed">
              {unresolved.join("; ")}
            </Alert>
          )}
          <Text size="sm" aria-live="polite">
            {holders.length} ways; members of the group system:masters may always.
          </Text>
          <Table.ScrollContainer minWidth={720}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Who</Table.Th>
                  <Table.Th>Where</Table.Th>
                  <Table.Th>Binding</Table.Th>
                  <Table.Th>Role</Table.Th>
                  <Table.Th>Rule</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {holders.map((row) => (
                  <Table.Tr key={`${row.cluster} ${row.subject} ${row.binding} ${row.rule}`} style={{ wordBreak: "break-word" }}>
                    <Table.Td>{row.subject}</Table.Td>
                    <Table.Td>
                      {row.namespace === "" ? `everywhere in ${row.cluster}` : `${row.cluster} ${row.namespace}`}
                    </Table.Td>
                    <Table.Td>{row.binding}</Table.Td>
                    <Table.Td>{row.role}</Table.Td>
                    <Table.Td>{row.rule}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </>
      )}
    </Answer>
  );
}
