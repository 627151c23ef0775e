import { Card, Group, SegmentedControl, Text, Title } from "@mantine/core";
import { useState } from "react";
import { type Answer as AnswerOf, useAnswer } from "../api.ts";
import { useCluster } from "../cluster.tsx";
import { Answer, severityColours, worstFirst } from "../components/state.tsx";

type Point = AnswerOf<"/api/v1/trend">["points"][number];

const spans = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
];
const width = 900;
const height = 140;

/** How much was wrong, by severity, over time. */
export function TrendCard() {
  const [days, setDays] = useState("30");
  const cluster = useCluster();
  const state = useAnswer("/api/v1/trend", { query: { days: Number(days), cluster } });
  return (
    <Card withBorder>
      <Group justify="space-between" mb="xs">
        <Title order={3} size="h5">
          Failures over time
        </Title>
        <SegmentedControl aria-label="Time" size="xs" data={spans} value={days} onChange={setDays} />
      </Group>
      <Answer state={state}>{({ points }) => <Trend points={points} />}</Answer>
    </Card>
  );
}

const sumOf = (point: Point): number => worstFirst.reduce((sum, severity) => sum + point[severity], 0);

function Trend({ points }: { readonly points: readonly Point[] }) {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return <Text c="dimmed">Nothing was counted in this time.</Text>;
  const changes = worstFirst
    .filter((severity) => first[severity] > 0 || last[severity] > 0)
    .map((severity) => `${severity} ${first[severity]} → ${last[severity]}`);
  return (
    <>
      {points.length > 1 && <Areas points={points} first={first} last={last} />}
      <Text size="sm">
        {points.length === 1
          ? `First counted ${new Date(first.at).toLocaleString()}; the line begins with the next hour.`
          : `Since ${new Date(first.at).toLocaleString()}: ${changes.join(", ") || "nothing was wrong"}.`}
      </Text>
    </>
  );
}

/** Severities on top of each other, the worst at the bottom; a count holds until the next one. */
function Areas({ points, first, last }: { readonly points: readonly Point[]; readonly first: Point; readonly last: Point }) {
  const most = Math.max(1, ...points.map(sumOf));
  const x = (at: number) => ((at - first.at) / (last.at - first.at)) * width;
  const y = (count: number) => height - (count / most) * height;
  const areas = worstFirst.map((severity, index) => {
    const below = (point: Point) => worstFirst.slice(0, index).reduce((sum, worse) => sum + point[worse], 0);
    const edge = (count: (point: Point) => number) =>
      points.flatMap((point, i) => {
        const next = points[i + 1];
        const here = `${x(point.at).toFixed(1)},${y(count(point)).toFixed(1)}`;
        return next === undefined ? [here] : [here, `${x(next.at).toFixed(1)},${y(count(point)).toFixed(1)}`];
      });
    const outline = [...edge((point) => below(point) + point[severity]), ...edge(below).toReversed()];
    return { severity, outline: outline.join(" ") };
  });
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      style={{ width: "100%", height }}
      role="img"
      aria-label={`Failures by severity from ${new Date(first.at).toLocaleString()} on: at most ${most}, now ${sumOf(last)}`}
    >
      {areas.map(({ severity, outline }) => (
        <polygon key={severity} points={outline} fill={severityColours[severity]} />
      ))}
    </svg>
  );
}
