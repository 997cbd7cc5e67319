// A mapping while it is edited, and how it is saved, under its name or another one.

import { equals } from '@bufbuild/protobuf';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { directory } from '~/api/transport';
import { MappingSchema, type Mapping } from '~/gen/userimport/v1/import_service_pb';
import type { NamedMapping } from '~/gen/userimport/v1/directory_service_pb';

import { draftOfMapping, mappingOf, type MappingDraft } from './mappingDraft';

export interface MappingEditing {
  readonly name: string;
  readonly setName: (name: string) => void;
  readonly draft: MappingDraft;
  readonly change: (part: Partial<MappingDraft>) => void;
  readonly isChanged: boolean;
  readonly isSaving: boolean;
  readonly problem: Problem | undefined;
  /** True: somebody else has saved or deleted the mapping meanwhile, so it was not saved. */
  readonly isConflict: boolean;
  /** Saves; `force`: over what somebody else has saved. */
  readonly save: (force: boolean) => void;
}

export function useMappingDraft(
  organization: string,
  saved: NamedMapping,
  onSaved: () => void,
): MappingEditing {
  const queries = useQueryClient();
  const [name, setName] = useState(saved.name);
  const [draft, setDraft] = useState(() => draftOfMapping(saved.mapping ?? mappingOf(EMPTY)));
  const [isSaving, setSaving] = useState(false);
  const [isConflict, setConflict] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const mapping = mappingOf(draft);
  const newName = name.trim();
  const save = async (force: boolean) => {
    setSaving(true);
    setProblem(undefined);
    setConflict(false);
    try {
      const { mappings } = await directory.listMappings({ organization });
      const now = mappings.find((one) => one.name === saved.name);
      if (!force && !isSame(now?.mapping, saved.mapping)) {
        setConflict(true);
      } else {
        await directory.saveMapping({ organization, mapping: { name: newName, mapping } });
        if (newName !== saved.name && now) {
          await directory.deleteMapping({ organization, name: saved.name });
        }
        await queries.invalidateQueries();
        onSaved();
        return;
      }
    } catch (error) {
      setProblem(problemOf(error));
    }
    setSaving(false);
  };
  return {
    name,
    setName,
    draft,
    change: (part) => setDraft((now) => ({ ...now, ...part })),
    isChanged: newName !== saved.name || !isSame(mapping, saved.mapping),
    isSaving,
    problem,
    isConflict,
    save: (force) => void save(force),
  };
}

const EMPTY: MappingDraft = {
  columns: [],
  values: [],
  templates: [],
  nullValues: [],
  skipLeadingLines: 0,
  ignoredLinePrefixes: [],
};

function isSame(one: Mapping | undefined, other: Mapping | undefined): boolean {
  return one && other ? equals(MappingSchema, one, other) : one === other;
}
