import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import type { Problem } from '~/api/problem';
import { imports } from '~/api/transport';
import { useSession } from '~/session/Session';

import { readStateAfter, type StateAfter } from './recordAfter';
import type { Followed } from './useFollowed';

/** The state of the import after a stream of it ended with a problem. Undefined: there is none, or it is not read yet. */
export function useStateAfter(
  { hasEnded, problem }: Followed,
  importId: string | undefined,
): StateAfter | undefined {
  const { organization } = useSession();
  const queries = useQueryClient();
  const [read, setRead] = useState<{ problem: Problem; state: StateAfter }>();
  useEffect(() => {
    if (!hasEnded || !problem || importId === undefined) {
      return;
    }
    let isWanted = true;
    const find = async () => {
      const state = await readStateAfter(() => imports.getImport({ organization, importId }));
      await queries.invalidateQueries();
      if (isWanted) {
        setRead({ problem, state });
      }
    };
    void find();
    return () => {
      isWanted = false;
    };
  }, [hasEnded, problem, importId, organization, queries]);
  return read && read.problem === problem ? read.state : undefined;
}
