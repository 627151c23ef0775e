import { Alert, Anchor, Button, Card, Group, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { type OverviewAnswer, query, useAnswer } from "../api.ts";
import { useCluster } from "../cluster.tsx";
import { PageTitle } from "../components/page-title.tsx";
import { SeverityBar } from "../components/severity-bar.tsx";
import { Answer, severityColours, worstFirst } from "../components/state.tsx";
import { AttentionCard } from "./attention.tsx";
import { TrendCard } from "./trend.tsx";

export function OverviewPage() {
  const cluster = useCluster();
  const state = useAnswer("/api/v1/overview", { query: { cluster } });
  return (
    <Stack>
      <PageTitle text="Overview" />
      <Answer state={state}>{(overview) => <Posture overview={overview} />}</Answer>
    </Stack>
  );
}

function Posture({ overview }: { readonly overview: OverviewAnswer }) {
  const { clusters, unreached, admissionElsewhere, objects, policies, records, total, warnings, errors } = overview;
  const cluster = useCluster();
  return (
    <Stack>
      {unreached.map(({ cluster: name, since, reason, known }) => (
        <Alert key={name} color="red" title={`${name} is not reached since ${new Date(since).toLocaleString()}`}>
          {reason}.{" "}
          {known ? "What is shown of it is how it was before." : "Nothing is known of it yet: it is not in the counts below."}
        </Alert>
      ))}
      {admissionElsewhere.map(({ cluster: name, by }) => (
        <Alert key={name} color="orange" title={`Nothing is judged here at admission in ${name}`}>
          Its webhooks are those of another server: {by}. Stop that one, or start this one with --take-over-webhooks.
        </Alert>
      ))}
      <Text c="dimmed">
        {cluster ?? clusters.join(", ")}: {objects} objects, {policies} policies of your own beside the built-in ones, {records}{" "}
        records in the ledger
      </Text>
      <SimpleGrid cols={{ base: 2, sm: 4, lg: 7 }}>
        {worstFirst.map((severity) => (
          <Card
            key={severity}
            withBorder
            component={Link}
            href={`/findings${query({ status: "fail", severity, cluster })}`}
            aria-label={`${total[severity]} ${severity} failures`}
          >
            <Text size="xl" fw={700}>
              {total[severity]}
            </Text>
            <Group gap={6}>
              <Swatch colour={severityColours[severity]} />
              <Text size="sm">{severity}</Text>
            </Group>
          </Card>
        ))}
        <Card withBorder component={Link} href={`/findings${query({ status: "warn", cluster })}`}>
          <Text size="xl" fw={700}>
            {warnings}
          </Text>
          <Text size="sm">warnings</Text>
        </Card>
        <Card withBorder component={Link} href={`/findings${query({ status: "error", cluster })}`}>
          <Text size="xl" fw={700}>
            {errors}
          </Text>
          <Text size="sm">could not be checked</Text>
        </Card>
      </SimpleGrid>
      <AttentionCard broken={overview.broken} />
      <TrendCard />
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {overview.byCluster.length > 1 && <Counts title="By cluster" rows={overview.byCluster} parameter="cluster" empty="" />}
        <Counts title="By team" rows={overview.byTeam} parameter="team" empty="(no team)" />
        <Counts title="By namespace" rows={overview.byNamespace} parameter="namespace" empty="(cluster-wide)" />
        <Counts title="By policy" rows={overview.byPolicy} parameter="policy" empty="" />
      </SimpleGrid>
    </Stack>
  );
}

function Swatch({ colour }: { readonly colour: string }) {
  return <span aria-hidden style={{ width: 10, height: 10, borderRadius: 2, background: colour }} />;
}

interface CountsProps {
  readonly title: string;
  readonly rows: OverviewAnswer["byNamespace"];
  readonly parameter: "cluster" | "namespace" | "team" | "policy";
  readonly empty: string;
}

const shown = 12;

function Counts({ title, rows, parameter, empty }: CountsProps) {
  const cluster = useCluster();
  const [isWhole, setIsWhole] = useState(false);
  const sum = (row: OverviewAnswer["byNamespace"][number]) => worstFirst.reduce((n, severity) => n + row.counts[severity], 0);
  const most = Math.max(1, ...rows.map(sum));
  return (
    <Card withBorder>
      <Title order={3} size="h5" mb="xs">
        {title}
      </Title>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{parameter}</Table.Th>
            <Table.Th w={160}>by severity</Table.Th>
            <Table.Th w={60}>failures</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.slice(0, isWhole ? undefined : shown).map((row) => (
            <Table.Tr key={row.name}>
              <Table.Td style={{ wordBreak: "break-word" }}>
                <Anchor
                  component={Link}
                  href={`/findings${query({ status: "fail", cluster, [parameter]: row.name === "" ? "-" : row.name })}`}
                  size="sm"
                >
                  {row.name === "" ? empty : row.name.replace(/^.*\/(ValidatingPolicy|ClusterPolicy)\//, "")}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <SeverityBar counts={row.counts} most={most} />
              </Table.Td>
              <Table.Td>{sum(row)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {rows.length > shown && (
        <Button variant="subtle" size="compact-sm" mt="xs" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? `Show the worst ${shown}` : `Show all ${rows.length}`}
        </Button>
      )}
    </Card>
  );
}
