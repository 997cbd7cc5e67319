import { Group, Paper, Progress, Stack, Text, VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { ImportPhase, type ImportProgress } from '~/gen/userimport/v1/types_pb';
import type { ResultStore } from '~/review/ResultStore';
import { useResults } from '~/review/useResults';
import { durationInWords, plural } from '~/shared/time';

import { rateOf, type Sample } from './rate';
import { useEvery } from './useEvery';

const ANNOUNCED_EVERY = 5000;

interface RunProgressProps {
  readonly title: string;
  readonly store: ResultStore | undefined;
  readonly sent: number;
  readonly size: number;
  readonly children?: ReactNode;
}

/** How far a review or an import is: what it does, the rows a second, and the time left. */
export function RunProgress({ title, store, sent, size, children }: RunProgressProps) {
  const progress = useProgress(store);
  const { doing, done, total, unit } = stageOf(progress, sent, size);
  const rate = useRate(done, unit);
  const left = rate > 0 && total > done ? ((total - done) / rate) * 1000 : undefined;
  const words = [
    doing,
    unit === 'row' && total > 0 && `${done.toLocaleString('en-GB')} of ${plural(total, 'row')}`,
    unit === 'row' && rate >= 1 && `${plural(Math.round(rate), 'row')} a second`,
    left !== undefined && left > 1500 && `about ${durationInWords(left)} left`,
  ].filter(Boolean);
  const announced = useEvery(words.join(' · '), ANNOUNCED_EVERY);
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group justify="space-between">
          <Text fw={600}>{title}</Text>
          {children}
        </Group>
        <Progress
          value={total > 0 ? (done / total) * 100 : 100}
          animated={total === 0}
          striped={total === 0}
          aria-label={title}
        />
        <Text size="sm">{words.join(' · ')}</Text>
        <VisuallyHidden role="status">{announced}</VisuallyHidden>
      </Stack>
    </Paper>
  );
}

function useProgress(store: ResultStore | undefined): ImportProgress | undefined {
  // A store of its own stands in until there is one: hooks cannot be left out.
  useResults(store ?? NO_STORE);
  return store?.progress;
}

const NO_STORE = {
  subscribe: () => () => undefined,
  snapshot: () => 0,
};

interface Stage {
  readonly doing: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'byte' | 'row';
}

function stageOf(progress: ImportProgress | undefined, sent: number, size: number): Stage {
  if (sent < size && !progress) {
    return { doing: 'Sending the file', done: sent, total: size, unit: 'byte' };
  }
  const { phase = ImportPhase.RECEIVING, rowsPlanned = 0, rowsApplied = 0, rowsTotal = 0 } = progress ?? {};
  switch (phase) {
    case ImportPhase.APPLYING:
      return { doing: 'Writing users', done: rowsApplied, total: rowsTotal, unit: 'row' };
    case ImportPhase.DEACTIVATING:
      return {
        doing: 'Deactivating users who are not listed',
        done: rowsApplied,
        total: rowsTotal,
        unit: 'row',
      };
    case ImportPhase.PLANNING:
      return { doing: 'Judging the rows', done: rowsPlanned, total: rowsTotal, unit: 'row' };
    default:
      return { doing: 'Reading the file', done: 0, total: 0, unit: 'row' };
  }
}

/** Units a second over the last few seconds. */
function useRate(done: number, unit: string): number {
  const samples = useRef<Sample[]>([]);
  const [rate, setRate] = useState(0);
  useEffect(() => {
    samples.current = [];
  }, [unit]);
  useEffect(() => {
    const measured = rateOf(samples.current, { at: performance.now(), done });
    samples.current = measured.samples;
    setRate(measured.rate);
  }, [done]);
  return rate;
}
