// A guard of the server refused the import. Who has looked at why may raise its limit, for this import alone.

import { Button, Group, NumberInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';

import type { ImportSummary } from '~/gen/userimport/v1/import_service_pb';
import type { Refusal } from '~/gen/userimport/v1/types_pb';

import type { ImportSession } from './ImportSession';

interface RefusalActionProps {
  readonly session: ImportSession;
  readonly summary: ImportSummary;
  readonly refusal: Refusal;
}

/** What can be done about a refusal of a review. Nothing if the file has to be corrected. */
export function RefusalAction({ session, summary, refusal }: RefusalActionProps) {
  switch (refusal.code) {
    case 'MASS_DEACTIVATION':
    case 'TOO_MANY_DEACTIVATIONS':
      return (
        <RaiseLimit
          label="Deactivations allowed in this import"
          explanation="Only if the file is whole and these people have really left. The limit holds for this import alone."
          needed={summary.goingInactive}
          onRaise={(maxDeactivations) => raise(session, { maxDeactivations })}
        />
      );
    case 'MASS_IDENTITY_CHANGE':
    case 'TOO_MANY_IDENTITY_CHANGES':
      return (
        <RaiseLimit
          label="Rows that may put another person in a user’s place"
          explanation="Only if these accounts are really to be handed to other people. The limit holds for this import alone."
          needed={summary.identityChanges}
          onRaise={(maxIdentityChanges) => raise(session, { maxIdentityChanges })}
        />
      );
    case 'ROWS_REJECTED':
      return (
        <>
          <CorrectTheFile option="All or nothing" />
          <Button size="xs" variant="default" onClick={() => raise(session, { allOrNothing: false })}>
            Leave rejected rows out, and review again
          </Button>
        </>
      );
    case 'UNCERTAIN_ROWS':
      return (
        <>
          <CorrectTheFile option="Deactivate all currently Active users not listed in the file" />
          <Button size="xs" variant="default" onClick={() => raise(session, { deactivateMissing: false })}>
            Deactivate nobody who is not listed, and review again
          </Button>
        </>
      );
    default:
      return null;
  }
}

/** Rows that are corrected in the review are imported after the file, so they do not help it. */
function CorrectTheFile({ option }: { readonly option: string }) {
  return (
    <Text size="sm">
      Rows that you correct here do not change this, as they are imported after the file. Correct the file, or
      give up “{option}”.
    </Text>
  );
}

function raise(session: ImportSession, choices: Parameters<ImportSession['setChoices']>[0]): void {
  session.setChoices(choices);
  session.runs.reviewAgain();
}

interface RaiseLimitProps {
  readonly label: string;
  readonly explanation: string;
  /** What this import needs. */
  readonly needed: number;
  readonly onRaise: (limit: number) => void;
}

function RaiseLimit({ label, explanation, needed, onRaise }: RaiseLimitProps) {
  const [limit, setLimit] = useState<number | string>(needed);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onRaise(Number(limit));
      }}
    >
      <Stack gap={4}>
        <Group gap="xs" align="flex-end">
          <NumberInput
            size="xs"
            w={280}
            label={label}
            min={0}
            allowDecimal={false}
            allowNegative={false}
            value={limit}
            onChange={setLimit}
          />
          <Button size="xs" variant="default" type="submit" disabled={limit === ''}>
            Allow, and review again
          </Button>
        </Group>
        <Text size="xs">{explanation}</Text>
      </Stack>
    </form>
  );
}
