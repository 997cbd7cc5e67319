import { Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { IfPermitted } from '~/shared/IfPermitted';
import { PageHeader } from '~/shared/PageHeader';

import { CatalogSettings } from './CatalogSettings';
import { MappingSettings } from './MappingSettings';
import { ProtectedUsers } from './ProtectedUsers';
import type { SettingsTab } from './settingsSearch';

/** What users may have, how files are read, and who is protected. */
export function SettingsPage() {
  const { tab = 'catalog' } = useSearch({ from: '/shell/settings' });
  const navigate = useNavigate({ from: '/settings' });
  return (
    <>
      <PageHeader title="Settings" />
      <IfPermitted needs="users.read" action="see the settings">
        <Tabs
          value={tab}
          onChange={(chosen) => void navigate({ search: { tab: chosen as SettingsTab } })}
          keepMounted={false}
        >
          <Tabs.List mb="md" aria-label="Settings">
            <Tabs.Tab value="catalog">Catalog</Tabs.Tab>
            <Tabs.Tab value="mappings">Mappings</Tabs.Tab>
            <Tabs.Tab value="protected">Protected users</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="catalog">
            <CatalogSettings />
          </Tabs.Panel>
          <Tabs.Panel value="mappings">
            <MappingSettings />
          </Tabs.Panel>
          <Tabs.Panel value="protected">
            <ProtectedUsers />
          </Tabs.Panel>
        </Tabs>
      </IfPermitted>
    </>
  );
}
