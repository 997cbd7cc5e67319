import { Button, List, Stack, Text } from '@mantine/core';

import type { Catalog } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';

import { faultsAt } from './catalogFaults';
import { FormatSettings } from './FormatSettings';
import { GroupEntries } from './GroupEntries';
import { RankEntries } from './RankEntries';
import { RoleEntries } from './RoleEntries';
import { SaveBar, SaveConflict } from './SaveBar';
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
        {!isReadOnly && (
          <SaveBar
            noun="catalog"
            state={editing}
            isBlocked={editing.conflict !== undefined}
            onSave={editing.save}
            conflict={<CatalogConflict editing={editing} />}
          >
            <Button
              variant="default"
              disabled={!editing.isChanged || editing.isSaving}
              onClick={editing.discard}
            >
              Discard changes
            </Button>
          </SaveBar>
        )}
      </Stack>
    </>
  );
}

/** What they have changed, and the decision whose catalog stays. */
function CatalogConflict({ editing }: { readonly editing: CatalogEditing }) {
  const { conflict, overwrite, discard } = editing;
  return (
    conflict && (
      <SaveConflict what="the catalog" onOverwrite={overwrite} onTakeTheirs={discard}>
        <List size="sm">
          {conflict.differences.map((difference) => (
            <List.Item key={difference}>{difference}</List.Item>
          ))}
        </List>
        <Text size="sm">
          Nothing was saved yet. The catalog is one document: saving yours takes that back.
        </Text>
      </SaveConflict>
    )
  );
}
