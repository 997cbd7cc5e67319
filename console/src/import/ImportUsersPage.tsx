import { Button, Stack } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';

import { IfPermitted } from '~/shared/IfPermitted';
import { Loading } from '~/shared/Loading';
import { PageHeader } from '~/shared/PageHeader';

import { ColumnsStep } from './ColumnsStep';
import { ConfirmStep } from './ConfirmStep';
import { FileStep } from './FileStep';
import { OptionsStep } from './OptionsStep';
import { ResultsStep } from './ResultsStep';
import { ReviewStep } from './ReviewStep';
import { StepNav } from './StepNav';
import { Trouble } from './Trouble';
import { useImportSession } from './useImportSession';

/** The way from a file to its results: File, Columns, Options, Review, Confirm, Results. */
export function ImportUsersPage() {
  return (
    <>
      <ImportHeader />
      <IfPermitted needs="users.import" action="import users">
        <Stepper />
      </IfPermitted>
    </>
  );
}

const SCREENS = {
  file: FileStep,
  columns: ColumnsStep,
  options: OptionsStep,
  review: ReviewStep,
  confirm: ConfirmStep,
  results: ResultsStep,
} as const;

function ImportHeader() {
  const { session, state } = useImportSession();
  const { draft } = state;
  return (
    <PageHeader
      title="Import users"
      description="Nothing is written before you have seen what would change, and confirmed it."
    >
      {draft.file && draft.step !== 'results' && (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={14} aria-hidden />}
          onClick={() => void session.startOver()}
        >
          Start over
        </Button>
      )}
    </PageHeader>
  );
}

function Stepper() {
  const { session, state } = useImportSession();
  const { draft } = state;
  const StepScreen = SCREENS[draft.step];
  return (
    <>
      <StepNav draft={draft} onGo={draft.step === 'results' ? undefined : (step) => session.goTo(step)} />
      <Stack gap="md">
        <Trouble trouble={state.trouble} />
        {state.isRestoring ? (
          <Loading label="Looking for the file" />
        ) : (
          <StepScreen key={draft.step} session={session} state={state} />
        )}
      </Stack>
    </>
  );
}
