// The catalog while it is edited, and how it is saved.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { directory } from '~/api/transport';
import type { Catalog } from '~/gen/userimport/v1/types_pb';

import { catalogOf, differences, draftOf, isChanged, isSameCatalog, type CatalogDraft } from './catalogDraft';

/** Somebody else has saved another catalog meanwhile. */
export interface Conflict {
  readonly theirs: Catalog;
  /** What is different in it, as sentences. */
  readonly differences: readonly string[];
}

export interface CatalogEditing {
  readonly draft: CatalogDraft;
  readonly change: (part: Partial<CatalogDraft>) => void;
  readonly isChanged: boolean;
  readonly isSaving: boolean;
  /** True: it was saved, and nothing has been changed since. */
  readonly isSaved: boolean;
  readonly problem: Problem | undefined;
  readonly conflict: Conflict | undefined;
  /** Saves, unless somebody else has saved meanwhile. */
  readonly save: () => void;
  /** Saves over what somebody else has saved. */
  readonly overwrite: () => void;
  /** Goes back to what is stored. */
  readonly discard: () => void;
}

export function useCatalogDraft(organization: string, read: Catalog): CatalogEditing {
  const queries = useQueryClient();
  const [stored, setStored] = useState(read);
  const [draft, setDraft] = useState(() => draftOf(read));
  const [isSaving, setSaving] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [conflict, setConflict] = useState<Conflict>();
  const take = (catalog: Catalog) => {
    setStored(catalog);
    setDraft(draftOf(catalog));
    setProblem(undefined);
    setConflict(undefined);
  };
  const saveOver = async (known: Catalog) => {
    setSaving(true);
    setProblem(undefined);
    try {
      const { catalog: now } = await directory.getCatalog({ organization });
      if (now && !isSameCatalog(now, known)) {
        setConflict({ theirs: now, differences: differences(known, now) });
      } else {
        const { catalog } = await directory.updateCatalog({ organization, catalog: catalogOf(draft) });
        take(catalog ?? catalogOf(draft));
        setSaved(true);
        await queries.invalidateQueries();
      }
    } catch (error) {
      setProblem(problemOf(error));
    }
    setSaving(false);
  };
  return {
    draft,
    change: (part) => {
      setSaved(false);
      setDraft((now) => ({ ...now, ...part }));
    },
    isChanged: isChanged(draft, stored),
    isSaving,
    isSaved,
    problem,
    conflict,
    save: () => void saveOver(stored),
    overwrite: () => {
      if (conflict) {
        setConflict(undefined);
        void saveOver(conflict.theirs);
      }
    },
    discard: () => take(conflict?.theirs ?? stored),
  };
}
