/** The decimal digits of `mantissa * 2^exponent` and where the point stands: `0.d1d2d3... * 10^point`. */
export interface Digits {
  readonly digits: string;
  readonly point: number;
}

export function decimalDigits(mantissa: bigint, exponent: number): Digits {
  const [all, scale] = exponent >= 0 ? [mantissa << BigInt(exponent), 0] : [mantissa * 5n ** BigInt(-exponent), exponent];
  const text = String(all);
  return { digits: text.replace(/0+$/, ""), point: text.length + scale };
}

/** Whether cutting after `count` digits to the nearest goes up; ties go to the even digit. */
export function roundsUp(digits: string, count: number): boolean {
  const next = digits.charAt(count);
  if (next === "5" && count + 1 === digits.length) return Number(digits.charAt(count - 1)) % 2 === 1;
  return next >= "5";
}

/** The first `count` digits, raised by one in the last place where `up`. */
export function cutDigits({ digits, point }: Digits, count: number, up: boolean): Digits {
  const kept = digits.slice(0, count);
  if (!up) return { digits: kept.replace(/0+$/, ""), point };
  const raised = String(BigInt(kept) + 1n);
  return { digits: raised.replace(/0+$/, ""), point: point + raised.length - kept.length };
}
