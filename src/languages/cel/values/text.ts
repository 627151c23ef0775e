/** The number of code points. */
export function codePointCount(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if (isHighSurrogate(text.charCodeAt(i)) && isLowSurrogate(text.charCodeAt(i + 1))) {
      count--;
      i++;
    }
  }
  return count;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Order by code point, which is also the order of the UTF-8 bytes; JavaScript's `<` orders by UTF-16 unit. */
export function compareText(a: string, b: string): -1 | 0 | 1 {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above every other unit.
    const left = x >= 0xd800 && x < 0xe000 ? x + 0x10000 : x;
    const right = y >= 0xd800 && y < 0xe000 ? y + 0x10000 : y;
    return left < right ? -1 : 1;
  }
  return a.length < b.length ? -1 : a.length > b.length ? 1 : 0;
}

/** Whether code points and UTF-16 units are the same in `text`, so that string methods may be used as they are. */
export function isBasicPlane(text: string): boolean {
  return !/[\ud800-\udfff]/.test(text);
}
