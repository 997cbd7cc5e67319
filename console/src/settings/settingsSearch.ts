// Which part of the settings is shown. It is part of the address, so that a link keeps it.

export const SETTINGS_TABS = ['catalog', 'mappings', 'protected'] as const;

export type SettingsTab = (typeof SETTINGS_TABS)[number];

export interface SettingsSearch {
  tab?: SettingsTab | undefined;
}

export function readSettingsSearch({ tab }: Record<string, unknown>): SettingsSearch {
  const known = SETTINGS_TABS.find((one) => one === tab);
  return known ? { tab: known } : {};
}
