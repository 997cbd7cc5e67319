import { Checkbox, NativeSelect, Paper, Stack, Text } from '@mantine/core';

import { MatchBy } from '~/gen/userimport/v1/import_service_pb';

import { DeactivateOption } from './DeactivateOption';
import { BackButton, NextButton, StepBar } from './StepBar';
import { StepHeading } from './StepHeading';
import type { StepProps } from './StepProps';
import { beforeOptions } from './steps';

const MATCH_BY: readonly { readonly value: MatchBy; readonly label: string }[] = [
  { value: MatchBy.UNSPECIFIED, label: 'External ID only' },
  { value: MatchBy.EMAIL, label: 'External ID, else email' },
  { value: MatchBy.BADGE_NUMBER, label: 'External ID, else badge number' },
  { value: MatchBy.USERNAME, label: 'External ID, else username' },
];

export function OptionsStep({ session, state }: StepProps) {
  const { draft } = state;
  const { choices } = draft;
  const isUnscoped =
    choices.deactivateMissing &&
    choices.isScoped &&
    choices.onlyRoles.length === 0 &&
    choices.onlyGroups.length === 0;
  return (
    <>
      <StepHeading title="Choose how to import">
        The review that follows shows what these choices would do. Nothing is written by it.
      </StepHeading>
      {!draft.hasColumnsStep && (
        <Text size="sm">
          All columns and values of the file match, so there was nothing to do in Columns.
        </Text>
      )}
      <Paper withBorder p="md">
        <DeactivateOption session={session} state={state} />
      </Paper>
      <Paper withBorder p="md">
        <Checkbox
          label="All or nothing"
          description={
            choices.allOrNothing
              ? 'If one row is rejected, nothing is imported at all.'
              : 'Rejected rows are left out, and all other rows are imported. Choose this to import nothing if one row is rejected.'
          }
          checked={choices.allOrNothing}
          onChange={({ currentTarget }) => session.setChoices({ allOrNothing: currentTarget.checked })}
        />
      </Paper>
      <Paper withBorder p="md">
        <Stack gap="xs">
          <NativeSelect
            label="Match users by"
            description={matchInWords(choices.matchBy)}
            styles={{ wrapper: { maxWidth: 420 } }}
            value={String(choices.matchBy)}
            data={MATCH_BY.map(({ value, label }) => ({ value: String(value), label }))}
            onChange={({ currentTarget }) =>
              session.setChoices({
                matchBy:
                  MATCH_BY.find(({ value }) => String(value) === currentTarget.value)?.value ??
                  MatchBy.UNSPECIFIED,
              })
            }
          />
        </Stack>
      </Paper>
      <StepBar>
        <BackButton onClick={() => session.goTo(beforeOptions(draft))} />
        {isUnscoped && (
          <Text size="sm" role="status">
            Choose a role or a group first.
          </Text>
        )}
        <NextButton label="Review" isDisabled={isUnscoped} onClick={() => session.goTo('review')} />
      </StepBar>
    </>
  );
}

function matchInWords(matchBy: MatchBy): string {
  if (matchBy === MatchBy.UNSPECIFIED) {
    return 'A row without an external ID, or with one that no user has, makes a new user.';
  }
  const by = {
    [MatchBy.EMAIL]: 'email',
    [MatchBy.BADGE_NUMBER]: 'badge number',
    [MatchBy.USERNAME]: 'username',
  }[matchBy];
  return `A row without an external ID, or with one that no user has, updates the user with its ${by}, who also gets its external ID. If nobody has it, the row makes a new user.`;
}
