import { Button, Group, Select, TextInput } from '@mantine/core';

import type { AuditEvent } from '~/gen/userimport/v1/audit_service_pb';

import { isFiltered, type AuditFilter } from './auditFilter';
import { ACTION_WORDS, actorName } from './eventWords';

interface AuditFiltersProps {
  /** The loaded events: only what occurs in them is offered. */
  readonly events: readonly AuditEvent[];
  readonly filter: AuditFilter;
  readonly onChange: (filter: AuditFilter) => void;
}

/** Narrows the loaded events. */
export function AuditFilters({ events, filter, onChange }: AuditFiltersProps) {
  const actions = [...new Set(events.map(({ action }) => action))];
  const offered = actions
    .map((action) => ({ value: String(action), label: ACTION_WORDS[action] }))
    .sort((one, other) => one.label.localeCompare(other.label));
  const actors = [...new Set(events.map(({ principal }) => actorName(principal)))].sort();
  return (
    <Group gap="xs" mb="sm" component="search" aria-label="Filters" align="flex-end">
      <Select
        label="What was done"
        placeholder="Anything"
        w={{ base: '100%', xs: 240 }}
        clearable
        searchable
        data={offered}
        value={filter.action === undefined ? null : String(filter.action)}
        onChange={(chosen) =>
          onChange({ ...filter, action: actions.find((action) => String(action) === chosen) })
        }
      />
      <Select
        label="By whom"
        placeholder="Anybody"
        w={{ base: '100%', xs: 220 }}
        clearable
        searchable
        data={actors}
        value={filter.actor ?? null}
        onChange={(actor) => onChange({ ...filter, actor: actor ?? undefined })}
      />
      <TextInput
        label="From"
        type="date"
        w={{ base: 'calc(50% - 4px)', xs: 150 }}
        value={filter.from ?? ''}
        onChange={({ currentTarget }) => onChange({ ...filter, from: currentTarget.value || undefined })}
      />
      <TextInput
        label="To"
        type="date"
        w={{ base: 'calc(50% - 4px)', xs: 150 }}
        value={filter.to ?? ''}
        onChange={({ currentTarget }) => onChange({ ...filter, to: currentTarget.value || undefined })}
      />
      {isFiltered(filter) && (
        <Button variant="subtle" onClick={() => onChange({})}>
          Clear filters
        </Button>
      )}
    </Group>
  );
}
