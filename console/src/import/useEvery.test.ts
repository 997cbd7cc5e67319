import { act, renderHook } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';

import { useEvery } from './useEvery';

afterEach(() => vi.useRealTimers());

test('a value that changes all the time is told every five seconds', () => {
  vi.useFakeTimers();
  const { result, rerender } = renderHook(({ value }) => useEvery(value, 5000), {
    initialProps: { value: 0 },
  });
  const told = new Set<number>();
  for (let second = 1; second <= 16; second++) {
    rerender({ value: second });
    act(() => {
      vi.advanceTimersByTime(1000);
    });
    told.add(result.current);
  }
  expect(told.size).toBeLessThanOrEqual(5);
  expect(result.current).toBeGreaterThan(10);
});
