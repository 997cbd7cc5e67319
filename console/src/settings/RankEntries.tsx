import { Text, TextInput } from '@mantine/core';

import { newKey, type DraftEntry } from './catalogDraft';
import type { CatalogFaults } from './catalogFaults';
import { EntryList } from './EntryList';

interface RankEntriesProps {
  readonly ranks: readonly DraftEntry[];
  readonly faults: CatalogFaults;
  readonly isReadOnly: boolean;
  readonly onChange: (ranks: readonly DraftEntry[]) => void;
}

export function RankEntries({ ranks, faults, isReadOnly, onChange }: RankEntriesProps) {
  return (
    <div>
      <EntryList
        title="Ranks"
        kind="ranks"
        noun="rank"
        entries={ranks}
        faults={faults}
        isReadOnly={isReadOnly}
        heads={['Name']}
        blank={() => ({ key: newKey(), name: '', stored: undefined, isRemoved: false })}
        onChange={onChange}
        cells={(rank, change) => [
          <TextInput
            key="name"
            size="xs"
            aria-label={`Name of the rank ${rank.stored ?? ''}`.trim()}
            value={rank.name}
            maxLength={128}
            readOnly={isReadOnly}
            onChange={({ currentTarget }) => change({ name: currentTarget.value })}
          />,
        ]}
      />
      <Text size="xs" c="dimmed" mt={4}>
        A renamed rank keeps its users.
      </Text>
    </div>
  );
}
