import { fromJson } from '@bufbuild/protobuf';
import { useQuery } from '@connectrpc/connect-query';
import { Button, Group, NativeSelect, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';

import { problemOf } from '~/api/problem';
import { directory } from '~/api/transport';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import { MappingSchema } from '~/gen/userimport/v1/import_service_pb';
import { useSession } from '~/session/Session';

import type { MappingProps } from './ColumnsStep';
import { mappingJson } from './editMapping';

/** Uses a mapping that the organisation has saved, or saves this one for the next file of this kind. */
export function SavedMappings({ mapping, onChange }: MappingProps) {
  const { organization, may } = useSession();
  const saved = useQuery(DirectoryService.method.listMappings, { organization });
  const mappings = saved.data?.mappings ?? [];
  return (
    <Stack gap="xs" component="section" aria-labelledby="saved-title">
      <Title order={3} size="h5" id="saved-title">
        Saved mappings
      </Title>
      <Group gap="lg" align="flex-start">
        {mappings.length > 0 && (
          <NativeSelect
            size="xs"
            w={240}
            label="Use a saved mapping"
            value=""
            data={[{ value: '', label: 'Choose one' }, ...mappings.map(({ name }) => name)]}
            onChange={({ currentTarget }) => {
              const chosen = mappings.find(({ name }) => name === currentTarget.value)?.mapping;
              if (chosen) {
                onChange(chosen);
              }
            }}
          />
        )}
        {may('catalog.write') ? (
          <SaveMapping mapping={mapping} onSaved={() => void saved.refetch()} />
        ) : (
          <Text size="sm" c="dimmed" maw={420}>
            To save what you choose here for the next file, you need the permission catalog.write. This import
            works without.
          </Text>
        )}
      </Group>
    </Stack>
  );
}

function SaveMapping({ mapping, onSaved }: Pick<MappingProps, 'mapping'> & { readonly onSaved: () => void }) {
  const { organization } = useSession();
  const [name, setName] = useState('');
  const [said, setSaid] = useState<{ isError: boolean; words: string }>();
  const save = async () => {
    try {
      const named = { name, mapping: fromJson(MappingSchema, mappingJson(mapping)) };
      await directory.saveMapping({ organization, mapping: named });
      setSaid({ isError: false, words: `Saved as ${name}.` });
      onSaved();
    } catch (thrown) {
      setSaid({ isError: true, words: problemOf(thrown).message });
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Group gap="xs" align="flex-end">
        <TextInput
          size="xs"
          w={240}
          label="Save this mapping as"
          placeholder="hr-export"
          autoComplete="off"
          value={name}
          error={said?.isError ? said.words : undefined}
          onChange={({ currentTarget }) => {
            setName(currentTarget.value);
            setSaid(undefined);
          }}
        />
        <Button size="xs" variant="default" type="submit" disabled={name.trim() === ''}>
          Save
        </Button>
      </Group>
      <Text size="xs" role="status">
        {said && !said.isError ? said.words : ''}
      </Text>
    </form>
  );
}
