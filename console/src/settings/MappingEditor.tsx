import { Button, NumberInput, Paper, Stack, TagsInput, Text, TextInput, Title } from '@mantine/core';
import { useEffect, useRef } from 'react';

import type { NamedMapping } from '~/gen/userimport/v1/directory_service_pb';
import { useSession } from '~/session/Session';

import { ColumnLines, TemplateLines, ValueLines } from './MappingLines';
import { SaveBar, SaveConflict } from './SaveBar';
import { UnsavedGuard } from './UnsavedGuard';
import { useMappingDraft } from './useMappingDraft';

interface MappingEditorProps {
  readonly saved: NamedMapping;
  /** Of all mappings that there are. */
  readonly names: readonly string[];
  readonly onClose: () => void;
}

/** Edits a saved mapping. */
export function MappingEditor({ saved, names, onClose }: MappingEditorProps) {
  const { organization } = useSession();
  const editing = useMappingDraft(organization, saved, onClose);
  const { name, setName, draft, change } = editing;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const isTaken = name.trim() !== saved.name && names.includes(name.trim());
  return (
    <Stack gap="md">
      <UnsavedGuard isChanged={editing.isChanged && !editing.isSaving} />
      <Title order={2} size="h5" ref={heading} tabIndex={-1}>
        Mapping “{saved.name}”
      </Title>
      <TextInput
        label="Name"
        description="Lower-case letters, digits and hyphens. Jobs name the mapping by it."
        maw={420}
        value={name}
        maxLength={63}
        error={isTaken ? 'There is another mapping with this name.' : undefined}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <ColumnLines lines={draft.columns} onChange={(columns) => change({ columns })} />
      <ValueLines lines={draft.values} onChange={(values) => change({ values })} />
      <TemplateLines lines={draft.templates} onChange={(templates) => change({ templates })} />
      <Paper withBorder p="md">
        <Stack gap="sm" maw={520}>
          <TagsInput
            label="Words that mean blank"
            description="Whole cells such as NULL or N/A, in any case. Press Enter after each."
            value={[...draft.nullValues]}
            onChange={(nullValues) => change({ nullValues })}
          />
          <NumberInput
            label="Lines above the header"
            description="Titles and the like, which are left out."
            min={0}
            max={1000}
            allowDecimal={false}
            value={draft.skipLeadingLines}
            onChange={(lines) => change({ skipLeadingLines: Number(lines) || 0 })}
          />
          <TagsInput
            label="Beginnings of lines that are no rows"
            description="Such as Total: or #. Press Enter after each."
            value={[...draft.ignoredLinePrefixes]}
            onChange={(ignoredLinePrefixes) => change({ ignoredLinePrefixes })}
          />
        </Stack>
      </Paper>
      <SaveBar
        noun="mapping"
        state={editing}
        isBlocked={isTaken || editing.isConflict}
        onSave={() => editing.save(false)}
        conflict={
          editing.isConflict && (
            <SaveConflict what="this mapping" onOverwrite={() => editing.save(true)}>
              <Text size="sm">Nothing was saved yet. Saving yours replaces what they have saved.</Text>
            </SaveConflict>
          )
        }
      >
        <Button variant="default" onClick={onClose}>
          {editing.isChanged ? 'Discard changes' : 'Back'}
        </Button>
      </SaveBar>
    </Stack>
  );
}
