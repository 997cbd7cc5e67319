// All rows of a review or of an import's results: tabs by outcome, search, and the rows.

import { Group, Stack, Tabs, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAlertTriangle, IconList, IconSearch, IconTable } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';

import { RowOutcome } from '~/gen/userimport/v1/types_pb';
import { EmptyState } from '~/shared/EmptyState';
import { OUTCOME_LOOKS, type Look } from '~/shared/outcomes';
import { plural } from '~/shared/time';

import type { ResultStore } from './ResultStore';
import type { RowExtras } from './ReviewRow';
import type { Tab } from './RowOrder';
import { useFilteredRows } from './useFilteredRows';
import { useResults } from './useResults';
import { VirtualRows } from './VirtualRows';

const TABS: readonly (readonly [Tab, Pick<Look, 'label' | 'icon'>])[] = [
  ['all', { label: 'All', icon: IconList }],
  ['created', OUTCOME_LOOKS[RowOutcome.CREATED]],
  ['updated', OUTCOME_LOOKS[RowOutcome.UPDATED]],
  ['unchanged', OUTCOME_LOOKS[RowOutcome.UNCHANGED]],
  ['rejected', OUTCOME_LOOKS[RowOutcome.REJECTED]],
  ['warnings', { label: 'Warnings', icon: IconAlertTriangle }],
];

const NO_EXTRAS: RowExtras = {};

interface ReviewTableProps {
  readonly store: ResultStore;
  /** What the table is, for screen readers. */
  readonly label?: string;
  readonly extras?: RowExtras;
  /** The tab to begin with. */
  readonly initialTab?: Tab;
  readonly maxHeight?: number;
  /** Stands beside the search. */
  readonly children?: ReactNode;
}

export function ReviewTable(props: ReviewTableProps) {
  const { store, label = 'Rows', extras = NO_EXTRAS, initialTab = 'all', maxHeight = 560, children } = props;
  useResults(store);
  const [tab, setTab] = useState<Tab>(initialTab);
  const [entered, setEntered] = useState('');
  const [search] = useDebouncedValue(entered, 150);
  const counts = store.counts();
  const { indices, isSearching } = useFilteredRows(store, tab, search);
  const shown = TABS.filter(([key]) => key !== 'warnings' || counts.warnings > 0 || tab === 'warnings');
  return (
    <Stack gap="xs">
      <Tabs value={tab} onChange={(value) => setTab((value ?? 'all') as Tab)} keepMounted={false}>
        <Group justify="space-between" align="flex-end" gap="xs">
          <Tabs.List aria-label={`${label} by outcome`}>
            {shown.map(([key, { label: word, icon: TabIcon }]) => (
              <Tabs.Tab key={key} value={key} leftSection={<TabIcon size={14} aria-hidden />}>
                {word} ({counts[key].toLocaleString('en-GB')})
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Group gap="xs">
            <TextInput
              size="xs"
              w={220}
              type="search"
              aria-label="Search the rows"
              placeholder="Search the rows"
              leftSection={<IconSearch size={14} aria-hidden />}
              value={entered}
              onChange={(event) => setEntered(event.currentTarget.value)}
            />
            {children}
          </Group>
        </Group>
        <Tabs.Panel value={tab} pt="xs">
          <Text size="xs" c="dimmed" mb={4} role="status">
            {search === '' ? plural(indices.length, 'row') : `${plural(indices.length, 'row')} found`}
            {isSearching && '. Searching…'}
          </Text>
          {indices.length > 0 ? (
            <VirtualRows
              store={store}
              indices={indices}
              tab={tab}
              label={label}
              extras={extras}
              maxHeight={maxHeight}
              resetKey={`${tab} ${search}`}
            />
          ) : (
            !isSearching && (
              <EmptyState icon={<IconTable size={24} />} title={search ? 'No row has this text' : 'No rows'}>
                {search
                  ? 'Search for part of an external ID, a value or a message, or look at another tab.'
                  : 'No row has this outcome. Look at another tab.'}
              </EmptyState>
            )
          )}
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
