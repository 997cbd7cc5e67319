// What became of an import whose approval or undo ended with a problem. The stream may have failed after it had written,
// or somebody else may have decided meanwhile: only the record says what happened.

import { Code } from '@connectrpc/connect';

import { problemOf } from '~/api/problem';
import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';

/** The state of the import that was read again; `none`: there is no such import; `unknown`: it could not be read. */
export type StateAfter = ImportState | 'none' | 'unknown';

export async function readStateAfter(
  read: () => Promise<{ readonly importRecord?: Import | undefined }>,
): Promise<StateAfter> {
  try {
    return (await read()).importRecord?.state ?? 'unknown';
  } catch (error) {
    return problemOf(error).code === Code.NotFound ? 'none' : 'unknown';
  }
}

export interface EndWords {
  readonly title: string;
  readonly nextStep: string;
}

const UNKNOWN = 'Whether anything was changed is not known, since the import could not be read again.';

/** How an approval ended that met with a problem. */
export function approvalEnd(state: StateAfter): EndWords {
  switch (state) {
    case ImportState.HELD:
      return {
        title: 'The import was not approved',
        nextStep:
          'Nothing was changed, and the import is still held. Review it again to see what it would do now.',
      };
    case 'none':
    case 'unknown':
      return { title: 'The approval ended early', nextStep: `${UNKNOWN} Review it again.` };
    default:
      return {
        title: 'The import is no longer held',
        nextStep: 'This page shows what has become of it.',
      };
  }
}

/** True: the undo may have written before it ended. */
export function hasUndone(state: StateAfter): boolean {
  return typeof state === 'number' && state !== ImportState.REFUSED;
}

/** How an undo ended that met with a problem. */
export function undoEnd(state: StateAfter): EndWords {
  if (state === 'unknown') {
    return {
      title: 'The undo ended early',
      nextStep: `${UNKNOWN} Look again at what the undo would do now.`,
    };
  }
  return hasUndone(state)
    ? { title: 'The undo ended early', nextStep: 'What it has written so far stays, and is in its record.' }
    : {
        title: 'The import was not undone',
        nextStep: 'Nothing was changed. Look again at what the undo would do now.',
      };
}
