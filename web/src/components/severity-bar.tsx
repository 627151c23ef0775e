import { Progress } from "@mantine/core";
import type { Severity } from "../api.ts";
import { severityColours, worstFirst } from "./state.tsx";

interface SeverityBarProps {
  readonly counts: { readonly [severity in Severity]: number };
  /** How many make the longest bar of the table. */
  readonly most: number;
}

/** How many of each severity, for the eye alone: the numbers stand beside it. */
export function SeverityBar({ counts, most }: SeverityBarProps) {
  const sum = worstFirst.reduce((total, severity) => total + counts[severity], 0);
  if (sum === 0) return null;
  return (
    <Progress.Root size="lg" style={{ width: `${(sum / most) * 100}%` }} aria-hidden>
      {worstFirst.map((severity) => (
        <Progress.Section key={severity} value={(counts[severity] / sum) * 100} color={severityColours[severity]} />
      ))}
    </Progress.Root>
  );
}
