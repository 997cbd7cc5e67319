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

function useMappings() {
  const { organization } = useSession();
  return useQuery(DirectoryService.method.listMappings, { organization });
}

/** Uses a mapping that the organisation has saved. Nothing if there is none. */
export function UseSavedMapping({ onChange }: Pick<MappingProps, 'onChange'>) {
  const mappings = useMappings().data?.mappings ?? [];
  if (mappings.length === 0) {
    return null;
  }
  return (
    <NativeSelect
      size="xs"
      w={260}
      label="Use a saved mapping"
      description="It replaces what is chosen below"
      value=""
      data={[{ value: '', label: 'Choose one' }, ...mappings.map(({ name }) => name)]}
      onChange={({ currentTarget }) => {
        const chosen = mappings.find(({ name }) => name === currentTarget.value)?.mapping;
        if (chosen) {
          onChange(chosen);
        }
      }}
    />
  );
}

/** Saves what was chosen for the next file of this kind. */
export function SaveMapping({ mapping }: Pick<MappingProps, 'mapping'>) {
  const { may } = useSession();
  return (
    <Stack gap="xs" component="section" aria-labelledby="saved-title">
      <Title order={3} size="h5" id="saved-title">
        Save for the next file
      </Title>
      {may('catalog.write') ? (
        <SaveForm mapping={mapping} />
      ) : (
        <Text size="sm" c="dimmed" maw={520}>
          To save what you chose here for the next file, you need the permission catalog.write. This import
          works without it.
        </Text>
      )}
    </Stack>
  );
}

function SaveForm({ mapping }: Pick<MappingProps, 'mapping'>) {
  const { organization } = useSession();
  const saved = useMappings();
  const [name, setName] = useState('');
  const [said, setSaid] = useState<{ isError: boolean; words: string }>();
  const isKnown = saved.data?.mappings.some((one) => one.name === name) ?? false;
  const save = async () => {
    try {
      const named = { name, mapping: fromJson(MappingSchema, mappingJson(mapping)) };
      await directory.saveMapping({ organization, mapping: named });
      setSaid({ isError: false, words: `Saved as ${name}.` });
      await saved.refetch();
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
          w={260}
          label="Name of the mapping"
          description="Lower-case letters, digits and hyphens"
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
          {isKnown ? 'Replace it' : 'Save'}
        </Button>
      </Group>
      <Text size="xs" role="status">
        {said && !said.isError ? said.words : ''}
      </Text>
    </form>
  );
}
