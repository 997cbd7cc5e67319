import { useEffect, useRef, useState } from 'react';

/** The value, but another one at most so often: what a screen reader reads out. */
export function useEvery<T>(value: T, milliseconds: number): T {
  const [told, setTold] = useState(value);
  const last = useRef<number | undefined>(undefined);
  useEffect(() => {
    const now = performance.now();
    const wait = last.current === undefined ? 0 : Math.max(0, last.current + milliseconds - now);
    const timer = setTimeout(() => {
      last.current = performance.now();
      setTold(value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return told;
}
