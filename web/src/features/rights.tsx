import { Alert, Button, Group, Stack, Table, Tabs, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "wouter";
import { type Answer, useAnswer } from "../api.ts";
import { useCluster, useSeveralClusters } from "../cluster.tsx";
import { PageTitle } from "../components/page-title.tsx";
import { Answer as Shown } from "../components/state.tsx";
import { EscalationPaths } from "./escalation-paths.tsx";

const questions = [
  { label: "read secrets", verb: "get", resource: "secrets" },
  { label: "run commands in pods", verb: "create", resource: "pods/exec" },
  { label: "grant rights", verb: "create", resource: "clusterrolebindings.rbac.authorization.k8s.io" },
  { label: "delete workloads", verb: "delete", resource: "deployments.apps" },
] as const;

/** Who may do what, and who could come to it. */
export function RightsPage() {
  const [search, setSearch] = useSearchParams();
  const cluster = useCluster();
  const show = search.get("show") === "paths" ? "paths" : "who-can";
  return (
    <Stack>
      <PageTitle text="Rights" />
      <Tabs
        value={show}
        onChange={(tab) =>
          setSearch({ ...(tab === "paths" ? { show: tab } : {}), ...(cluster === undefined ? {} : { cluster }) })
        }
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="who-can">Who can</Tabs.Tab>
          <Tabs.Tab value="paths">Who could get further</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="who-can" pt="md">
          <WhoCan />
        </Tabs.Panel>
        <Tabs.Panel value="paths" pt="md">
          <EscalationPaths />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function WhoCan() {
  const [search, setSearch] = useSearchParams();
  const cluster = useCluster();
  const ask = (question: Record<string, string>) => setSearch({ ...question, ...(cluster === undefined ? {} : { cluster }) });
  const [verb, resource, namespace] = ["verb", "resource", "namespace"].map((name) => search.get(name) ?? "");
  return (
    <Stack>
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

type Holder = Answer<"/api/v1/rbac/who-can">["holders"][number];

/** Of Kubernetes itself. */
const isBuiltIn = ({ binding }: Holder): boolean => /^\w+ (?:[\w-]+\/)?(?:system:.*|cluster-admin)$/.test(binding);

const ownFirst = (holders: readonly Holder[]): readonly Holder[] =>
  holders.toSorted((a, b) => Number(isBuiltIn(a)) - Number(isBuiltIn(b)));

function Holders(question: { readonly verb: string; readonly resource: string; readonly namespace: string }) {
  const { verb, resource, namespace } = question;
  const cluster = useCluster();
  const areSeveral = useSeveralClusters();
  const state = useAnswer("/api/v1/rbac/who-can", { query: { cluster, verb, resource, namespace } });
  return (
    <Shown state={state}>
      {({ holders, unresolved }) => (
        <>
          {unresolved.length > 0 && (
            <Alert color="yellow" title="Bindings that could not be followed">
              {unresolved.join("; ")}
            </Alert>
          )}
          <Text size="sm" aria-live="polite">
            {holders.length === 1 ? "1 way" : `${holders.length} ways`}; {holders.length - holders.filter(isBuiltIn).length} of
            them by bindings of your own, which come first. Members of the group system:masters may always.
          </Text>
          <Table.ScrollContainer minWidth={720}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Who</Table.Th>
                  <Table.Th w={130}>Where</Table.Th>
                  <Table.Th>Binding</Table.Th>
                  <Table.Th>Role</Table.Th>
                  <Table.Th>Rule</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {ownFirst(holders).map((row) => (
                  <Table.Tr key={`${row.cluster} ${row.subject} ${row.binding} ${row.rule}`} style={{ wordBreak: "break-word" }}>
                    <Table.Td>{row.subject}</Table.Td>
                    <Table.Td>
                      {[areSeveral ? row.cluster : "", row.namespace === "" ? "everywhere" : row.namespace].join(" ").trim()}
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
    </Shown>
  );
}
