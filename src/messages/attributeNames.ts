/** By themselves, for messages: they load nothing of Temporal. */
export const SEARCH_ATTRIBUTES = {
  kind: 'IntakeKind',
  source: 'IntakeSource',
  tenant: 'IntakeTenant',
  /** Of an import: `running`, `waiting` for its host, then how it ended. */
  status: 'IntakeStatus',
} as const;
