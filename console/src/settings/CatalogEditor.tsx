import { Alert, Button, Group, List, Paper, Stack, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';

import type { Catalog } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';

import { faultsAt } from './catalogFaults';
import { FormatSettings } from './FormatSettings';
import { GroupEntries } from './GroupEntries';
import { RankEntries } from './RankEntries';
import { RoleEntries } from './RoleEntries';
import styles from './settings.module.css';
import { UnsavedGuard } from './UnsavedGuard';
import { useCatalogDraft, type CatalogEditing } from './useCatalogDraft';

interface CatalogEditorProps {
  readonly organization: string;
  /** As it was read. */
  readonly read: Catalog;
}

/** Edits the catalog as one document. */
export function CatalogEditor({ organization, read }: CatalogEditorProps) {
  const { may } = useSession();
  const editing = useCatalogDraft(organization, read);
  const { draft, change, problem } = editing;
  const isReadOnly = !may('catalog.write');
  const faults = faultsAt(problem?.places ?? []);
  return (
    <>
      <UnsavedGuard isChanged={editing.isChanged} />
      <Stack gap="md">
        <div className={styles.columns}>
          <RoleEntries
            roles={draft.roles}
            faults={faults}
            isReadOnly={isReadOnly}
            onChange={(roles) => change({ roles })}
          />
          <RankEntries
            ranks={draft.ranks}
            faults={faults}
            isReadOnly={isReadOnly}
            onChange={(ranks) => change({ ranks })}
          />
        </div>
        <GroupEntries
          groups={draft.groups}
          faults={faults}
          isReadOnly={isReadOnly}
          onChange={(groups) => change({ groups })}
        />
        <FormatSettings draft={draft} faults={faults} isReadOnly={isReadOnly} onChange={change} />
        {!isReadOnly && <SaveBar editing={editing} />}
      </Stack>
    </>
  );
}

/** Says whether there is something to save, and what keeps it from being saved. */
function SaveBar({ editing }: { readonly editing: CatalogEditing }) {
  const { isChanged, isSaving, isSaved, problem, conflict, save, discard } = editing;
  return (
    <Paper withBorder p="sm" className={styles.saveBar}>
      <Stack gap="sm">
        {conflict && <ConflictAlert editing={editing} />}
        {problem && <Failure problem={problem} title="The catalog was not saved" />}
        <Group gap="sm" justify="space-between">
          <Text size="sm" role="status">
            {isChanged ? 'There are unsaved changes.' : isSaved ? 'Saved.' : 'Everything is saved.'}
          </Text>
          <Group gap="xs">
            <Button variant="default" disabled={!isChanged || isSaving} onClick={discard}>
              Discard changes
            </Button>
            <Button disabled={!isChanged || conflict !== undefined} loading={isSaving} onClick={save}>
              Save catalog
            </Button>
          </Group>
        </Group>
      </Stack>
    </Paper>
  );
}

function ConflictAlert({ editing }: { readonly editing: CatalogEditing }) {
  const { conflict, overwrite, discard } = editing;
  return (
    <Alert
      color="yellow"
      icon={<IconUsers aria-hidden />}
      title="Somebody else has changed the catalog meanwhile"
      role="alert"
    >
      <Stack gap="xs" align="flex-start">
        <List size="sm">
          {conflict?.differences.map((difference) => (
            <List.Item key={difference}>{difference}</List.Item>
          ))}
        </List>
        <Text size="sm">
          Nothing was saved yet. The catalog is one document: saving yours takes that back.
        </Text>
        <Group gap="xs">
          <Button size="xs" onClick={discard}>
            Take theirs
          </Button>
          <Button size="xs" variant="light" color="red" onClick={overwrite}>
            Save mine all the same
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
