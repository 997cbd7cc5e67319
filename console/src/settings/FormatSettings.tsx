import { Paper, SimpleGrid, TextInput, Title } from '@mantine/core';

import type { CatalogDraft } from './catalogDraft';
import type { CatalogFaults } from './catalogFaults';

interface FormatSettingsProps {
  readonly draft: CatalogDraft;
  readonly faults: CatalogFaults;
  readonly isReadOnly: boolean;
  readonly onChange: (part: Partial<CatalogDraft>) => void;
}

/** What phone numbers, badge numbers and external IDs look like. */
export function FormatSettings({ draft, faults, isReadOnly, onChange }: FormatSettingsProps) {
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="formats">
      <Title order={2} size="h5" id="formats" mb="xs">
        Formats
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <TextInput
          label="Phone region"
          description="Two letters, such as US: phone numbers without a country code are read as numbers of this region."
          placeholder="None"
          maxLength={2}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={draft.phoneRegion}
          error={faults.ofField('phone_region')}
          readOnly={isReadOnly}
          onChange={({ currentTarget }) => onChange({ phoneRegion: currentTarget.value })}
        />
        <TextInput
          label="Pattern of badge numbers"
          description="A regular expression that new and changed badge numbers have to match, such as [0-9]{4}."
          placeholder="Any badge number"
          maxLength={200}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={draft.badgeNumberPattern}
          error={faults.ofField('badge_number_pattern')}
          readOnly={isReadOnly}
          onChange={({ currentTarget }) => onChange({ badgeNumberPattern: currentTarget.value })}
        />
        <TextInput
          label="Pattern of external IDs"
          description="The same for external IDs of new users. Those that the server makes need not match."
          placeholder="Any external ID"
          maxLength={200}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={draft.externalIdPattern}
          error={faults.ofField('external_id_pattern')}
          readOnly={isReadOnly}
          onChange={({ currentTarget }) => onChange({ externalIdPattern: currentTarget.value })}
        />
      </SimpleGrid>
    </Paper>
  );
}
